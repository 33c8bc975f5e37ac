# shellcheck shell=bash disable=SC2154 # port and started are world.bash's
# start.bash - from the start of evhd to READY=1, with servers up; and what the
# API holds in memory with 1000 connections.
: "${bench:?}" "${evhd:?}" "${seconds:?}"

round_start() {
	local conf again
	topic_next
	topic_create ''
	EVENT_HANDLER_SERVICE_API_PORT=$(port_free 18000)
	export EVENT_HANDLER_SERVICE_API_PORT
	for conf in shipped consumer; do
		for again in 1 2 3; do
			say "  start $again of 3"
			group_next
			ready "$evhd" -c "$bench/$conf.conf" >"$bench/ready.out" \
				2>"$bench/$conf.log"
			figure "start/$conf/ready_ms" \
				"$(value_named "$bench/ready.out" wall_ms)"
			figure "start/$conf/own_ms" \
				"$(value_named "$bench/ready.out" cpu_ms)"
		done
	done
	api_start shipped
	figure start/memory/idle_mb "$(rss_mb "${started[0]}")"
	wrk_run 1000 "$seconds"
	figure start/memory/1000_rate "$ret_rate"
	figure start/memory/1000_mb "$(peak_mb "${started[0]}")"
	end_started
}

report_start() {
	table_head 'Start, and memory'
	row_alone 'API from start to ready, ms' start/shipped/ready_ms '<= 300'
	row_alone '    its own CPU until then, ms' start/shipped/own_ms '<= 30'
	row_alone 'consumer from start to ready, ms' start/consumer/ready_ms \
		'<= 300'
	row_alone '    its own CPU until then, ms' start/consumer/own_ms '<= 30'
	row_alone 'API at rest, MB' start/memory/idle_mb
	row_alone 'API, peak with 1000 connections, MB' start/memory/1000_mb \
		'<= 32'
}
