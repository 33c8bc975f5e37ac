# shellcheck shell=bash disable=SC2034,SC2154
# A handler that crashes the process at 1 % of the events, which lie near one
# another, and somebody starts it again: each of these is dead after three ends,
# and none of those that were in hand beside it.  Several may share their first
# end, while nobody knows which of them was the cause; the other two are each
# one's own.  None is tried again once it is dead, though it comes again with
# each crash until its offset is committed.
title="a handler that crashes"

all_dead() {
	((ends <= 3 * n)) ||
		fail "not zero: evhd ended $ends times for $n events"
	(($(rows_with failed) >= n))
}

row_run() {
	local n others
	world_begin
	members_static
	state_dir=$row_dir/state
	handler_unruly
	api_start
	consumers_start 2
	load_begin --run first --rate 200
	load_await 100
	load_end
	load_begin --run crash --poison crash --poison-permille "$(times 10 20)" \
		--rate 200 --events "$(times 1000 200)"
	load_over
	n=$(poisoned crash)
	load_begin --run on --rate 200
	load_await 50
	# The consumers are down by now, with what they had in hand.
	strike
	supervise 400 all_dead 139
	mended
	load_await 100
	load_end
	supervise 120 settled 139
	verify
	figure ends "$ends"
	((n >= 2 && ends > 2 * n && ends <= 3 * n)) ||
		fail "not zero: evhd ended $ends times for $n events"
	others=$(rows_with failed "error::text NOT LIKE
		'%the process ended 3 times%'")
	((!others)) || fail "not zero: $others failed for another reason"
}
