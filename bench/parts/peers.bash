# shellcheck shell=bash disable=SC2154 # some are world.bash's
# peers.bash - the same service as one would write it in Python today
# (bench/peer), beside evhd as shipped.  Its packages come from PyPI, pinned,
# into .run/bench/peer-venv.
#
# EVH_BENCH_PEER_ROWS (100000) of the consumer's backlog.
: "${bench:?}" "${root:?}"

peer_rows=${EVH_BENCH_PEER_ROWS:-100000}
peer_venv=$bench/peer-venv

peer_install() {
	local wanted=$root/bench/peer/requirements.txt
	cmp -s "$wanted" "$peer_venv/installed" && return
	rm -rf "$peer_venv"
	python3 -m venv "$peer_venv"
	"$peer_venv/bin/pip" install -q --disable-pip-version-check \
		-r "$wanted" || die "the Python service's packages could not" \
		"be installed from PyPI"
	cp "$wanted" "$peer_venv/installed"
}

# peer_api_start yes|no: with the pending row.  It may stop at 1024 open files.
peer_api_start() {
	topic_next
	topic_create ''
	port=$(port_free 18000)
	PEER_ROW=$1 "$peer_venv/bin/uvicorn" --app-dir bench/peer --loop uvloop \
		--http httptools --no-access-log --log-level warning \
		--port "$port" api:app >"$bench/peer.log" 2>&1 7>&- &
	started+=($!)
	wait_url "http://127.0.0.1:$port/readyz"
}

# peer_post NAME: what is up, at each number of connections.
peer_post() {
	local c
	for c in 1 64 256; do
		post "peers/$1/$c" "$c"
	done
	figure "peers/$1/peak_mb" "$(peak_mb "${started[0]}")"
	end_started
}

peer_store() {
	local as=peers/$1/store
	psql_do 'TRUNCATE events'
	group_next
	if [[ $1 == evhd ]]; then
		evhd_start consumer consumer-1
	else
		"$peer_venv/bin/python" bench/peer/consumer.py \
			>"$bench/peer.log" 2>&1 7>&- &
		started+=($!)
	fi
	local until=$((SECONDS + 300))
	while (($(psql_do 'SELECT count(*) FROM events') < peer_rows)); do
		kill -0 "${started[0]}" || die "$1's consumer has ended"
		((SECONDS < until)) || die "not all rows came within 300 s"
		sleep 1
	done
	figure "$as/rate" "$(rows_rate "$peer_rows")"
	figure "$as/cpu_us" "$(per "$peer_rows" 0 "$(cpu_s "${started[@]}")" |
		awk '{ print $1 * 1e6 }')"
	figure "$as/peak_mb" "$(peak_mb "${started[@]}")"
	end_started
}

round_peers() {
	# shellcheck source=bench/parts/store.bash
	. "$root/bench/parts/store.bash"
	peer_install
	peer_api_start no
	peer_post peer/kafka
	api_start kafka
	peer_post evhd/kafka
	peer_api_start yes
	psql_do 'TRUNCATE events'
	peer_post peer/shipped
	psql_do 'TRUNCATE events'
	api_start shipped
	peer_post evhd/shipped
	topic_next
	topic_create ''
	fill "$(brokers)" "$EVENT_HANDLER_SERVICE_TOPIC_NAME" "$peer_rows" \
		>/dev/null
	peer_store peer
	peer_store evhd
}

report_peers() {
	local c what target
	declare -A titles=([kafka]='Kafka acks=all -> 201'
		[shipped]='the same with the pending row')
	table_head 'Beside the Python service' Python
	for what in kafka shipped; do
		target=
		[[ $what != shipped ]] || target='>= 30'
		for c in 1 64 256; do
			row "${titles[$what]}, $c connections" \
				"peers/evhd/$what/$c/rate" \
				"peers/peer/$what/$c/rate" "$target"
			row '    CPU us per event' "peers/evhd/$what/$c/cpu_us" \
				"peers/peer/$what/$c/cpu_us"
			row '    p99, ms' "peers/evhd/$what/$c/p99_ms" \
				"peers/peer/$what/$c/p99_ms"
		done
		row '    peak memory, MB' "peers/evhd/$what/peak_mb" \
			"peers/peer/$what/peak_mb"
	done
	for what in rate cpu_us peak_mb; do
		row "Kafka -> PostgreSQL: $what" "peers/evhd/store/$what" \
			"peers/peer/store/$what"
	done
}
