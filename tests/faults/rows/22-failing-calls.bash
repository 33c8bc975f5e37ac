# shellcheck shell=bash disable=SC2034,SC2154
# System calls fail at random, by libfiu: 5 % of what sockets are read and
# written by; then allocations, one of 20,000, which may well end the process
# (librdkafka aborts): it is started again.  A call that fails ends none.
title="failing calls and allocations"
row_excuses="broken other"

# failing NAME: such an evhd; does not wait until it is ready, since it may end
# before.  What libfiu makes fail there is counted.  Of the errors that it may
# choose the API gets ECONNRESET: EAGAIN from a socket that has bytes is what no
# kernel says, and who is told of edges, as libmicrohttpd is, need not come back
# to it (epoll(7)).
failing() {
	local probability=0.01 error=
	case $point-$1 in
	libc*) probability=0.00005 ;;
	posix/io/net*-api)
		probability=0.05
		error=,failinfo=104
		;;
	posix/io/net*) probability=0.05 ;;
	esac
	evhd_with=(env FIU_CTRL_FIFO=
		FIU_ENABLE="enable_random name=$point,probability=$probability$error"
		EVH_FIU_COUNT="$(count_file "$1")"
		LD_PRELOAD="$build/faults/fiu_count.so $fiu_libs")
	evhd_start "$1" "${1%-*}"
	evhd_with=()
}

count_file() { printf '%s\n' "$row_dir/injected-${point//\//-}-$1"; }

# injected NAME: how many calls failed there at this point, so far.
injected() { od -An -td8 "$(count_file "$1")" | tr -d ' '; }

# ended NAME: by itself, as it may where memory is missing: by librdkafka's
# abort(), or by a code that evhd says.  It never crashes, and nothing else ends
# it.
ended() {
	local code=0
	wait "${evhd_pid[$1]}" 2>/dev/null || code=$?
	unset "evhd_pid[$1]"
	case $point-$code in
	libc/mm/malloc-134 | libc/mm/malloc-69 | libc/mm/malloc-7[018]) ;;
	*) fail "not zero: $1 ended by $code while $point failed" ;;
	esac
	ends=$((ends + 1))
}

# killed NAME: kill -9, unless it has ended by itself.
killed() {
	local pid=${evhd_pid[$1]}
	if ! kill -KILL "$pid" 2>/dev/null; then
		ended "$1"
		return
	fi
	wait "$pid" 2>/dev/null || true
	unset "evhd_pid[$1]"
}

# reconnects: how often the consumer's store has lost its connection and found
# another; its admin's calls may fail, too.
reconnects() {
	local text
	text=$(curl -s -m 5 \
		"http://127.0.0.1:${evhd_admin[consumer-1]}/metrics") || true
	[[ $text =~ evh_store_reconnects_total\{[^}]*\}\ ([0-9]+) ]] || return 0
	printf '%s\n' "${BASH_REMATCH[1]}"
}

# enough: at least one call has failed, and so many have cost the store its
# connection.
enough() {
	local n=0
	(($(injected api) + $(injected consumer-1))) || return 1
	((!least)) || n=$(reconnects)
	((${n:-0} >= least))
}

# alive SECONDS: whoever has ended in that time is started again; and on, until
# enough calls have failed.
alive() {
	local until=$((SECONDS + $1)) limit=$((SECONDS + $1 + 120)) name
	until ((SECONDS >= until)) && enough; do
		load_runs
		((SECONDS < limit)) || fail "too few calls of $point failed:" \
			"$(injected api), $(injected consumer-1)," \
			"and a store reconnected $(reconnects) times"
		for name in api consumer-1; do
			kill -0 "${evhd_pid[$name]}" 2>/dev/null && continue
			ended "$name"
			failing "$name"
		done
		sleep 0.2
	done
}

row_run() {
	local name points=(posix/io/net/send libc/mm/malloc)
	local point least fiu_libs ends=0
	fiu_libs=$(fiu-run -n -x -f '' true |
		sed -n 's/^LD_PRELOAD="\(.*\)".*/\1/p')
	[[ -n $fiu_libs ]] || fail "fiu-run does not say what it preloads"
	world_begin
	# For an answer to what could not be sent it waits in vain.
	conf_add consumer '^store "events"' '	write_timeout = "3s"' \
		'	connect_timeout = "3s"'
	api_start
	consumers_start 2
	load_begin --rate 500
	load_await 500
	[[ -n ${EVH_FAULT_SHORT-} ]] || points+=(posix/io/net/recv
		posix/io/rw/write)
	for point in "${points[@]}"; do
		least=0
		[[ $point != posix/io/net* ]] || least=$(times 5 3)
		strike
		for name in api consumer-1; do
			head -c 8 /dev/zero >"$(count_file "$name")"
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
		figure "${point//\//_}" \
			"$(($(injected api) + $(injected consumer-1)))"
	done
	load_end
	verify
	figure ended_by_itself "$ends"
}
