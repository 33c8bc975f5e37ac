# shellcheck shell=bash disable=SC2034,SC2154
# A handler that does not return from some events, with a timeout: they are
# late, the others go on around them, and when it returns they have failed.
title="a handler that hangs"

# others_went_on: past those that hang, which do so still.
others_went_on() { (($(rows_with processed) >= floor)); }
# late_judged: each of them, by whatever verdict; the ledger says by which.
late_judged() {
	(($(sql -c "SELECT count(*) FROM events WHERE status <> 'pending'
		AND name = 'fault.load.hang'") == n))
}

row_run() {
	local n floor
	# No more than there are spare threads.
	n=4
	world_begin
	handler_unruly '	timeout = "1s"' "	until = \"$row_dir/go\""
	api_start
	consumers_start 2
	load_begin --run first --rate 200
	load_await 100
	load_end
	load_begin --run hang --poison hang --poison-permille 1000 \
		--connections 1 --events $n
	load_over
	load_begin --run on --rate 200 --connections 64 --keys 16
	load_await 50
	strike consumers
	floor=$(($(rows_with processed) + $(times 2000 100)))
	supervise 120 others_went_on
	((!$(rows_with failed))) || fail "one has failed that hung"
	touch "$row_dir/go"
	supervise 60 late_judged
	mended
	load_await 100
	load_end
	verify
	n=$(rows_with failed "error::text NOT LIKE '%\"timeout\"%'")
	((!n)) || fail "not zero: $n failed for another reason"
}
