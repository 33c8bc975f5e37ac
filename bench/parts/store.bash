# shellcheck shell=bash disable=SC2154 # started is world.bash's
# store.bash - Kafka -> handler -> PostgreSQL, beside the hand-written loop.
#
# EVH_BENCH_VARIANTS ("new pending again poison refused"):
#   new      ids that the table does not have
#   pending  rows that wait in the table as the API wrote them
#   again    30 % of the messages have come before
#   poison   1 % are no JSON, and are kept as failed
#   refused  1 % the table has a constraint against; they are kept as failed
# EVH_BENCH_REPLICAS ("1 3"): of evhd, for new rows.
: "${bench:?}" "${rows:?}" "${root:?}"

read -r -a store_variants <<<"${EVH_BENCH_VARIANTS:-new pending again poison refused}"
read -r -a store_replicas <<<"${EVH_BENCH_REPLICAS:-1 3}"

# What did best of the ways to do it by hand, two of each variant; which one is
# the best depends on the machine.  EVH_BENCH_BARE_NEW and so on have others.
declare -A store_ways=(
	[new]='copy:5000:2:scan unnest:1000:2:scan'
	[pending]='unnest:1000:2:scan update:1000:2:scan'
	[again]='look:5000:2:scan staging:5000:2:scan'
	[poison]='copy:5000:2:scan unnest:1000:2:scan'
	[refused]='copy:1000:2:scan unnest:1000:2:scan'
)
declare -A store_fill=([new]='' [again]='again=30' [poison]='poison=1'
	[refused]='refused=1')
declare -A store_topic=() store_different=()

store_ways_of() {
	local variable=EVH_BENCH_BARE_${1^^}
	printf '%s\n' "${!variable:-${store_ways[$1]}}"
}

# backlog VARIANT: filled once for all rounds; each reader is a group of its own.
backlog() {
	local from=$1
	[[ $from != pending ]] || from=new
	if [[ -z ${store_topic[$from]-} ]]; then
		topic_next
		topic_create ''
		# shellcheck disable=SC2086
		store_different[$from]=$(fill "$(brokers)" \
			"$EVENT_HANDLER_SERVICE_TOPIC_NAME" "$rows" \
			${store_fill[$from]})
		store_topic[$from]=$EVENT_HANDLER_SERVICE_TOPIC_NAME
	fi
	export EVENT_HANDLER_SERVICE_TOPIC_NAME=${store_topic[$from]}
	store_expected=${store_different[$from]}
}

# The table as the variant wants it, and nothing of the last run left to do.
store_table() {
	psql_do 'TRUNCATE events'
	psql_do 'ALTER TABLE events DROP CONSTRAINT IF EXISTS bench_refused'
	case $1 in
	pending)
		psql_do "INSERT INTO events (id, name, data, status, created_at)
			SELECT id, name, data, 'pending', created_at
			FROM bench_rows"
		psql_do 'VACUUM ANALYZE events'
		;;
	refused)
		psql_do "ALTER TABLE events ADD CONSTRAINT bench_refused
			CHECK (status <> 'processed' OR name <> 'refused')"
		;;
	esac
	psql_do CHECKPOINT
}

# The rows that variant pending begins with: those of the topic, read once.
store_rows_ready() {
	[[ -z $(psql_do "SELECT to_regclass('bench_rows')") ]] || return 0
	store_table new
	bare_store "$(brokers)" "$EVENT_HANDLER_SERVICE_TOPIC_NAME" \
		"$(conninfo)" "$rows" >"$bench/bare_store.out"
	psql_do 'CREATE UNLOGGED TABLE bench_rows AS
		SELECT id, name, data, created_at FROM events ORDER BY id'
}

# rows_rate MESSAGES: per second.  processed_at is the beginning of a
# transaction, whoever made it: from the first one's to the last one's, what the
# last one wrote left out.
rows_rate() {
	psql_do "WITH mine AS MATERIALIZED (
			SELECT processed_at FROM events
			WHERE kafka_topic IS NOT NULL),
		ends AS MATERIALIZED (
			SELECT min(processed_at) AS first,
				max(processed_at) AS last, count(*) AS n
			FROM mine)
		SELECT round($1 * (SELECT count(*) FROM mine
			WHERE processed_at < (SELECT last FROM ends)) / n
			/ extract(epoch FROM last - first)) FROM ends"
}

# rows_check NAME VARIANT: all that was in the topic is in the table, in its last
# state, and what is bad is kept as failed; else the figure would be of less.
rows_check() {
	local n failed=0 n_failed
	case $2 in
	poison | refused) failed=$((rows / 100)) ;;
	esac
	read -r n n_failed < <(psql_do "SELECT count(*) || ' ' ||
		count(*) FILTER (WHERE status = 'failed')
		FROM events WHERE status <> 'pending'")
	((n == store_expected && n_failed == failed)) ||
		die "$1, $2: $n rows, $n_failed of them failed, instead of" \
			"$store_expected and $failed"
}

# store_done NAME...: messages that these evhd, by their logs, have a row of.
store_done() {
	local name at
	for name; do
		at=$(admin_port_of "$bench/$name.log")
		[[ -z $at ]] || curl -s -m 2 \
			"http://127.0.0.1:$at/metrics" || true
	done | awk '/^evh_events_total{.*instance="events".*result="ok"/ {
		n += $NF } END { printf "%d\n", n }'
}

# Asking them costs less than counting rows; not too often, since it costs all
# the same.
store_await() {
	local until=$((SECONDS + 600)) pid
	while (($(store_done "$@") < rows)); do
		for pid in "${started[@]}"; do
			kill -0 "$pid" || die "a consumer has ended by itself"
		done
		((SECONDS < until)) || die "not all rows came within 600 s"
		sleep 1
	done
}

store_bare() {
	local variant=$1 way=$2 method batch writers parse
	IFS=: read -r method batch writers parse <<<"$way"
	store_table "$variant"
	bare_store "$(brokers)" "$EVENT_HANDLER_SERVICE_TOPIC_NAME" \
		"$(conninfo)" "$rows" method="$method" batch="$batch" \
		writers="$writers" parse="$parse" >"$bench/bare_store.out"
	rows_check "bare $way" "$variant"
	figure "store/bare/$variant/$way/rate" "$(rows_rate "$rows")"
	local name
	for name in cpu_us peak_mb waited; do
		figure "store/bare/$variant/$way/$name" \
			"$(value_named "$bench/bare_store.out" $name)"
	done
}

store_evhd() {
	local variant=$1 replicas=$2 i names=() as=store/evhd/$1/$2
	store_table "$variant"
	group_next
	for ((i = 1; i <= replicas; i++)); do
		evhd_start consumer "consumer-$i"
		names+=("consumer-$i")
	done
	store_await "${names[@]}"
	rows_check evhd "$variant"
	figure "$as/rate" "$(rows_rate "$rows")"
	figure "$as/cpu_us" "$(per "$rows" 0 "$(cpu_s "${started[@]}")" |
		awk '{ print $1 * 1e6 }')"
	figure "$as/peak_mb" "$(peak_mb "${started[@]}")"
	end_started
}

round_store() {
	local variant way replicas
	for variant in "${store_variants[@]}"; do
		backlog "$variant"
		[[ $variant != pending ]] || store_rows_ready
		for way in $(store_ways_of "$variant"); do
			store_bare "$variant" "$way"
		done
		for replicas in "${store_replicas[@]}"; do
			[[ $variant == new ]] || ((replicas == 1)) || continue
			store_evhd "$variant" "$replicas"
		done
	done
	psql_do 'ALTER TABLE events DROP CONSTRAINT IF EXISTS bench_refused'
}

declare -A store_target=([new]='>= 0.95' [pending]='>= 0.95' [again]='>= 0.9'
	[poison]='>= 0.7' [refused]='>= 0.7')
declare -A store_title=([new]='new rows' [pending]='over pending rows'
	[again]='30 % come again' [poison]='1 % no JSON'
	[refused]='1 % refused by the table')

report_store() {
	local variant way names best replicas
	table_head "Kafka -> handler -> PostgreSQL, messages/s, $rows of them"
	for variant in "${store_variants[@]}"; do
		names=()
		for way in $(store_ways_of "$variant"); do
			names+=("store/bare/$variant/$way")
		done
		best=$(best_of "${names[@]}")
		for replicas in "${store_replicas[@]}"; do
			row "${store_title[$variant]}, $replicas evhd (${best##*/})" \
				"store/evhd/$variant/$replicas/rate" \
				"$best/rate" "${store_target[$variant]}"
			[[ -n $(median_of "store/evhd/$variant/$replicas/rate") ]] ||
				continue
			row '    CPU us per event' \
				"store/evhd/$variant/$replicas/cpu_us" \
				"$best/cpu_us"
		done
	done
	row_alone 'new rows, one evhd: CPU us per event' \
		store/evhd/new/1/cpu_us '<= 4.5'
	row_alone '    peak memory, MB' store/evhd/new/1/peak_mb '<= 256'
}
