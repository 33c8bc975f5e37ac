# shellcheck shell=bash disable=SC2154 # port is world.bash's
# latency.bash - times at fixed rates, counted from when each was due: to the
# 201, and from POST to `processed`, with one API and one consumer, as shipped
# but for the handler; and the same with all in one process.
#
# EVH_BENCH_RATES ("500 1000 10000").
: "${bench:?}" "${seconds:?}"

read -r -a latency_rates <<<"${EVH_BENCH_RATES:-500 1000 10000}"

# pace_figures NAME RATE OPTION...
pace_figures() {
	local name=$1 rate=$2 what p
	shift 2
	pace "$port" "$rate" $((2 * seconds)) "$@" >"$bench/pace.out" || {
		cat "$bench/pace.out" >&2
		say "  $name: not every POST was answered and processed"
	}
	for what in answered processed late; do
		grep "^$what " "$bench/pace.out" >"$bench/pace.line" ||
			continue
		for p in p50 p99 p99.9; do
			figure "$name/$what-${p}_ms" \
				"$(value_named "$bench/pace.line" $p)"
		done
	done
	figure "$name/failed" "$(value_named "$bench/pace.out" failed)"
}

# The group has its partitions when the first event is processed.
latency_warm() { pace "$port" 20 1 >/dev/null; }

latency_run() {
	local name=$1 rate
	latency_warm
	for rate in "${latency_rates[@]}"; do
		pace_figures "latency/$name/$rate" "$rate"
	done
	end_started
}

round_latency() {
	local rate
	bare_http_start kafka 0
	for rate in "${latency_rates[@]}"; do
		pace_figures "latency/bare/$rate" "$rate" looks=0
	done
	end_started
	table_empty
	api_start shipped
	evhd_start consumer
	latency_run two
	table_empty
	api_start one
	latency_run one
}

report_latency() {
	local rate limit p
	declare -A limits=([1000/p50]='<= 4' [1000/p99]='<= 20'
		[10000/p99]='<= 50')
	table_head 'Times at fixed rates, ms (bare: to the 201, linger 0)'
	for rate in "${latency_rates[@]}"; do
		for p in p50 p99 p99.9; do
			row "POST to 201 at $rate/s, $p" \
				"latency/two/$rate/answered-${p}_ms" \
				"latency/bare/$rate/answered-${p}_ms"
		done
		for p in p50 p99 p99.9; do
			limit=${limits[$rate/$p]-}
			row_alone "POST to processed at $rate/s, $p" \
				"latency/two/$rate/processed-${p}_ms" "$limit"
			row_alone "    all in one process" \
				"latency/one/$rate/processed-${p}_ms"
		done
		row_alone '    the client itself was late, p99' \
			"latency/two/$rate/late-p99_ms"
		row_alone '    not answered or not processed' \
			"latency/two/$rate/failed" '<= 0'
	done
}
