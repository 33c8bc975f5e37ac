# shellcheck shell=bash disable=SC2034,SC2154
# The answer to a produce request never comes, 200 times: the broker has the
# events, the producer cannot know.  Each fourth answer.
title="cut after a produce request"

row_run() {
	local n until=$((SECONDS + 300))
	n=$(times 200 15)
	world_begin
	proxy_begin kafka
	api_start
	consumers_start 2
	load_begin --rate 1500
	load_await 500
	strike
	proxy_say kafka cut-after-produce "$n" 4
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
