# shellcheck shell=bash disable=SC2034,SC2154
# A handler that never returns, with on_timeout = "abort": evhd ends, somebody
# starts it again, and after three such ends the event is dead.
title="a handler that never returns"

all_dead() { (($(rows_with failed) == n)); }

row_run() {
	local n
	n=$(times 6 1)
	world_begin
	members_static
	state_dir=$row_dir/state
	handler_unruly '	timeout = "1s"' '	on_timeout = "abort"'
	api_start
	consumers_start 2
	load_begin --run first --rate 200
	load_await 100
	load_end
	load_begin --run hang --poison hang --poison-permille 1000 \
		--connections 1 --events "$n"
	load_over
	load_begin --run on --rate 200
	load_await 50
	strike consumers 70
	supervise 300 all_dead 70
	mended
	load_await 100
	load_end
	supervise 120 settled 70
	verify
	figure ends "$ends"
	((ends >= 3 * n)) || fail "not zero: evhd ended $ends times for $n events"
	n=$(rows_with failed "error::text NOT LIKE
		'%\"timeout\"%the process ended 3 times%'")
	((!n)) || fail "not zero: $n failed for another reason"
}
