# shellcheck shell=bash
# evhd.bash - the evhd processes of a row: started, struck, ended.
: "${root:?}" "${build:?}" "${work:?}" "${row_dir:?}"

api_port=  # of every API of the row; one at a time
state_dir= # of every evhd of the row, which share it; empty: none

declare -A evhd_pid=() evhd_url=() evhd_admin=()
evhd_with=() # a command in front of evhd: faketime, fiu-run
declare -A evhd_log=() # of a process whose log is not in the row's folder
exit_limit=35 # seconds: shutdown_timeout, and what it takes to say goodbye
slowest_exit=0
ends=0 # of processes that evhd_revive has started again

# evhd_start NAME CONFIG: does not wait.  The ports stay NAME's own.
evhd_start() {
	local name=$1
	if [[ -z ${evhd_admin[$name]-} ]]; then
		evhd_admin[$name]=$(port_next)
		evhd_url[$name]=http://127.0.0.1:${evhd_admin[$name]}/readyz
	fi
	EVENT_HANDLER_SERVICE_API_PORT=${api_port:-0} \
		EVENT_HANDLER_SERVICE_ADMIN_LISTEN=127.0.0.1:${evhd_admin[$name]} \
		EVENT_HANDLER_SERVICE_STATE_DIR=${state_dir:-} \
		EVH_FAULT_MEMBER=$name \
		"${evhd_with[@]}" "$build/evhd" -c "$row_dir/$2.conf" \
		</dev/null >>"${evhd_log[$name]:-$row_dir/$name.log}" 2>&1 &
	evhd_pid[$name]=$!
}

# port_next: no two processes of a row get the same one, and a port stays its
# process's own while that is down: two lanes, or two trees, that run at once keep
# apart.
port_next() {
	local first last
	first=$((20000 + $(cksum <<<"$root" | cut -d' ' -f1) % 10 * 1000 +
		(EVH_FAULT_LANE - 1) * 250))
	last=$((first - 1))
	[[ ! -s $row_dir/port ]] || last=$(<"$row_dir/port")
	port_free $((last + 1)) $((first + 249)) | tee "$row_dir/port"
}

# evhd_ready NAME...: waits until each says so.
evhd_ready() {
	local name until
	for name; do
		until=$((SECONDS + 60))
		until curl -fs -m 2 -o /dev/null "${evhd_url[$name]}"; do
			kill -0 "${evhd_pid[$name]}" 2>/dev/null ||
				fail "$name has ended; see $row_dir/$name.log"
			((SECONDS < until)) || fail "$name is not ready:" \
				"$(curl -s -m 2 "${evhd_url[$name]}")"
			sleep 0.05
		done
	done
}

# api_start: one API, on the row's API port, which stays; ready.  It makes the
# topic, so it comes before the consumers.
api_start() {
	[[ -n $api_port ]] || api_port=$(port_next)
	evhd_start api api
	evhd_ready api
}

# consumers_start N: consumer-1 to consumer-N, ready.
consumers_start() {
	local i names=()
	for ((i = 1; i <= $1; i++)); do
		evhd_start "consumer-$i" consumer
		names+=("consumer-$i")
	done
	evhd_ready "${names[@]}"
}

# evhd_kill NAME: kill -9, reaped.
evhd_kill() {
	local pid=${evhd_pid[$1]}
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	unset "evhd_pid[$1]"
}

# evhd_wait NAME SECONDS: until it has ended; its exit code is in ret_code.
evhd_wait() {
	local pid=${evhd_pid[$1]} begin=${EPOCHREALTIME/./} took_ms=0
	ret_code=0
	while kill -0 "$pid" 2>/dev/null; do
		took_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
		((took_ms < $2 * 1000)) ||
			fail "$1 did not end within $2 s"
		sleep 0.02
	done
	wait "$pid" || ret_code=$?
	took_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	unset "evhd_pid[$1]"
	((took_ms <= slowest_exit)) || slowest_exit=$took_ms
}

# evhd_stop NAME: SIGTERM; it must exit with 0, in time.
evhd_stop() {
	kill -TERM "${evhd_pid[$1]}" 2>/dev/null ||
		fail "$1 has ended by itself; see $row_dir/$1.log"
	evhd_wait "$1" "$exit_limit"
	((!ret_code)) || fail "$1 exited with $ret_code"
}

# evhd_revive CODE...: who has ended, by one of these exit codes, is started
# again: a supervisor's look.
evhd_revive() {
	local name code
	for name in "${!evhd_pid[@]}"; do
		kill -0 "${evhd_pid[$name]}" 2>/dev/null && continue
		code=0
		wait "${evhd_pid[$name]}" 2>/dev/null || code=$?
		[[ " $* " == *" $code "* ]] ||
			fail "$name exited with $code; see $row_dir/$name.log"
		ends=$((ends + 1))
		evhd_start "$name" "${name%-*}"
	done
}

# supervise SECONDS COMMAND CODE...: such looks until the command says yes.
supervise() {
	local until=$((SECONDS + $1)) command=$2
	shift 2
	until evhd_revive "$@" && "$command"; do
		((SECONDS < until)) || fail "$command did not come true"
		sleep 0.2
	done
}

# evhd_stop_all: SIGTERM to all at once; each must exit with 0, in time.
evhd_stop_all() {
	local name names=("${!evhd_pid[@]}")
	for name in "${names[@]}"; do
		kill -TERM "${evhd_pid[$name]}" 2>/dev/null ||
			fail "$name has ended by itself; see $row_dir/$name.log"
	done
	for name in "${names[@]}"; do
		evhd_wait "$name" "$exit_limit"
		((!ret_code)) || fail "$name exited with $ret_code"
	done
}

# metrics_of NAME: its figures, as text.  A busy machine may not answer at once.
metrics_of() {
	local text until=$((SECONDS + 60))
	until text=$(curl -fs -m 5 \
		"http://127.0.0.1:${evhd_admin[$1]}/metrics"); do
		kill -0 "${evhd_pid[$1]}" 2>/dev/null ||
			fail "$1 has ended; see $row_dir/$1.log"
		((SECONDS < until)) || fail "$1 does not tell its figures"
		sleep 0.1
	done
	printf '%s\n' "$text"
}

# consumers_in_flight: events that the consumers have in hand.
consumers_in_flight() {
	local name text n=0
	for name in "${!evhd_pid[@]}"; do
		[[ $name == consumer* ]] || continue
		text=$(curl -s -m 5 \
			"http://127.0.0.1:${evhd_admin[$name]}/metrics") ||
			continue
		[[ $text =~ evh_in_flight\{pipeline=\"process\"\}\ ([0-9]+) ]] &&
			n=$((n + BASH_REMATCH[1]))
	done
	printf '%s\n' $n
}

# spool_figure NAME: of the API's spool, as it counts.
spool_figure() {
	local text
	text=$(metrics_of api)
	[[ $text =~ evh_spool_$1\{[^}]*\}\ ([0-9]+) ]] ||
		fail "the API says nothing of its spool's $1"
	printf '%s\n' "${BASH_REMATCH[1]}"
}

# evhd_end: what a failed row has left.
evhd_end() {
	local name
	for name in "${!evhd_pid[@]}"; do
		kill -CONT "${evhd_pid[$name]}" 2>/dev/null || true
		kill -KILL "${evhd_pid[$name]}" 2>/dev/null || true
		wait "${evhd_pid[$name]}" 2>/dev/null || true
	done
}

# counted METRIC [LABELS [NAME]]: a counter with such labels, of all consumers
# or of one.
counted() {
	local name n=0 text
	local line="evh_$1"'_total\{[^}]*'"${2-}"'[^}]*\} ([0-9]+)'
	for name in "${!evhd_pid[@]}"; do
		[[ $name == "${3:-consumer}"* ]] || continue
		text=$(metrics_of "$name")
		[[ $text =~ $line ]] || fail "$name does not count $1 ${2-}"
		n=$((n + BASH_REMATCH[1]))
	done
	printf '%s\n' "$n"
}
