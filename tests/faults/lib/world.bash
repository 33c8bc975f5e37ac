# shellcheck shell=bash
# world.bash - a row's own database, topic, group and configurations.
#
# Rows never meet: what one leaves behind, none other sees.
: "${root:?}" "${build:?}" "${work:?}" "${row_name:?}" "${row_dir:?}"

# servers_use [cluster]: the private servers that this row is about: one Kafka
# node as a rule, three for `cluster`.  Starts what does not run.
servers_use() {
	local exports
	servers_dir=$work/servers
	servers_options=()
	if [[ ${1-} == cluster ]]; then
		servers_dir=$work/servers-cluster
		servers_options=(--nodes 3)
	fi
	servers_do start
	exports=$(servers_do env)
	eval "$exports"
	export PGHOST=$EVENT_HANDLER_SERVICE_POSTGRES_HOST
	export PGPORT=$EVENT_HANDLER_SERVICE_POSTGRES_PORT
	export PGUSER=$EVENT_HANDLER_SERVICE_POSTGRES_USER
	export PGPASSWORD=$EVENT_HANDLER_SERVICE_POSTGRES_PASSWORD
	export PGCONNECT_TIMEOUT=10
	brokers=${EVH_KAFKA_BROKERS:-127.0.0.1:$EVENT_HANDLER_SERVICE_KAFKA_PORT}
}

# servers_do WORD...: scripts/servers, its words into the row's log.
servers_do() {
	"$root/scripts/servers" --dir "$servers_dir" "${servers_options[@]}" \
		"$@" 2>>"$row_dir/servers.log"
}

sql() { "$EVH_PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }

# world_begin [cluster]: all of it, migrated, with the effects' trigger.
world_begin() {
	servers_use "$@"
	world=f_${row_name//-/_}_$$
	PGDATABASE=postgres sql -c "CREATE DATABASE \"$world\""
	export PGDATABASE=$world
	export EVENT_HANDLER_SERVICE_POSTGRES_DB=$world
	export EVENT_HANDLER_SERVICE_TOPIC_NAME=$world
	world_configure
	"$build/evhd" migrate -c "$row_dir/consumer.conf" upgrade head \
		>"$row_dir/migrate.log" 2>&1
	sql -f "$root/tests/faults/effects.sql"
}

# world_configure: the shipped configurations with a key, the row's brokers
# and group, and sessions so short that a kill does not take half a minute.
# The ports of servers stay variables: a proxy takes their place.  PostgreSQL
# hears which process a session is of (batches_hold).
world_configure() {
	local shipped replication=0
	[[ ${#servers_options[@]} == 0 ]] || replication=3
	export EVH_FAULT_BROKERS=$brokers
	for shipped in api consumer; do
		# shellcheck disable=SC2016 # evhd expands it
		sed -e 's/brokers = ".*"/brokers = "${EVH_FAULT_BROKERS}"/' \
			-e 's/^\tstore = "events"/&\n\tkey = "\/k"/' \
			-e 's/^store "events" {$/&\n\tpq.application_name = "evhd\/${EVH_FAULT_MEMBER:-row}"/' \
			-e '/^sink "kafka"/,/^}/s/^\ttopic = .*/&\n\treplication = '$replication'/' \
			-e 's/^\tgroup = .*/\tgroup = "'"$world"'"\n\trdkafka.session.timeout.ms = 6000\n\trdkafka.heartbeat.interval.ms = 1000/' \
			"$root/conf/$shipped.conf" >"$row_dir/$shipped.conf"
	done
}

# conf_add CONFIG AFTER LINE...: lines behind the first one that matches.
conf_add() {
	local file=$row_dir/$1.conf after=$2 line text=
	shift 2
	for line; do
		text+=$line$'\n'
	done
	awk -v after="$after" -v text="$text" '{ print }
		!done && $0 ~ after { printf "%s", text; done = 1 }
		END { exit !done }' "$file" >"$file.new" ||
		fail "$1.conf has no line like $after"
	mv "$file.new" "$file"
}

# handler_add NAME LINE...: one more handler, the first of the consumer's chain.
handler_add() {
	local name=$1
	shift
	conf_add consumer '^debug = ' '' "handler \"$name\" {" "$@" '}'
	sed -i 's/chain = { "topic",/& "'"$name"'",/' "$row_dir/consumer.conf"
}

# handler_unruly LINE...: the one that crashes, and hangs (unruly.c).
handler_unruly() {
	handler_add unruly "	plugin = \"$build/tests/unruly.so\"" "$@"
}

# members_static: a consumer that is started again has its partitions at once.
members_static() {
	# shellcheck disable=SC2016 # evhd expands it
	conf_add consumer '^	group = ' \
		'	group_instance_id = "${EVH_FAULT_MEMBER}"'
}

# dead_topic_add LIST: a topic of dead letters, the sink "dlq"; and who keeps
# what has failed.
dead_topic_add() {
	# shellcheck disable=SC2016 # evhd expands it
	conf_add consumer '^debug = ' '' 'sink "dlq" {' \
		'	plugin = "kafka_sink"' \
		'	brokers = "${EVH_FAULT_BROKERS}"' \
		"	topic = \"$world.dead\"" '}'
	sed -i "s/on_fail = .*/on_fail = { $1 }/" "$row_dir/consumer.conf"
}

# api_spools [DIRECTORY [SETTINGS]]: while the broker is away, to this folder;
# to the row's own.
api_spools() {
	local dir=${1:-$row_dir/spool}
	mkdir -m 0700 "$dir"
	conf_add api '^	deadline = ' '	on_fail = { "events" }' \
		"	spool { dir = \"$dir\" ${2-} }"
}

# poisoned KIND: how many such events the load has sent.
poisoned() { grep -c " $1\$" "$row_dir/ledger" || true; }

# rows_with STATUS [CONDITION]: how many.
rows_with() {
	sql -c "SELECT count(*) FROM events WHERE status = '$1'${2:+ AND $2}"
}

# batches_hold PROCESSES: until PostgreSQL crashes a session of its own has the
# table locked; waits until so many processes have a batch there.  There is one
# store to a process, but it may write by several sessions, so that a process
# alone has as many: those of one share its name (world_configure), and names are
# counted.  As there is one API, two are never without a consumer.
batches_hold() {
	local n=0 until=$((SECONDS + 60))
	{
		sql -c BEGIN -c 'LOCK TABLE events IN EXCLUSIVE MODE' \
			-c 'SELECT pg_sleep(60)' >/dev/null 2>&1 || true
	} &
	until n=$(sql -c "SELECT count(DISTINCT application_name)
		FROM pg_stat_activity
		WHERE datname = '$world' AND wait_event_type = 'Lock'
		AND application_name LIKE 'evhd/%'") && ((n >= $1)); do
		load_runs
		((SECONDS < until)) ||
			fail "only $n processes had a batch there"
		sleep 0.05
	done
}

# world_end: drops what is dear to keep; configs, ledger and logs stay.
world_end() {
	[[ -n ${world-} ]] || return 0
	PGDATABASE=postgres sql -c \
		"DROP DATABASE IF EXISTS \"$world\" WITH (FORCE)" || true
}
