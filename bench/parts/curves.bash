# shellcheck shell=bash disable=SC2154 # some are world.bash's
# curves.bash - how cost grows, each curve as a table and a picture.
#
# EVH_BENCH_CURVES: those of connections, body, window, chain, workers,
# pipelines, backlog, partitions that are wanted (all).  EVH_BENCH_BACKLOGS
# ("1000 10000 100000 1000000"; 10000000 takes some minutes more).
# EVH_BENCH_CURVE_ROWS (200000): what is consumed for a point.
# EVH_BENCH_MATRIX=yes: connections also with each body.
: "${bench:?}" "${build:?}" "${seconds:?}" "${root:?}"

read -r -a curves <<<"${EVH_BENCH_CURVES:-connections body window chain \
workers pipelines backlog partitions}"
read -r -a curve_backlogs <<<"${EVH_BENCH_BACKLOGS:-1000 10000 100000 1000000}"
curve_rows=${EVH_BENCH_CURVE_ROWS:-200000}
curve_bodies=(100 1000 10000 100000)
curve_connections=(1 2 4 8 16 32 64 128 256 512 1000)

# ---- HTTP --------------------------------------------------------------------

curve_connections() {
	local c
	bare_http_start kafka 0
	for c in "${curve_connections[@]}"; do
		post "curves/connections/bare/$c" "$c"
	done
	end_started
	api_start kafka
	for c in "${curve_connections[@]}"; do
		post "curves/connections/evhd/$c" "$c"
	done
	end_started
}

curve_body() {
	local c size connections=(64)
	[[ ${EVH_BENCH_MATRIX-} != yes ]] || connections=(1 8 64 256 1000)
	for size in "${curve_bodies[@]}"; do
		body_write "$size"
		bare_http_start kafka 0
		for c in "${connections[@]}"; do
			post "curves/body-$c/bare/$size" "$c"
		done
		end_started
		api_start kafka
		for c in "${connections[@]}"; do
			post "curves/body-$c/evhd/$size" "$c"
		done
		end_started
	done
	body_write 200
}

# ---- The host alone ----------------------------------------------------------

# curve_host NAME: the one point of $bench/host.conf.
curve_host() {
	host_run
	figure "$1/cpu_ns" "$ret_cpu_ns"
	figure "$1/rate" "$(awk -v ns="$ret_wall_ns" \
		'BEGIN { printf "%.0f", 1e9 / ns }')"
}

curve_window() {
	local n
	for n in 64 256 1000 4000 16000; do
		host_config "$host_events" 3 2 "$n" >"$bench/host.conf"
		curve_host "curves/window/evhd/$n"
	done
}

curve_chain() {
	local n
	for n in 1 2 4 8 16 32; do
		host_config "$host_events" "$n" >"$bench/host.conf"
		curve_host "curves/chain/evhd/$n"
	done
}

curve_workers() {
	local n
	for n in 0 1 2 4 8 16; do
		host_config "$host_events" 3 "$n" >"$bench/host.conf"
		curve_host "curves/workers/evhd/$n"
	done
}

# Each pipeline takes the events of one name: what routing costs.
curve_pipelines() {
	local n i
	for n in 1 2 5 10 20 50; do
		{
			printf 'source "spout" { plugin = "%s"\n' \
				"$build/bench/spout.so"
			printf 'count = %s\nnames = %s }\n' "$host_events" "$n"
			printf 'sink "drain" { plugin = "%s" }\n' \
				"$build/bench/drain.so"
			for ((i = 0; i < n; i++)); do
				printf 'pipeline "p%s" { match = { "n%s" }\n' \
					"$i" "$i"
				printf 'chain = { "spout", "drain" }\n'
				printf 'on_fail = { "drain" }\nworkers = 0 }\n'
			done
		} >"$bench/host.conf"
		curve_host "curves/pipelines/evhd/$n"
	done
}

# ---- Kafka -> PostgreSQL -----------------------------------------------------

# curve_consume NAME: what is in the topic, by evhd and by hand.
curve_consume() {
	local rows=$curve_rows store_expected=$curve_rows
	psql_do 'DELETE FROM events WHERE kafka_topic IS NOT NULL'
	psql_do 'VACUUM ANALYZE events'
	psql_do CHECKPOINT
	bare_store "$(brokers)" "$EVENT_HANDLER_SERVICE_TOPIC_NAME" \
		"$(conninfo)" "$rows" method=unnest writers=2 parse=scan \
		>"$bench/bare_store.out"
	figure "curves/$1/bare/$2/rate" "$(rows_rate "$curve_rows")"
	psql_do 'DELETE FROM events WHERE kafka_topic IS NOT NULL'
	psql_do 'VACUUM ANALYZE events'
	psql_do CHECKPOINT
	group_next
	evhd_start consumer consumer-1
	store_await consumer-1
	figure "curves/$1/evhd/$2/rate" "$(rows_rate "$curve_rows")"
	figure "curves/$1/evhd/$2/peak_mb" "$(peak_mb "${started[0]}")"
	end_started
}

curve_topic() {
	topic_next
	topic_create "$1"
	fill "$(brokers)" "$EVENT_HANDLER_SERVICE_TOPIC_NAME" "$curve_rows" \
		>/dev/null
}

curve_backlog() {
	local n had=0
	curve_topic ''
	psql_do 'TRUNCATE events'
	for n in "${curve_backlogs[@]}"; do
		psql_do "INSERT INTO events (id, name, data, status, created_at,
			processed_at) SELECT ('01900000-0000-7000-8000-' ||
			lpad(to_hex(i), 12, '0'))::uuid, 'user.created', '{}',
			'processed', now(), now()
			FROM generate_series($had + 1, $n) AS s (i)"
		had=$n
		curve_consume backlog "$n"
	done
	psql_do 'TRUNCATE events'
}

curve_partitions() {
	local n
	psql_do 'TRUNCATE events'
	for n in 1 6 12 30 60; do
		curve_topic "$n"
		curve_consume partitions "$n"
	done
}

# ------------------------------------------------------------------------------

round_curves() {
	local curve
	# shellcheck source=bench/parts/store.bash
	. "$root/bench/parts/store.bash"
	# shellcheck source=bench/parts/host.bash
	. "$root/bench/parts/host.bash"
	for curve in "${curves[@]}"; do
		"curve_$curve"
	done
}

# points CURVE MEASURE: lines of x, evhd, bare; "-" where there is none.
points() {
	local x bare
	while read -r x; do
		bare=$(median_of "curves/$1/bare/$x/$2")
		printf '%s %s %s\n' "$x" \
			"$(median_of "curves/$1/evhd/$x/$2")" "${bare:--}"
	done < <(awk -F'[/ ]' -v curve="$1" '
		$1 == "curves" && $2 == curve { print $4 }' "$bench/figures" |
		sort -nu)
}

# report_curve CURVE MEASURE TITLE X-LABEL Y-LABEL
report_curve() {
	local file=$bench/$1.points lines=()
	points "$1" "$2" >"$file"
	[[ -s $file ]] || return 0
	printf '\n%s\n%12s %14s %14s\n' "$3: $5" "$4" evhd bare
	awk '{ printf "%12s %14s %14s\n", $1, $2, $3 }' "$file"
	lines=("$file:1:2:evhd")
	awk '$3 != "-" { found = 1 } END { exit !found }' "$file" &&
		lines+=("$file:1:3:bare")
	if [[ $1 == workers ]]; then
		picture "$1" "$3" "$4" "$5" "${lines[@]}"
	else
		picture --log "$1" "$3" "$4" "$5" "${lines[@]}"
	fi
}

report_curves() {
	local c
	report_curve connections rate 'HTTP to Kafka' connections 'requests/s'
	for c in 1 8 64 256 1000; do
		report_curve "body-$c" rate "HTTP to Kafka, $c connections" \
			'bytes of a body' 'requests/s'
	done
	report_curve window cpu_ns 'The window, two workers' 'events in flight' \
		'CPU ns per event'
	report_curve chain cpu_ns 'Handlers that do nothing' handlers \
		'CPU ns per event'
	report_curve workers cpu_ns 'Threads for handlers' workers \
		'CPU ns per event'
	report_curve pipelines cpu_ns 'Pipelines of one source, by name' \
		pipelines 'CPU ns per event'
	report_curve backlog rate 'Kafka to PostgreSQL' 'rows in the table' \
		'messages/s'
	report_curve partitions rate 'Kafka to PostgreSQL' partitions \
		'messages/s'
}
