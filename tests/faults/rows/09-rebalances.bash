# shellcheck shell=bash disable=SC2034,SC2154
# Consumers join, leave and die until there were 200 rebalances: a move each
# half second, not each 3 s.
title="200 rebalances"

row_run() {
	local i name move=0 n
	world_begin
	handler_add slow '	plugin = "sleep"' '	time = "20ms"'
	api_start
	consumers_start 2
	load_begin --rate 1000
	load_await 500
	n=$(times 200 10)
	for ((i = 1; i <= n; i++)); do
		name=consumer-$((i % 3 + 2))
		move=$((move + 1))
		strike consumers
		if [[ -z ${evhd_pid[$name]-} ]]; then
			evhd_start "$name" consumer
			evhd_ready "$name"
		elif ((move % 4)); then
			evhd_stop "$name"
		else
			evhd_kill "$name"
		fi
		mended
		under_fault 1
	done
	load_end
	verify
	figure moves "$n"
}
