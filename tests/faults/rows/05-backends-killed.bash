# shellcheck shell=bash disable=SC2034,SC2154
# A random backend of PostgreSQL ended every 2 s for 60 s, not 300: in turn by
# kill -9, which makes the whole server recover, and by being told to go.  The
# first kill takes batches that the stores have in hand.  Events are taken all
# the while.
title="a backend killed every 2 s"

# backend_any: the pid of one that works for evhd.
backend_any() {
	sql -c "SELECT pid FROM pg_stat_activity WHERE datname = '$world'
		AND application_name LIKE 'evhd/%' ORDER BY random() LIMIT 1" 2>/dev/null
}

row_run() {
	local i n pid signal until
	world_begin
	api_start
	consumers_start 2
	load_begin --rate 2000
	load_await 500
	n=$(times 31 3)
	for ((i = n; i > 0; i--)); do
		((i < n)) || batches_hold 2
		strike consumers
		signal=TERM
		((i % 2 == 0)) || signal=KILL
		until=$((SECONDS + 60))
		# One that is gone by then was not struck.
		until pid=$(backend_any) && [[ -n $pid ]] &&
			kill -"$signal" "$pid" 2>/dev/null; do
			load_runs
			((SECONDS < until)) || fail "no backend of evhd's was" \
				"there to be killed for 60 s"
			sleep 0.05
		done
		under_fault 2
		load_await 100
	done
	processed_again
	load_await 1000
	load_end
	verify
}
