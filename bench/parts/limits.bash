# shellcheck shell=bash
# limits.bash - the libraries alone: librdkafka that produces and that reads,
# PostgreSQL with all rows at hand, and the ways of bare_store, so that `store`
# compares with the best ones of this machine.
#
# EVH_BENCH_WAYS: METHOD:BATCH:WRITERS:PARSE, several with blanks.
: "${bench:?}" "${root:?}" "${rows:?}"

limits_rows=(unnest:1000:1 unnest:1000:2 unnest:5000:2 copy:1000:1 copy:5000:1
	copy:5000:2 staging:5000:1 staging:5000:2)
read -r -a limits_ways <<<"${EVH_BENCH_WAYS:-unnest:1000:1:jansson \
unnest:1000:1:scan unnest:1000:2:jansson unnest:1000:2:scan \
unnest:5000:2:scan copy:1000:1:scan copy:5000:1:jansson copy:5000:1:scan \
copy:5000:2:jansson copy:5000:2:scan staging:5000:1:scan staging:5000:2:scan}"

round_limits() {
	local way method batch writers
	# shellcheck source=bench/parts/store.bash
	. "$root/bench/parts/store.bash"
	backlog new
	bare_consume "$(brokers)" "$EVENT_HANDLER_SERVICE_TOPIC_NAME" "$rows" \
		>"$bench/consume.out"
	figure limits/bare/consume/rate \
		"$(value_named "$bench/consume.out" rate)"
	figure limits/bare/consume/cpu_us \
		"$(value_named "$bench/consume.out" cpu_us)"
	for way in "${limits_rows[@]}"; do
		IFS=: read -r method batch writers <<<"$way"
		store_table new
		bare_rows "$(conninfo)" "$rows" "$method" "$batch" "$writers" \
			>"$bench/rows.out"
		figure "limits/bare/rows/$way/rate" \
			"$(value_named "$bench/rows.out" rate)"
		figure "limits/bare/rows/$way/cpu_us" \
			"$(value_named "$bench/rows.out" cpu_us)"
	done
	for way in "${limits_ways[@]}"; do
		store_bare new "$way"
	done
}

report_limits() {
	local way
	table_head 'The libraries alone (figures in the column evhd)'
	row_alone 'librdkafka reads, messages/s' limits/bare/consume/rate
	for way in "${limits_rows[@]}"; do
		row_alone "PostgreSQL, $way, rows/s" \
			"limits/bare/rows/$way/rate"
	done
	for way in "${limits_ways[@]}"; do
		row_alone "Kafka -> PostgreSQL, $way, messages/s" \
			"store/bare/new/$way/rate"
		row_alone '    part of the time that writers waited' \
			"store/bare/new/$way/waited"
		row_alone '    peak memory, MB' "store/bare/new/$way/peak_mb"
	done
}
