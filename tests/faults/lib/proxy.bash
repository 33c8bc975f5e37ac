# shellcheck shell=bash
# proxy.bash - a proxy between a row's evhd processes and one of its servers.
: "${build:?}" "${row_dir:?}"

declare -A proxy_pid=()

# proxy_begin pg|kafka: from now on evhd reaches that server by it alone.
proxy_begin() {
	local port to
	if [[ $1 == pg ]]; then
		port=$(port_next)
		to=$PGPORT
		export EVENT_HANDLER_SERVICE_POSTGRES_PORT=$port
	else
		# Where the broker says that it is, to who comes by the other
		# listener.
		port=$EVH_KAFKA_PROXY_PORT
		to=$EVH_KAFKA_BEHIND_PORT
		export EVH_FAULT_BROKERS=127.0.0.1:$port
	fi
	"$build/faults/fault_proxy" --listen "$port" --to "$to" "--$1" \
		--control "$row_dir/$1.sock" 2>>"$row_dir/proxy.log" &
	proxy_pid[$1]=$!
	until [[ -S $row_dir/$1.sock ]]; do
		kill -0 "${proxy_pid[$1]}" 2>/dev/null ||
			fail "no proxy: $(tail -n 1 "$row_dir/proxy.log")"
		sleep 0.02
	done
}

# proxy_say pg|kafka COMMAND...: what it says stays in the log.
proxy_say() {
	local name=$1
	shift
	"$build/faults/fault_proxy" --control "$row_dir/$name.sock" \
		--say "$*" >>"$row_dir/proxy.log"
}

# proxy_figure pg|kafka NAME: of its status.
proxy_figure() {
	local status
	status=$("$build/faults/fault_proxy" --control "$row_dir/$1.sock" \
		--say status)
	[[ $status =~ \"$2\":([0-9]+) ]] || fail "the proxy has no $2"
	printf '%s\n' "${BASH_REMATCH[1]}"
}

proxy_end() {
	local pid
	for pid in "${proxy_pid[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}
