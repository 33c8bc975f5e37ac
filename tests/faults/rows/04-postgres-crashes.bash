# shellcheck shell=bash disable=SC2034,SC2154
# PostgreSQL stopped as by a crash (pg_ctl stop -m immediate) 5 times, away for
# 10 s each, not 60: what queues meanwhile is bounded by windows, not by time.
# Events are taken all the while, since the table is optional to the API.  When
# it crashes, it has batches in hand, not of the API alone.
title="PostgreSQL crashes"

row_run() {
	local i
	world_begin
	api_start
	consumers_start 2
	load_begin --rate 2000
	load_await 500
	for ((i = $(times 5 1); i > 0; i--)); do
		batches_hold 2
		strike consumers
		servers_do kill-postgres
		under_fault "$(times 10 3)"
		load_await 100
		servers_do start-postgres
		processed_again
		load_await 1000
	done
	load_end
	verify
}

row_mend() { servers_do start-postgres; }
