# shellcheck shell=bash
# load.bash - the load of a row, its ledger, and the verdict over it.
: "${build:?}" "${row_dir:?}" "${work:?}" "${api_port=}"
: "${brokers=}" "${world=}"

load_pid=
strikes=0 # of the load that runs
ret_struck=0 # of strike_tell
struck_least=-1 # in flight at a strike, the least of all strikes
slowest_recovery=0 # ms, from a mended() to the next 2xx
drain_limit=${EVH_FAULT_DRAIN:-120} # seconds, with no less on its way
row_excuses= # of load_judge's figures: those that this row's fault brings about

# load_figure NAME: of the load's state of now.
load_figure() {
	local state
	state=$(<"$row_dir/state.json")
	[[ $state =~ \"$1\":([0-9.]+) ]] || fail "the load's state has no $1"
	printf '%s\n' "${BASH_REMATCH[1]}"
}

# load_begin OPTION...: of fault_load, which runs until load_end.
load_begin() {
	rm -f "$row_dir/state.json"
	strikes=0
	"$build/faults/fault_load" --ports "${api_ports:-$api_port}" \
		--ledger "$row_dir/ledger" --state "$row_dir/state.json" \
		"$@" >>"$row_dir/load.json" \
		2>>"$row_dir/load.log" &
	load_pid=$!
	until [[ -s $row_dir/state.json ]]; do
		load_runs
		sleep 0.02
	done
}

load_runs() {
	kill -0 "$load_pid" 2>/dev/null ||
		fail "the load has ended: $(tail -n 1 "$row_dir/load.log")"
}

# load_await N [SECONDS]: until N more 2xx have come, from now.
load_await() { figure_await 2xx "$@"; }

# figure_await NAME N [SECONDS]: until a figure of the load has grown by N.
figure_await() {
	local until=$((SECONDS + ${3:-60})) target
	target=$(($(load_figure "$1") + $2))
	while (($(load_figure "$1") < target)); do
		load_runs
		((SECONDS < until)) ||
			fail "$1 has not grown by $2 in ${3:-60} s"
		sleep 0.02
	done
}

# strike [consumers [CODE...]]: says that the fault comes now.  Waits until
# something is in flight, in the API, or in what the fault is about: a fault that
# strikes nothing proves nothing.  With codes, as evhd_revive, where consumers end
# by themselves meanwhile.
strike() {
	local n=0 until=$((SECONDS + 60)) what=${1-}
	shift || true
	while ((!n)); do
		load_runs
		(($# == 0)) || evhd_revive "$@"
		if [[ $what == consumers ]]; then
			n=$(consumers_in_flight)
		else
			strike_tell
			n=$ret_struck
		fi
		((SECONDS < until)) || fail "nothing was in flight to strike"
	done
	[[ $what != consumers ]] || strike_tell
	((struck_least >= 0 && struck_least <= n)) || struck_least=$n
}

# strike_tell: the load hears of a strike; what it had in flight at that very
# moment is in ret_struck.
strike_tell() {
	local before
	before=$(load_figure in_flight_sum)
	strikes=$((strikes + 1))
	kill -USR1 "$load_pid"
	until (($(load_figure strikes) >= strikes)); do
		load_runs
		sleep 0.01
	done
	ret_struck=$(($(load_figure in_flight_sum) - before))
}

# mended [SECONDS]: all is well again; the next 2xx comes within that time (30).
mended() {
	local begin=${EPOCHREALTIME/./} took_ms
	kill -USR2 "$load_pid"
	figure_await after 1 "${1:-30}"
	took_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	((took_ms <= slowest_recovery)) || slowest_recovery=$took_ms
}

# effects_done: of all effects that events had, so far; empty: not to be known.
effects_done() {
	sql -c 'SELECT coalesce(max(seq), 0) FROM fault_effects' 2>/dev/null ||
		true
}

# processed_again [SECONDS]: mended() for what strikes the table, which an API
# needs not: all is well when one more event has had its effect there.
processed_again() {
	local begin=${EPOCHREALTIME/./} until=$((SECONDS + ${1:-60}))
	local before='' now='' took_ms
	kill -USR2 "$load_pid"
	until [[ -n $before && -n $now ]] && ((now > before)); do
		load_runs
		((SECONDS < until)) ||
			fail "no event was processed within ${1:-60} s"
		[[ -n $before ]] || before=$(effects_done)
		now=$(effects_done)
	done
	took_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	((took_ms <= slowest_recovery)) || slowest_recovery=$took_ms
}

# caught_up SECONDS: until the group has committed all that is in the topic; it
# may take as long as it comes nearer within that time.
caught_up() {
	local until=$((SECONDS + $1)) lag least=
	until lag=$("$build/faults/fault_topic" "$brokers" lag "$world" \
		"$world") && [[ $lag == 0 ]]; do
		if [[ -n $lag ]] && ((${least:-lag + 1} > lag)); then
			least=$lag
			until=$((SECONDS + $1))
		fi
		((SECONDS < until)) ||
			fail "the group is ${lag:-unknown} behind for $1 s"
		sleep 0.3
	done
}

# under_fault SECONDS: the fault lasts, the load goes on.
under_fault() {
	local until=$((SECONDS + $1))
	while ((SECONDS < until)); do
		load_runs
		sleep 0.1
	done
}

# load_end: each event that is open gets its 2xx; the figures are in load.json.
# load_over: waits for one that has its number of events.
load_end() {
	kill -TERM "$load_pid"
	load_over
}
load_over() {
	local rc=0
	wait "$load_pid" || rc=$?
	load_pid=
	((!rc)) || fail "the load ended with $rc:" \
		"$(tail -n 1 "$row_dir/load.log")"
	load_judge
	rc=$(jq -s 'map(.hung) | add' "$row_dir/load.json")
	((!rc)) || fail "$rc requests had no answer within their deadline"
	rc=$(jq -s 'map(.unknown) | add' "$row_dir/load.json")
	((!rc)) || fail "$rc events had no 2xx by the end of their load"
}

# posted KEY KIND: one event beside the load, in its ledger; what has no answer
# is neither there nor not.  KIND: "-" or a word of poison.
posted() {
	local id name=fault.load
	[[ $2 == - ]] || name+=.$2
	printf 'sent %s 0 %s\n' "$1" "$2" >>"$row_dir/ledger"
	id=$(curl -s -m 20 "http://127.0.0.1:$api_port/api/v1/events" \
		-H "Idempotency-Key: $1" -H 'Content-Type: application/json' \
		-d '{"name":"'"$name"'","data":{"k":"'"$1"'","n":0}}' |
		jq -r '.id // empty') || return 0
	[[ -z $id ]] || printf 'taken %s 0 %s\n' "$1" "$id" \
		>>"$row_dir/ledger"
}

# settled: what the load was told has been processed, and committed.
settled() {
	((!$(rows_with pending))) &&
		[[ $("$build/faults/fault_topic" "$brokers" lag "$world" \
			"$world") == 0 ]]
}

# load_judge: an API that lives answers each request, by 2xx or 503.  Broken are
# connections that ended without an answer, other are other answers.
load_judge() {
	local name n
	for name in broken other; do
		[[ " $row_excuses " != *" $name "* ]] || continue
		n=$(jq -s "map(.$name) | add" "$row_dir/load.json")
		((!n)) || fail "not zero: $n requests were $name"
	done
}

# verify [OPTION...]: drains, ends every evhd, which must go with 0 and in
# time, and has the ledger compared: the row's verdict.
verify() {
	local rc=0
	"$build/faults/fault_verify" --ledger "$row_dir/ledger" \
		--drain "$drain_limit" "$@" >"$row_dir/verdict.json" \
		2>>"$row_dir/verify.log" || rc=$?
	if ((!rc)); then
		evhd_stop_all
		"$build/faults/fault_verify" --ledger "$row_dir/ledger" \
			--drain 0 "$@" >"$row_dir/verdict.json" \
			2>>"$row_dir/verify.log" || rc=$?
	fi
	((rc < 2)) || fail "the ledger could not be compared:" \
		"$(tail -n 1 "$row_dir/verify.log")"
	((!rc)) || fail "not zero: $(jq -r '[to_entries[] |
		select(.value | type == "object") | select(.value.count > 0) |
		"\(.key) \(.value.count) (\(.value.ids[0:3] | join(" ")))"] |
		join(", ")' "$row_dir/verdict.json")"
}
