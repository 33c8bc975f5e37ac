# shellcheck shell=bash disable=SC2034,SC2154
# A handler that crashes the process at 1 % of the events, somebody starts it
# again: each of these is dead after three ends, and none of those that were
# in hand beside it.
title="a handler that crashes"

all_dead() { (($(rows_with failed) == n)); }

row_run() {
	local n
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
	strike consumers
	supervise 400 all_dead 139
	mended
	load_await 100
	load_end
	verify
	figure ends "$ends"
	((ends >= 3 && n)) || fail "evhd ended $ends times only, for $n events"
	n=$(rows_with failed "error::text NOT LIKE
		'%the process ended 3 times%'")
	((!n)) || fail "not zero: $n failed for another reason"
}
