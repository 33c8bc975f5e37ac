# shellcheck shell=bash disable=SC2034,SC2154
# The answer to a produce request never comes, 200 times: the broker has the
# events, the producer cannot know.  First no answer at all, until the producer
# gives up and another one sends all of it again; then each fourth is missing.
title="cut after a produce request"
row_long=yes

row_run() {
	local n until=$((SECONDS + 900))
	world_begin
	proxy_begin kafka
	api_start
	consumers_start 2
	load_begin --rate 1500
	load_await 500
	strike
	proxy_say kafka cut-after-produce 1000000 1
	until (($(counted kafka_producer_restarts '' api))); do
		load_runs
		((SECONDS < until)) || fail "the producer did not give up"
		sleep 0.1
	done
	n=$(($(proxy_figure kafka swallowed) + $(times 200 5)))
	proxy_say kafka cut-after-produce "$(times 200 5)" 4
	while (($(proxy_figure kafka swallowed) < n)); do
		load_runs
		((SECONDS < until)) || fail "only" \
			"$(proxy_figure kafka swallowed) answers were swallowed"
		sleep 0.2
	done
	mended
	load_await 500
	load_end
	verify
	figure cuts "$(proxy_figure kafka swallowed)"
}
