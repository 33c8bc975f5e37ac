# shellcheck shell=bash disable=SC2034,SC2154
# Consumers join, leave and die until there were 200 rebalances, as the one
# counts that stays: a move each second, not each 3 s, so that some of them
# share a rebalance.  Who dies has just given up its partitions, with events in
# hand that take longer than it waits for them: the next owner has them, too.
title="200 rebalances"
row_long=yes

# dies NAME: right after it has given its partitions up, for one that joins; or
# leaves, when it came into a rebalance that was under way.
dies() {
	local before until=$((SECONDS + 60))
	before=$(counted kafka_rebalances '' "$1")
	evhd_start consumer-5 consumer
	until (($(counted kafka_rebalances '' "$1") > before)); do
		load_runs
		((SECONDS < until)) || fail "$1 gave nothing up within 60 s"
		if [[ -n ${evhd_pid[consumer-5]-} ]] && curl -fs -m 5 \
			-o /dev/null "${evhd_url[consumer-5]}"; then
			evhd_stop consumer-5
		fi
	done
	evhd_kill "$1"
	if [[ -n ${evhd_pid[consumer-5]-} ]]; then
		evhd_ready consumer-5
		evhd_stop consumer-5
	fi
}

row_run() {
	local i=0 name before n
	world_begin
	handler_add slow '	plugin = "sleep"' '	time = "900ms"' \
		'	match = "fault.load.slow"'
	conf_add consumer '^	group = ' '	revoke_timeout = "100ms"'
	api_start
	consumers_start 2
	load_begin --rate 800 --keys 16 --poison slow --poison-permille 200
	load_await 500
	n=$(times 200 8)
	before=$(counted kafka_rebalances '' consumer-1)
	# By the fourth move somebody has died.
	until ((i >= 4 && $(counted kafka_rebalances '' consumer-1) - before >= n)); do
		i=$((i + 1))
		((i <= 3 * n)) || fail "$((3 * n)) moves caused only" \
			"$(($(counted kafka_rebalances '' consumer-1) - before)) rebalances"
		name=consumer-$((i % 3 + 2))
		strike consumers
		if [[ -z ${evhd_pid[$name]-} ]]; then
			evhd_start "$name" consumer
			evhd_ready "$name"
		elif ((i % 2)); then
			evhd_stop "$name"
		else
			dies "$name"
		fi
		mended
		under_fault 1
	done
	load_end
	figure rebalances $(($(counted kafka_rebalances '' consumer-1) - before))
	figure moves "$i"
	verify
}
