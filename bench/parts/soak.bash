# shellcheck shell=bash disable=SC2154 # port and started are world.bash's
# soak.bash - API and consumer at a steady rate for a long time: does memory
# grow?  A point each minute, as a table and a picture.
#
# EVH_BENCH_SOAK_SECONDS (3600), EVH_BENCH_SOAK_RATE (5000), events a second:
# about half of what API, consumer, servers and client reach on two cores.
: "${bench:?}"

soak_seconds=${EVH_BENCH_SOAK_SECONDS:-3600}
soak_rate=${EVH_BENCH_SOAK_RATE:-5000}
soak_every=$((soak_seconds > 600 ? 60 : soak_seconds / 10 + 1))

round_soak() {
	local begin pace_pid
	(($1 == 1)) || return 0
	psql_do 'TRUNCATE events'
	api_start shipped
	evhd_start consumer
	pace "$port" 20 1 >/dev/null
	pace "$port" "$soak_rate" "$soak_seconds" looks=10 \
		>"$bench/pace.out" 7>&- &
	pace_pid=$!
	begin=$SECONDS
	: >"$bench/soak.points"
	while kill -0 "$pace_pid" 2>/dev/null; do
		printf '%s %s %s\n' $((SECONDS - begin)) \
			"$(rss_mb "${started[0]}")" "$(rss_mb "${started[1]}")" |
			tee -a "$bench/soak.points" >&2
		figure soak/evhd/api_mb "$(rss_mb "${started[0]}")"
		figure soak/evhd/consumer_mb "$(rss_mb "${started[1]}")"
		sleep "$soak_every"
	done
	wait "$pace_pid" || say "  not every POST was answered and processed"
	cat "$bench/pace.out" >&2
	figure soak/evhd/answered-p99_ms \
		"$(awk '/^answered/ { print $7 }' "$bench/pace.out")"
	figure soak/evhd/failed "$(value_named "$bench/pace.out" failed)"
	# From the tenth part on, when pools and tables have their size.
	figure soak/evhd/api_growth_mb "$(soak_growth 2)"
	figure soak/evhd/consumer_growth_mb "$(soak_growth 3)"
	picture soak 'memory over time' 'seconds' 'MB' \
		"$bench/soak.points:1:2:API" "$bench/soak.points:1:3:consumer"
	end_started
}

# soak_growth COLUMN: the mean of the last third less that of the second one.
soak_growth() {
	awk -v c="$1" '{ v[NR] = $c } END {
		for (i = int(NR / 3) + 1; i <= NR; i++)
			if (i <= 2 * NR / 3) { a += v[i]; n++ }
			else { b += v[i]; m++ }
		printf "%.2f", n && m ? b / m - a / n : 0 }' "$bench/soak.points"
}

report_soak() {
	table_head "$soak_seconds s at $soak_rate/s"
	row_alone 'API, MB' soak/evhd/api_mb
	row_alone '    grown from the second third to the last' \
		soak/evhd/api_growth_mb '<= 1'
	row_alone 'consumer, MB' soak/evhd/consumer_mb
	row_alone '    grown from the second third to the last' \
		soak/evhd/consumer_growth_mb '<= 1'
	row_alone 'POST to 201, p99, ms' soak/evhd/answered-p99_ms
	row_alone 'not answered or not processed' soak/evhd/failed '<= 0'
}
