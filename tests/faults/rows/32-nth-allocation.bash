# shellcheck shell=bash disable=SC2034,SC2154
# The N-th allocation fails, in an API that starts and takes one event, and in
# a consumer that starts and processes one: each works on, or ends by an exit
# code that says so, never by a signal, and what was answered is there.
title="the N-th allocation fails"
row_strikes=

# alloc_numbers: each N, dense at first, up to 1000: evhd and its plugins ask
# about 800 times.
alloc_numbers() {
	local i
	for ((i = 1; i <= 1000; i = (i * $(times 106 220) + 99) / 100)); do
		printf '%s\n' $i
	done
}

# comes NAME URL: whether it says 200 before it ends; what hangs fails the row.
comes() {
	local until=$((SECONDS + 60))
	until curl -fs -m 5 -o /dev/null "$2"; do
		kill -0 "${evhd_pid[$1]}" 2>/dev/null || return 1
		((SECONDS < until)) || fail "$1 neither works nor ends when" \
			"allocation $number fails: $(curl -s -m 2 "$2")"
		sleep 0.05
	done
}

# attempt NAME CONFIG: with the N-th allocation failing; ends it.
attempt() {
	evhd_with=(env LD_PRELOAD="$build/faults/alloc_fail.so"
		EVH_ALLOC_FAIL="$number")
	evhd_start "$1" "$2"
	evhd_with=()
	if comes "$1" "${evhd_url[$1]}"; then
		worked=$((worked + 1))
		"$2_used"
	fi
	kill -TERM "${evhd_pid[$1]}" 2>/dev/null || true
	evhd_wait "$1" "$exit_limit"
	((ret_code < 128)) || fail "$1 was ended by signal" \
		$((ret_code - 128)) "when allocation $number failed"
	((!ret_code)) || ended=$((ended + 1))
}

api_used() { posted "api-$number" -; }
consumer_used() {
	local until=$((SECONDS + 60))
	until (($(sql -c "SELECT count(*) FROM events WHERE status <> 'pending'
		AND data->>'k' = 'consumer-$number'"))); do
		kill -0 "${evhd_pid[consumer-1]}" 2>/dev/null || return 0
		((SECONDS < until)) || fail "a consumer does not process when" \
			"allocation $number fails"
		sleep 0.05
	done
}

row_run() {
	local number worked=0 ended=0
	world_begin
	members_static
	api_port=$(port_next)
	for number in $(alloc_numbers); do
		attempt api api
	done
	api_start
	for number in $(alloc_numbers); do
		posted "consumer-$number" -
		attempt consumer-1 consumer
	done
	consumers_start 1
	posted last -
	verify
	figure tried "$(($(alloc_numbers | wc -l) * 2))"
	figure failed "$(cat "$row_dir"/*.log | grep -c '^alloc_fail: number')"
	figure worked_on "$worked"
	figure ended_with_a_code "$ended"
}
