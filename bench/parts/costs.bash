# shellcheck shell=bash disable=SC2154 # some are world.bash's
# costs.bash - what an event costs besides CPU: system calls (by perf, where it
# may), allocations, context switches, instructions.  Runs of their own, since
# counting disturbs what is measured elsewhere.
: "${scripts:?}" "${bench:?}" "${build:?}" "${root:?}" "${rows:?}" "${seconds:?}" "${evhd:?}"

has_perf() {
	perf stat -x, -e raw_syscalls:sys_enter true 2>&1 |
		grep -q '^[0-9]*,.*raw_syscalls'
}

# costs_preload COMMAND...: with its allocations counted in $bench/allocs.
costs_preload() {
	rm -f "$bench/allocs"
	export EVH_ALLOCS=$bench/allocs LD_PRELOAD=$build/bench/allocs.so
	"$@"
	unset EVH_ALLOCS LD_PRELOAD
}

# costs_post NAME CONNECTIONS: figures of the server that is up.
costs_post() {
	local pid=${started[0]} before after calls perf=''
	wrk_run "$2" 1
	before="$(switches "$pid") $(allocations "$bench/allocs")"
	if has_perf; then
		perf stat -x, -e raw_syscalls:sys_enter -p "$pid" \
			-o "$bench/perf.out" sleep "$((seconds + 2))" 7>&- &
		perf=$!
	fi
	wrk_run "$2" "$seconds"
	after="$(switches "$pid") $(allocations "$bench/allocs")"
	read -r -a before <<<"$before"
	read -r -a after <<<"$after"
	figure "$1/voluntary" "$(per "$ret_requests" "${before[0]}" "${after[0]}")"
	figure "$1/involuntary" \
		"$(per "$ret_requests" "${before[1]}" "${after[1]}")"
	figure "$1/allocations" \
		"$(per "$ret_requests" "${before[2]}" "${after[2]}")"
	[[ -n $perf ]] || return 0
	wait "$perf"
	calls=$(awk -F, '/raw_syscalls/ { print $1 }' "$bench/perf.out")
	figure "$1/syscalls" "$(per "$ret_requests" 0 "$calls")"
}

round_costs() {
	local c
	# One round is enough: these hardly differ.
	(($1 == 1)) || return 0
	has_perf || say "perf may not count here: no figures of system calls"
	costs_preload bare_http_start kafka 0
	for c in 1 64 256; do
		costs_post "costs/bare/kafka/$c" "$c"
	done
	end_started
	costs_preload api_start kafka
	for c in 1 64 256; do
		costs_post "costs/evhd/kafka/$c" "$c"
	done
	end_started
	table_empty
	costs_preload api_start shipped
	for c in 1 64 256; do
		costs_post "costs/evhd/shipped/$c" "$c"
	done
	end_started
	costs_store
	costs_instructions
}

# By callgrind, without servers (scripts/instructions).
costs_instructions() {
	local path all own
	"$scripts/instructions" count >"$bench/instructions.out" ||
		die "the instructions could not be counted"
	while read -r path all own; do
		figure "costs/evhd/instructions/$path/all" "$all"
		figure "costs/evhd/instructions/$path/own" "$own"
	done <"$bench/instructions.out"
}

# The consumer, over a whole backlog, its start included.
costs_store() {
	local n calls='' what
	# shellcheck source=bench/parts/store.bash
	. "$root/bench/parts/store.bash"
	backlog new
	for what in bare evhd; do
		store_table new
		group_next
		rm -f "$bench/allocs"
		local with=(env "EVH_ALLOCS=$bench/allocs"
			"LD_PRELOAD=$build/bench/allocs.so")
		! has_perf || with=(perf stat '-x,' -e raw_syscalls:sys_enter
			-o "$bench/perf.out" "${with[@]}")
		if [[ $what == bare ]]; then
			"${with[@]}" bare_store "$(brokers)" \
				"$EVENT_HANDLER_SERVICE_TOPIC_NAME" \
				"$(conninfo)" "$rows" method=unnest \
				>/dev/null 7>&-
		else
			"${with[@]}" "$evhd" -c "$bench/consumer.conf" \
				>"$bench/consumer-1.log" 2>&1 7>&- &
			started+=($!)
			store_await consumer-1
			# perf passes no signal on: its child is told.
			read -r n <"/proc/${started[0]}/task/${started[0]}/children" ||
				true # the line has no end
			kill -TERM "${n:-${started[0]}}"
			wait "${started[0]}" || true
			started=()
		fi
		figure "costs/$what/store/allocations" \
			"$(per "$rows" 0 "$(allocations "$bench/allocs")")"
		has_perf || continue
		calls=$(awk -F, '/raw_syscalls/ { print $1 }' "$bench/perf.out")
		figure "costs/$what/store/syscalls" "$(per "$rows" 0 "$calls")"
	done
}

report_costs() {
	local c what
	table_head 'What an event costs (bare: linger 0)'
	for c in 1 64 256; do
		for what in syscalls allocations voluntary involuntary; do
			row "HTTP -> Kafka, $c connections: $what" \
				"costs/evhd/kafka/$c/$what" \
				"costs/bare/kafka/$c/$what"
			row_alone '    and the pending row' \
				"costs/evhd/shipped/$c/$what"
		done
	done
	for what in syscalls allocations; do
		row "Kafka -> PostgreSQL (bare: unnest): $what" \
			"costs/evhd/store/$what" "costs/bare/store/$what"
	done
	for what in host message http; do
		row_alone "instructions, without servers: $what" \
			"costs/evhd/instructions/$what/all"
		row_alone '    of this tree' "costs/evhd/instructions/$what/own"
	done
}
