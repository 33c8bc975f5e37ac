# shellcheck shell=bash disable=SC2034,SC2154
# The same crashes with isolate = "process": evhd itself never ends, and the
# event is dead after three ends of the handler's process.
title="an isolated handler crashes"

all_dead() { (($(rows_with failed) >= n)); }

row_run() {
	local n
	world_begin
	handler_unruly '	isolate = "process"'
	api_start
	consumers_start 2
	load_begin --run first --rate 200
	load_await 100
	load_end
	load_begin --run crash --poison crash --poison-permille 10 \
		--rate 200 --events "$(times 5000 400)"
	strike consumers
	load_over
	n=$(poisoned crash)
	load_begin --run on --rate 200
	supervise 300 all_dead
	mended
	load_await 100
	load_end
	verify
	figure crashed "$n"
	((n)) || fail "nothing crashed"
	n=$(rows_with failed "error::text NOT LIKE '%ended by signal 11%'")
	((!n)) || fail "not zero: $n failed for another reason"
	n=$(rows_with failed "attempts <> 3")
	((!n)) || fail "not zero: $n failed after less or more than three ends"
}
