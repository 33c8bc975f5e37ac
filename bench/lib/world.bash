# shellcheck shell=bash
# world.bash - servers, topics, tables, and the processes that are measured.
: "${root:?}" "${scripts:?}" "${build:?}" "${bench:?}" "${seconds:?}"

evhd=$build/evhd

# The processes that a part has started, the one that is measured first.
started=()
end_started() {
	local pid
	for pid in "${started[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	for pid in "${started[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	started=()
}

psql_do() {
	PGOPTIONS='-c client_min_messages=warning -c statement_timeout=300s' \
		"$scripts/servers" --dir "$bench/servers" psql -qAt \
		-v ON_ERROR_STOP=1 -c "$1"
}

# A topic of its own for each run, so that none reads another's backlog.
topic_next() {
	topics=$((${topics:-0} + 1))
	export EVENT_HANDLER_SERVICE_TOPIC_NAME=bench-$$-$topics
	export EVH_BENCH_GROUP=bench-$$-$topics
}

# A group that has read nothing yet.
group_next() {
	groups=$((${groups:-0} + 1))
	export EVH_BENCH_GROUP=bench-$$-group-$groups
}

brokers() {
	printf '%s:%s' "$EVENT_HANDLER_SERVICE_KAFKA_HOST" \
		"$EVENT_HANDLER_SERVICE_KAFKA_PORT"
}

conninfo() {
	local p=EVENT_HANDLER_SERVICE_POSTGRES name word=''
	for name in host:HOST port:PORT user:USER password:PASSWORD dbname:DB; do
		local variable=${p}_${name#*:}
		word+="${name%:*}=${!variable} "
	done
	printf '%s\n' "$word"
}

# wait_url URL [CURL-OPTION...]: until it answers 2xx.
wait_url() {
	local until=$((SECONDS + 60)) url=$1
	shift
	while ((SECONDS < until)); do
		curl -fsS -m 5 -o /dev/null "$@" "$url" 2>/dev/null && return
		sleep 0.05
	done
	tail -n 5 "$bench"/*.log >&2
	die "$url did not answer within 60 s"
}

# wait_posts: until a POST is answered; a bare server knows no GET.
wait_posts() {
	wait_url "http://127.0.0.1:$port/api/v1/events" \
		-H 'Content-Type: application/json' -d '{"name":"a","data":{}}'
}

# The shipped configurations, and cut-down ones beside them.
configs_write() {
	local conf=$root/conf noop=$build/bench/noop.so
	cp "$conf/api.conf" "$bench/shipped.conf"
	sed 's/chain = { "http", "kafka", "events" }/chain = { "http", "kafka" }/
		/optional = /d; /store = "events"/d
		/^store "events"/,/^}/d' "$conf/api.conf" >"$bench/kafka.conf"
	sed 's/chain = { "http", "kafka" }/chain = { "http", "noop" }/
		/^sink "kafka"/,/^}/d
		$a handler "noop" { plugin = "'"$noop"'" }' \
		"$bench/kafka.conf" >"$bench/direct.conf"
	# The shipped handlers become one that does nothing; each run has a
	# group of its own.
	sed '/^handler "sleep"/,/^}/d; /^handler "spin"/,/^}/d
		/^handler "log"/,/^}/d; /^# Stand-ins/,/^# events of/d
		s/"log", "sleep", "spin"/"noop"/
		s/group = .*/group = "${EVH_BENCH_GROUP}"/
		$a handler "noop" { plugin = "'"$noop"'" }' \
		"$conf/consumer.conf" >"$bench/consumer.conf"
	# shellcheck disable=SC2016 # evhd's variable, not ours
	sed 's/group = .*/&\n\tgroup_instance_id = "${EVH_BENCH_MEMBER}"/' \
		"$bench/consumer.conf" >"$bench/static.conf"
	sed '/^handler "log"/,/^}/d; s/"topic", "log", "events"/"topic", "noop", "events"/
		s/group = .*/group = "${EVH_BENCH_GROUP}"/
		$a handler "noop" { plugin = "'"$noop"'" }' \
		"$conf/evh.conf" >"$bench/one.conf"
	local name
	for name in shipped kafka direct consumer one; do
		EVENT_HANDLER_SERVICE_TOPIC_NAME=t EVH_BENCH_GROUP=g \
			"$evhd" check -c "$bench/$name.conf" >"$bench/check.out" \
			2>&1 || {
			cat "$bench/check.out" >&2
			die "$name.conf is not what evhd takes: was conf/ changed?"
		}
	done
}

# evhd_start CONFIG [NAME]: in the background; it joins `started`.
evhd_start() {
	"$evhd" -c "$bench/$1.conf" >"$bench/${2:-$1}.log" 2>&1 7>&- &
	started+=($!)
}

# api_start CONFIG: on a port of its own, ready, and a topic of its own.
api_start() {
	topic_next
	port=$(port_free 18000)
	export EVENT_HANDLER_SERVICE_API_PORT=$port
	evhd_start "$1"
	wait_url "http://127.0.0.1:$port/readyz"
}

# topic_create PARTITIONS: evhd's own sink makes it as users get it; empty: with
# 6 of them.
topic_create() {
	local conf=kafka
	EVENT_HANDLER_SERVICE_API_PORT=$(port_free 18500)
	export EVENT_HANDLER_SERVICE_API_PORT
	if [[ -n $1 ]]; then
		sed "/^sink \"kafka\"/a\\	partitions = $1" \
			"$bench/kafka.conf" >"$bench/topic.conf"
		conf=topic
	fi
	evhd_start $conf topic
	wait_url "http://127.0.0.1:$EVENT_HANDLER_SERVICE_API_PORT/readyz"
	end_started
}

# bare_http_start direct | bare_http_start kafka LINGER
bare_http_start() {
	port=$(port_free 18000)
	if [[ $1 == direct ]]; then
		bare_http "$port" direct 2>"$bench/bare.log" 7>&- &
	else
		topic_next
		topic_create ''
		port=$(port_free 18000)
		bare_http "$port" kafka "$(brokers)" \
			"$EVENT_HANDLER_SERVICE_TOPIC_NAME" "$2" \
			2>"$bench/bare.log" 7>&- &
	fi
	started+=($!)
	wait_posts
}

# body_write BYTES: what wrk posts from now on.
body_write() {
	local head='{"name":"user.created","data":{"user_id":123,"email":"someone@example.org","note":"'
	local pad=$(($1 - ${#head} - 3))
	((pad >= 0)) || {
		head='{"name":"user.created","data":{"note":"'
		pad=$(($1 - ${#head} - 3))
	}
	{
		printf 'wrk.method = "POST"\n'
		printf 'wrk.headers["Content-Type"] = "application/json"\n'
		printf "wrk.body = '%s' .. string.rep('x', %d) .. '\"}}'\n" \
			"$head" "$pad"
	} >"$bench/post.lua"
}

# wrk_run CONNECTIONS SECONDS: the answers must be 2xx.  Leaves in ret_rate,
# ret_requests, ret_p50 and so on what it saw; times are milliseconds.
wrk_run() {
	local out=$bench/wrk.out
	wrk -t1 -c"$1" -d"${2}s" -s "$bench/post.lua" --latency \
		"http://127.0.0.1:$port/api/v1/events" >"$out" 7>&-
	if grep -q 'Non-2xx' "$out"; then
		cat "$out" >&2
		die "answers that are no 2xx"
	fi
	grep -q '^ *[1-9][0-9]* requests in' "$out" ||
		die "no request was answered within $2 s, of $1 connections"
	ret_rate=$(awk '/^Requests\/sec/ { print $2 }' "$out")
	ret_requests=$(awk '/requests in/ { print $1 }' "$out")
	ret_p99=$(wrk_percentile 99% "$out")
	ret_p50=$(wrk_percentile 50% "$out")
}

wrk_percentile() {
	awk -v p="$1" '$1 == p { v = $2; u = $2
		gsub(/[0-9.]/, "", u); gsub(/[a-z]/, "", v)
		print u == "us" ? v / 1000 : u == "s" ? v * 1000 : v }' "$2"
}

# post NAME CONNECTIONS: figures of the server that is up.
post() {
	local cpu pid=${started[0]}
	cpu=$(cpu_s "$pid")
	wrk_run "$2" "$seconds"
	figure "$1/rate" "$ret_rate"
	figure "$1/p50_ms" "$ret_p50"
	figure "$1/p99_ms" "$ret_p99"
	figure "$1/cpu_us" "$(per "$ret_requests" "$cpu" "$(cpu_s "$pid")" |
		awk '{ print $1 * 1e6 }')"
}

# table_empty: of evhd's rows, and nobody else's work is left over.
table_empty() { psql_do 'TRUNCATE events' && psql_do CHECKPOINT; }

# admin_port_of LOG: where an evhd says its metrics; empty: not yet.
admin_port_of() {
	sed -n 's/.*instance=admin.*127\.0\.0\.1:\([0-9]*\).*/\1/p' "$1" |
		tail -n 1
}
