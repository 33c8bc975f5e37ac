# shellcheck shell=bash disable=SC2034,SC2154
# The answer to a COMMIT never comes, 200 times: the server has committed, the
# consumers' store cannot know.  Each third answer, so that there is progress in
# between.  It writes the rows again, and fails none of them.
title="cut after COMMIT"

row_run() {
	local n reconnects failed until=$((SECONDS + 300))
	n=$(times 200 15)
	world_begin
	# The consumers' way to the table alone is by the proxy: the API's rows
	# are optional, and no cut is spent on them.
	proxy_begin pg
	sed -i 's/EVENT_HANDLER_SERVICE_POSTGRES_PORT/EVH_FAULT_STORE_PORT/' \
		"$row_dir/consumer.conf"
	export EVH_FAULT_STORE_PORT=$EVENT_HANDLER_SERVICE_POSTGRES_PORT
	export EVENT_HANDLER_SERVICE_POSTGRES_PORT=$PGPORT
	api_start
	consumers_start 2
	load_begin --rate 1500
	load_await 500
	strike consumers
	proxy_say pg cut-after-commit "$n" 3
	while (($(proxy_figure pg swallowed) < n)); do
		load_runs
		((SECONDS < until)) || fail "only" \
			"$(proxy_figure pg swallowed) answers were swallowed"
		sleep 0.2
	done
	processed_again
	load_await 500
	load_end
	# Who fails what he does not know may fail it for ever: asked first.
	failed=$(counted store_rows 'status="failed"')
	((!failed)) || fail "not zero: $failed rows were written as failed"
	caught_up 120
	reconnects=$(counted store_reconnects)
	verify
	((reconnects >= n)) || fail "the consumers' store was cut off" \
		"$reconnects times, not $n"
	figure cuts "$(proxy_figure pg swallowed)"
	figure reconnects "$reconnects"
}
