# shellcheck shell=bash disable=SC2034,SC2154
# System calls fail at random, by libfiu: reads, writes and whatever the network
# needs, 1 % of them; then allocations, one of 20,000, which may well end the
# process (librdkafka aborts): it is started again.
title="failing calls and allocations"
row_excuses="broken other"

# failing NAME: such an evhd; does not wait until it is ready, since it may end
# before.  What libfiu makes fail there is counted.
failing() {
	evhd_with=(env FIU_CTRL_FIFO=
		FIU_ENABLE="enable_random name=$point,probability=$probability"
		EVH_FIU_COUNT="$count_file"
		LD_PRELOAD="$build/faults/fiu_count.so $fiu_libs")
	evhd_start "$1" "${1%-*}"
	evhd_with=()
}

# injected: how many calls failed at this point, so far.
injected() { od -An -td8 "$count_file" | tr -d ' '; }

# killed NAME: kill -9, unless it has ended by itself, as it may here.
killed() {
	local pid=${evhd_pid[$1]}
	kill -KILL "$pid" 2>/dev/null || ends=$((ends + 1))
	wait "$pid" 2>/dev/null || true
	unset "evhd_pid[$1]"
}

# alive SECONDS: whoever has ended in that time is started again; and on, until
# one call at least has failed.
alive() {
	local until=$((SECONDS + $1)) limit=$((SECONDS + $1 + 60)) name
	while ((SECONDS < until || !$(injected))); do
		load_runs
		((SECONDS < limit)) ||
			fail "not one call of $point was made to fail"
		for name in api consumer-1; do
			kill -0 "${evhd_pid[$name]}" 2>/dev/null && continue
			wait "${evhd_pid[$name]}" 2>/dev/null || true
			ends=$((ends + 1))
			failing "$name"
		done
		sleep 0.2
	done
}

row_run() {
	local name points=(posix/io/net/recv libc/mm/malloc)
	local point probability count_file fiu_libs ends=0
	fiu_libs=$(fiu-run -n -x -f '' true |
		sed -n 's/^LD_PRELOAD="\(.*\)".*/\1/p')
	[[ -n $fiu_libs ]] || fail "fiu-run does not say what it preloads"
	world_begin
	api_start
	consumers_start 2
	load_begin --rate 500
	load_await 500
	[[ -n ${EVH_FAULT_SHORT-} ]] || points+=(posix/io/net/send
		posix/io/rw/write)
	for point in "${points[@]}"; do
		probability=0.01
		[[ $point != libc* ]] || probability=0.00005
		count_file=$row_dir/injected-${point//\//-}
		head -c 8 /dev/zero >"$count_file"
		strike
		for name in api consumer-1; do
			killed "$name"
			failing "$name"
		done
		alive "$(times 20 4)"
		for name in api consumer-1; do
			killed "$name"
			evhd_start "$name" "${name%-*}"
		done
		evhd_ready api consumer-1
		mended
		load_await 200
		figure "${point//\//_}" "$(injected)"
	done
	load_end
	verify
	figure ended_by_itself "$ends"
}
