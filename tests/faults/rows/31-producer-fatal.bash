# shellcheck shell=bash disable=SC2034,SC2154
# The idempotent producer fails for good, 50 times: the broker has taken what it
# was sent, and the proxy turns its answer into "out of order sequence number",
# by which librdkafka gives the producer up.  Each time there is another one.
title="the producer's fatal error"

# restarts: of producers, as the API counts.
restarts() { counted kafka_producer_restarts '' api; }

row_run() {
	local i n until
	n=$(times 50 2)
	world_begin
	proxy_begin kafka
	api_start
	consumers_start 2
	load_begin --rate 1500
	load_await 500
	for ((i = 1; i <= n; i++)); do
		strike
		proxy_say kafka fail-produce 1
		until=$((SECONDS + 60))
		until (($(restarts) >= i)); do
			load_runs
			((SECONDS < until)) || fail "the producer was not" \
				"made anew, or $(restarts) times only"
			sleep 0.05
		done
		mended
		load_await 200
	done
	load_end
	verify
	figure restarts "$n"
	figure spoilt "$(proxy_figure kafka swallowed)"
}
