# shellcheck shell=bash disable=SC2034,SC2154
# System calls fail at random, by libfiu: reads, writes and whatever the network
# needs, 1 % of them; then allocations, one of 20,000, which may well end the
# process (librdkafka aborts): it is started again.
title="failing calls and allocations"

# failing NAME CONFIG POINT PROBABILITY: such an evhd, ready.
failing() {
	evhd_with=(fiu-run -x -f ''
		-c "enable_random name=$3,probability=$4")
	evhd_start "$1" "$2"
	evhd_with=()
}

# alive SECONDS: whoever has ended in that time is started again.
alive() {
	local until=$((SECONDS + $1)) name
	while ((SECONDS < until)); do
		load_runs
		for name in api consumer-1; do
			kill -0 "${evhd_pid[$name]}" 2>/dev/null && continue
			wait "${evhd_pid[$name]}" 2>/dev/null || true
			ends=$((ends + 1))
			failing "$name" "${name%-*}" "$point" "$probability"
		done
		sleep 0.2
	done
}

row_run() {
	local name points=(posix/io/net/recv libc/mm/malloc)
	ends=0
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
		strike
		for name in api consumer-1; do
			evhd_kill "$name"
			failing "$name" "${name%-*}" "$point" $probability
		done
		alive "$(times 20 4)"
		for name in api consumer-1; do
			evhd_kill "$name"
			evhd_start "$name" "${name%-*}"
		done
		evhd_ready api consumer-1
		mended
		load_await 200
	done
	load_end
	verify
	figure ended_by_itself "$ends"
}
