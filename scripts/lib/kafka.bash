# shellcheck shell=bash
# kafka.bash - private Apache Kafka nodes, each broker and controller in one
# process (KRaft): one, called kafka, or a cluster of three, kafka-1 to kafka-3.
# A node's data is $dir/NODE, its pid $dir/NODE.pid, its ports $dir/NODE-*port.
#
# Beside the usual listener each node has one that is advertised at another
# port, where nobody listens unless a test puts a proxy there.
#
# Uses die, say and log_* of scripts/servers, and its
: "${dir:?}" "${scripts:?}"

kafka_pidfile() { printf '%s\n' "$dir/$1.pid"; }

# kafka_nodes: the names, one a line; as many as the folder was made with.
kafka_nodes() {
	if [[ $(cat "$dir/kafka-nodes" 2>/dev/null) == 3 ]]; then
		printf '%s\n' kafka-1 kafka-2 kafka-3
	else
		echo kafka
	fi
}

# kafka_nodes_set COUNT: a folder's data is of so many nodes, or of none yet.
kafka_nodes_set() {
	local had
	had=$(cat "$dir/kafka-nodes" 2>/dev/null) ||
		{ [[ ! -d $dir/kafka/data ]] || had=1; }
	[[ -z $had || $had == "$1" ]] || die "$dir has data of $had Kafka" \
		"node(s), not of $1; '$0 --dir $dir remove' deletes it"
	printf '%s\n' "$1" >"$dir/kafka-nodes"
}

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

# kafka_ports NODE move|keep: chooses and remembers a node's four.  They lie apart
# from those of a cluster's nodes, of PostgreSQL and of the fault rows' processes,
# any of which may be down when another one looks for a free port.
kafka_ports() {
	local first=19092 keep=keep
	[[ $1 == kafka ]] || first=$((11000 + 1000 * ${1#kafka-}))
	[[ $2 == keep && -s $dir/$1-controller-port ]] || keep=move
	server_port "$1" $first $keep >"$dir/$1-port.new"
	mv "$dir/$1-port.new" "$dir/$1-port"
	first=$(<"$dir/$1-port")
	port_remember "$1-controller" $((first + 1)) $keep
	port_remember "$1-behind" $((first + 2)) $keep
	# A proxy may listen there already, while the node starts again.
	[[ -s $dir/$1-proxy-port ]] ||
		port_remember "$1-proxy" $((first + 11000)) move
}

# port_remember NAME FIRST move|keep: $dir/NAME-port, from FIRST on.
port_remember() {
	[[ $3 == keep && -s $dir/$1-port ]] ||
		port_free "$2" >"$dir/$1-port"
}

# kafka_voters: of the quorum: every node's id and controller.
kafka_voters() {
	local node id=1 list=()
	while read -r node; do
		list+=("$id@127.0.0.1:$(<"$dir/$node-controller-port")")
		id=$((id + 1))
	done < <(kafka_nodes)
	(
		IFS=,
		printf '%s\n' "${list[*]}"
	)
}

# kafka_configure NODE: written anew at each start.
kafka_configure() {
	local port behind proxy controller id=1 copies=1 insync=1
	port=$(<"$dir/$1-port")
	controller=$(<"$dir/$1-controller-port")
	behind=$(<"$dir/$1-behind-port")
	proxy=$(<"$dir/$1-proxy-port")
	if [[ $1 != kafka ]]; then
		id=${1#kafka-}
		copies=3
		insync=2
	fi
	cat >"$dir/$1/server.properties" <<-END
		process.roles=broker,controller
		node.id=$id
		controller.quorum.voters=$(kafka_voters)
		controller.listener.names=CONTROLLER
		listeners=PLAINTEXT://127.0.0.1:$port,PROXIED://127.0.0.1:$behind,CONTROLLER://127.0.0.1:$controller
		advertised.listeners=PLAINTEXT://127.0.0.1:$port,PROXIED://127.0.0.1:$proxy
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
		inter.broker.listener.name=PLAINTEXT
		log.dirs=$dir/$1/data
		# One node cannot replicate; of three, one may be away.
		default.replication.factor=$copies
		min.insync.replicas=$insync
		offsets.topic.replication.factor=$copies
		transaction.state.log.replication.factor=$copies
		transaction.state.log.min.isr=$insync
		share.coordinator.state.topic.replication.factor=$copies
		share.coordinator.state.topic.min.isr=$insync
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

# kafka_format NODE JAVA JARS: makes the data folder, once; the nodes of a
# cluster share its id.
kafka_format() {
	local id
	[[ -f $dir/$1/data/meta.properties ]] && return
	rm -rf "$dir/$1/data"
	if [[ ! -s $dir/kafka-cluster-id ]]; then
		id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' |
			cut -c1-22)
		printf '%s\n' "${id/#-/A}" >"$dir/kafka-cluster-id"
	fi
	if ! timeout 60 "$2" -Xmx128m -cp "$3/*" kafka.tools.StorageTool \
		format -t "$(<"$dir/kafka-cluster-id")" \
		-c "$dir/$1/server.properties" \
		>"$dir/log/$1-format.log" 2>&1; then
		log_tail "$1-format"
		die "the storage of $1 could not be formatted"
	fi
}

# kafka_spawn NODE JAVA JARS
kafka_spawn() {
	local heap=(-Xms256m -Xmx512m)
	[[ $1 == kafka ]] || heap=(-Xms128m -Xmx256m)
	setsid "$2" "${heap[@]}" -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError \
		-Djava.awt.headless=true \
		-Dlog4j2.configurationFile="$scripts/kafka/log4j2.properties" \
		-cp "$3/*" kafka.Kafka "$dir/$1/server.properties" \
		</dev/null >>"$dir/log/$1.log" 2>&1 9>&- &
	process_record "$(kafka_pidfile "$1")" $!
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

# kafka_answers NODE: this very cluster has a broker in its metadata (somebody
# else's may have taken the port), and an idempotent producer gets its id,
# which is the last thing to work after a start.
kafka_answers() {
	local answer id port
	port=$(<"$dir/$1-port")
	id=$(sed -n 's/^cluster\.id=//p' "$dir/$1/data/meta.properties")
	id=$(printf '%s' "$id" | od -An -v -tx1 | tr -d ' \n')
	# Metadata v2 of no topic: correlation 1, no client id; the answer is
	# the correlation, the number of brokers, each, and the cluster's id.
	answer=$(kafka_call "$port" '0003 0002 00000001 ffff 00000000' \
		2>/dev/null) || return 1
	[[ ${answer:0:8} == 00000001 && $answer == *"$id"* ]] || return 1
	((16#${answer:8:8} > 0)) || return 1
	# InitProducerId v0 without a transaction: the answer is correlation,
	# throttle time, error code.
	answer=$(kafka_call "$port" '0016 0000 00000002 ffff ffff 00000000' \
		2>/dev/null) || return 1
	[[ ${answer:0:8} == 00000002 && ${answer:16:4} == 0000 ]]
}

# kafka_wait NODE: fails when the process has ended, dies when time is up.
kafka_wait() {
	local until=$((SECONDS + 120))
	while ((SECONDS < until)); do
		process_pid "$(kafka_pidfile "$1")" >/dev/null || return 1
		kafka_answers "$1" && return
		sleep 0.1
	done
	log_tail "$1"
	die "$1 did not become ready within 120 s"
}

# kafka_try MODE JAVA JARS NODE...: one attempt to start these; fails when one
# of them ended because a port was taken meanwhile.
kafka_try() {
	local mode=$1 java=$2 jars=$3 node mark=() failed=0
	shift 3
	for node; do
		mkdir -p "$dir/$node"
		kafka_ports "$node" "$mode"
	done
	for node; do
		kafka_configure "$node"
		kafka_format "$node" "$java" "$jars"
		mark+=("$(log_size "$node")")
		kafka_spawn "$node" "$java" "$jars" || true
	done
	for node; do
		if kafka_wait "$node"; then
			say "Apache ${node/#k/K} on" \
				"127.0.0.1:$(<"$dir/$node-port")"
		elif log_since "$node" "${mark[0]}" |
			grep -q 'Address already in use' &&
			[[ $mode == move ]]; then
			say "a port of $node was taken meanwhile"
			printf '%s\n' $(($(<"$dir/$node-port") + 4)) \
				>"$dir/$node-port"
			failed=1
		else
			log_tail "$node"
			die "$node ended at once"
		fi
		mark=("${mark[@]:1}")
	done
	return $failed
}

# kafka_start move|keep [NODE...]: those that do not run; as pg_start.
kafka_start() {
	local java jars try mode=$1 node nodes
	shift
	(($#)) || mapfile -t nodes < <(kafka_nodes)
	java=$(kafka_java) || die "no Java 17 or newer is installed;" \
		"scripts/deps run installs it"
	jars=$("$scripts/kafka-jars") || die "no jars of Apache Kafka"
	for try in 1 2 3 4 5; do
		set -- "${@:-${nodes[@]}}"
		for node; do
			shift
			process_pid "$(kafka_pidfile "$node")" >/dev/null ||
				set -- "$@" "$node"
		done
		(($#)) || return 0
		if kafka_try "$mode" "$java" "$jars" "$@"; then
			return
		fi
		say "once more (try $try)"
	done
	die "Kafka found no free ports"
}

# kafka_end NODES SIGNAL:SECONDS...: NODES: a name, or all.  All end at once,
# since the last ones of a cluster have no quorum to say goodbye to.
kafka_end() {
	local nodes node pids=() failed=0
	if [[ $1 == all ]]; then
		mapfile -t nodes < <(kafka_nodes)
	else
		nodes=("$1")
	fi
	shift
	for node in "${nodes[@]}"; do
		process_end "$(kafka_pidfile "$node")" "$node" "$@" &
		pids+=($!)
	done
	for node in "${pids[@]}"; do
		wait "$node" || failed=1
	done
	((!failed)) || die "Kafka still runs"
}

# kafka_signal NODES STOP|CONT
kafka_signal() {
	local nodes node pid
	if [[ $1 == all ]]; then
		mapfile -t nodes < <(kafka_nodes)
	else
		nodes=("$1")
	fi
	for node in "${nodes[@]}"; do
		pid=$(process_pid "$(kafka_pidfile "$node")") || return 1
		kill -s "$2" "$pid"
	done
}

kafka_remove() {
	local node
	while read -r node; do
		rm -rf "${dir:?}/$node" "$dir/$node"-{,controller-,behind-,proxy-}port
	done < <(kafka_nodes)
	rm -f "$dir/kafka-nodes" "$dir/kafka-cluster-id"
}
