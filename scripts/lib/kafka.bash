# shellcheck shell=bash
# kafka.bash - one private Apache Kafka node in $dir/kafka, broker and
# controller in one process (KRaft).
#
# Uses die, say and log_* of scripts/servers, and its
: "${dir:?}" "${scripts:?}"

kafka_pidfile() { printf '%s\n' "$dir/kafka.pid"; }

# kafka_java: a Java of version 17 or newer.
kafka_java() {
	local java version
	for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" java \
		/usr/lib/jvm/*/bin/java; do
		command -v "${java:-none}" >/dev/null || continue
		version=$("$java" -version 2>&1 |
			sed -n 's/.*version "\([0-9]*\).*/\1/p')
		if ((${version:-0} >= 17)); then
			command -v "$java"
			return
		fi
	done
	return 1
}

# kafka_configure PORT CONTROLLER_PORT: written anew at each start.
kafka_configure() {
	cat >"$dir/kafka/server.properties" <<-END
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@127.0.0.1:$2
		controller.listener.names=CONTROLLER
		listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2
		advertised.listeners=PLAINTEXT://127.0.0.1:$1
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
		log.dirs=$dir/kafka/data
		# One node cannot replicate.
		offsets.topic.replication.factor=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		share.coordinator.state.topic.replication.factor=1
		share.coordinator.state.topic.min.isr=1
		# Fifty partitions each, as by default, only make the start slow.
		offsets.topic.num.partitions=4
		transaction.state.log.num.partitions=4
		group.initial.rebalance.delay.ms=0
		# Tests that kill a consumer need not wait for the usual 6 s.
		group.min.session.timeout.ms=1000
		# After kill -9 the controller waits this long for the old broker.
		broker.session.timeout.ms=4000
		broker.heartbeat.interval.ms=500
		# Nobody gets a topic by asking for it: who wants one makes it.
		auto.create.topics.enable=false
		log.cleaner.dedupe.buffer.size=33554432
	END
}

# kafka_format JAVA JARS: makes the data folder, once.
kafka_format() {
	local id
	[[ -f $dir/kafka/data/meta.properties ]] && return
	rm -rf "$dir/kafka/data"
	id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c1-22)
	if ! timeout 60 "$1" -Xmx128m -cp "$2/*" kafka.tools.StorageTool \
		format -t "${id/#-/A}" -c "$dir/kafka/server.properties" \
		>"$dir/log/kafka-format.log" 2>&1; then
		log_tail kafka-format
		die "Kafka's storage could not be formatted"
	fi
}

kafka_spawn() {
	setsid "$1" -Xms256m -Xmx512m -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError \
		-Djava.awt.headless=true \
		-Dlog4j2.configurationFile="$scripts/kafka/log4j2.properties" \
		-cp "$2/*" kafka.Kafka "$dir/kafka/server.properties" \
		</dev/null >>"$dir/log/kafka.log" 2>&1 9>&- &
	process_record "$(kafka_pidfile)" $!
}

# kafka_call PORT HEX: sends one request, prints the answer's bytes as hex.
kafka_call() {
	local hex=${2// /} size answer
	printf -v size '%08x' $((${#hex} / 2))
	exec 8<>"/dev/tcp/127.0.0.1/$1" || return 1
	# shellcheck disable=SC2001,SC2059 # the format is the bytes
	printf "$(sed 's/../\\x&/g' <<<"$size$hex")" >&8
	size=$(timeout 5 head -c 4 <&8 | od -An -tx1 | tr -d ' \n')
	[[ ${#size} == 8 ]] && ((16#$size < 65536)) &&
		answer=$(timeout 5 head -c $((16#$size)) <&8 |
			od -An -v -tx1 | tr -d ' \n')
	exec 8>&-
	printf '%s\n' "${answer-}"
}

# kafka_answers PORT: this very cluster has a broker in its metadata (somebody
# else's may have taken the port), and an idempotent producer gets its id,
# which is the last thing to work after a start.
kafka_answers() {
	local answer id
	id=$(sed -n 's/^cluster\.id=//p' "$dir/kafka/data/meta.properties")
	id=$(printf '%s' "$id" | od -An -v -tx1 | tr -d ' \n')
	# Metadata v2 of no topic: correlation 1, no client id; the answer is
	# the correlation, the number of brokers, each, and the cluster's id.
	answer=$(kafka_call "$1" '0003 0002 00000001 ffff 00000000' \
		2>/dev/null) || return 1
	[[ ${answer:0:8} == 00000001 && $answer == *"$id"* ]] || return 1
	((16#${answer:8:8} > 0)) || return 1
	# InitProducerId v0 without a transaction: the answer is correlation,
	# throttle time, error code.
	answer=$(kafka_call "$1" '0016 0000 00000002 ffff ffff 00000000' \
		2>/dev/null) || return 1
	[[ ${answer:0:8} == 00000002 && ${answer:16:4} == 0000 ]]
}

# kafka_wait PORT: fails when the process has ended, dies when time is up.
kafka_wait() {
	local until=$((SECONDS + 120))
	while ((SECONDS < until)); do
		process_pid "$(kafka_pidfile)" >/dev/null || return 1
		kafka_answers "$1" && return
		sleep 0.1
	done
	log_tail kafka
	die "Kafka did not become ready within 120 s"
}

# kafka_start move|keep: as pg_start.
kafka_start() {
	local java jars port controller try mark
	process_pid "$(kafka_pidfile)" >/dev/null && return
	java=$(kafka_java) || die "no Java 17 or newer is installed;" \
		"scripts/deps run installs it"
	jars=$("$scripts/kafka-jars") || die "no jars of Apache Kafka"
	mkdir -p "$dir/kafka"
	for try in 1 2 3 4 5; do
		port=$(server_port kafka 19092 "$1")
		controller=$(port_free $((port + 1)))
		printf '%s\n' "$port" >"$dir/kafka-port"
		kafka_configure "$port" "$controller"
		kafka_format "$java" "$jars"
		mark=$(log_size kafka)
		kafka_spawn "$java" "$jars" || true
		if kafka_wait "$port"; then
			say "Apache Kafka on 127.0.0.1:$port"
			return
		fi
		log_since kafka "$mark" | grep -q 'Address already in use' ||
			break
		[[ $1 == move ]] || break
		say "port $port was taken meanwhile (try $try)"
		printf '%s\n' $((port + 2)) >"$dir/kafka-port"
	done
	log_tail kafka
	die "Kafka ended at once"
}

# kafka_end SIGNAL:SECONDS...
kafka_end() {
	process_end "$(kafka_pidfile)" Kafka "$@" || die "Kafka still runs"
}

# kafka_signal STOP|CONT
kafka_signal() {
	local pid
	pid=$(process_pid "$(kafka_pidfile)") || return 1
	kill -s "$1" "$pid"
}

kafka_remove() {
	rm -rf "$dir/kafka" "$dir/kafka-port"
}
