# shellcheck shell=bash disable=SC2034,SC2154
# A handler that crashes the process at one event in some hundred, 10 times,
# and somebody starts it again: each of these is dead after three ends, and none
# of those that were in hand beside it.
title="a handler that crashes"

dead_by_now() {
	((ends < 12 * i)) ||
		fail "not zero: evhd ended $ends times for $i events"
	(($(rows_with failed) == i))
}

row_run() {
	local i n
	n=$(times 10 2)
	world_begin
	members_static
	state_dir=$row_dir/state
	handler_unruly
	api_start
	consumers_start 2
	load_begin --rate 200
	load_await 100
	for ((i = 1; i <= n; i++)); do
		strike consumers
		posted "crash-$i" crash
		supervise 120 dead_by_now 139
		mended
		load_await 100
	done
	load_end
	supervise 120 settled 139
	verify
	figure ends "$ends"
	((ends >= 3 * n)) || fail "evhd ended $ends times only"
	n=$(rows_with failed "error::text NOT LIKE
		'%the process ended 3 times%'")
	((!n)) || fail "not zero: $n failed for another reason"
}
