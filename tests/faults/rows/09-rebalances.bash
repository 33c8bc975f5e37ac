# shellcheck shell=bash disable=SC2034,SC2154
# Consumers join, leave and die until there were 200 rebalances, as the one
# counts that stays: a move each second, not each 3 s, so that some of them
# share a rebalance.
title="200 rebalances"

row_run() {
	local i=0 name before n
	world_begin
	handler_add slow '	plugin = "sleep"' '	time = "20ms"'
	api_start
	consumers_start 2
	load_begin --rate 1000
	load_await 500
	n=$(times 200 10)
	before=$(counted kafka_rebalances '' consumer-1)
	until (($(counted kafka_rebalances '' consumer-1) - before >= n)); do
		i=$((i + 1))
		((i <= 3 * n)) || fail "$((3 * n)) moves caused only" \
			"$(($(counted kafka_rebalances '' consumer-1) - before)) rebalances"
		name=consumer-$((i % 3 + 2))
		strike consumers
		if [[ -z ${evhd_pid[$name]-} ]]; then
			evhd_start "$name" consumer
			evhd_ready "$name"
		elif ((i % 4)); then
			evhd_stop "$name"
		else
			evhd_kill "$name"
		fi
		mended
		under_fault 1
	done
	load_end
	figure rebalances $(($(counted kafka_rebalances '' consumer-1) - before))
	figure moves "$i"
	verify
}
