# shellcheck shell=bash disable=SC2154 # started is world.bash's
# http.bash - HTTP -> Kafka acks=all -> 201, beside bare_http with each linger:
# without the pending row, as shipped, and with the consumer in one process.
#
# EVH_BENCH_CONNECTIONS ("1 8 64 256"), EVH_BENCH_LINGERS ("0 0.2 1").
: "${bench:?}"

read -r -a http_connections <<<"${EVH_BENCH_CONNECTIONS:-1 8 64 256}"
read -r -a http_lingers <<<"${EVH_BENCH_LINGERS:-0 0.2 1}"

# http_measure NAME CONNECTIONS...: what is up.
http_measure() {
	local name=$1 connections
	shift
	for connections; do
		post "http/$name/$connections" "$connections"
	done
	figure "http/$name/peak_mb" "$(peak_mb "${started[0]}")"
	end_started
}

round_http() {
	local linger
	bare_http_start direct
	http_measure bare/direct 64 256
	topic_next
	api_start direct
	http_measure evhd/direct 64 256
	for linger in "${http_lingers[@]}"; do
		bare_http_start kafka "$linger"
		http_measure "bare/linger-$linger" "${http_connections[@]}"
	done
	api_start kafka
	http_measure evhd/kafka "${http_connections[@]}"
	table_empty
	api_start shipped
	http_measure evhd/shipped "${http_connections[@]}"
	table_empty
	api_start one
	http_measure evhd/one "${http_connections[@]}"
}

# http_best CONNECTIONS [LINGER...]: the bare one that did best there.
http_best() {
	local connections=$1 linger names=()
	shift
	for linger; do
		names+=("http/bare/linger-$linger/$connections")
	done
	best_of "${names[@]}"
}

report_http() {
	local c best p99
	table_head "HTTP, requests/s: the best linger of ${http_lingers[*]} is bare"
	for c in 64 256; do
		row "answered at once, $c connections" \
			"http/evhd/direct/$c/rate" "http/bare/direct/$c/rate"
	done
	for c in "${http_connections[@]}"; do
		best=$(http_best "$c" "${http_lingers[@]}")
		p99=
		((c < 64)) || p99='<= 1.3'
		row "Kafka acks=all, $c connections (${best#http/bare/})" \
			"http/evhd/kafka/$c/rate" "$best/rate" '>= 0.9'
		row '    CPU us per event' "http/evhd/kafka/$c/cpu_us" \
			"$best/cpu_us" "${p99:+<= 1.2}"
		row '    p50, ms' "http/evhd/kafka/$c/p50_ms" "$best/p50_ms"
		row '    p99, ms' "http/evhd/kafka/$c/p99_ms" \
			"$best/p99_ms" "$p99"
		row '  and the pending row (bare: without)' \
			"http/evhd/shipped/$c/rate" "$best/rate" '>= 0.5'
		row_alone '    CPU us per event' "http/evhd/shipped/$c/cpu_us"
		row_alone '    p99, ms' "http/evhd/shipped/$c/p99_ms"
		row '  the consumer in the same process (bare: without)' \
			"http/evhd/one/$c/rate" "$best/rate"
	done
	row 'peak memory without the row, MB' http/evhd/kafka/peak_mb \
		"http/bare/linger-${http_lingers[0]}/peak_mb"
}
