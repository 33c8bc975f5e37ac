# shellcheck shell=bash
# postgres.bash - a private PostgreSQL cluster in $dir/postgres.
#
# It knows nothing of the system's clusters: own data, own port, no socket
# directory, one user with a password of its own.  PostgreSQL refuses to run
# as root, so root runs it as the user postgres.
#
# Uses die, say and log_* of scripts/servers, and its
: "${dir:?}"

pg_user=evh
pg_db=evh
pg_pidfile() { printf '%s\n' "$dir/postgres.pid"; }

# pg_run COMMAND...: as whoever owns the cluster, and without a fork between,
# so that the pid of what was started in the background is its own.
pg_run() {
	if ((EUID == 0)); then
		exec env HOME=/ setpriv --reuid=postgres --regid=postgres \
			--init-groups -- "$@"
	fi
	exec "$@"
}

# pg_bin [MAJOR]: the folder of the newest server (or of that version).
pg_bin() {
	local bin best='' major
	for bin in /usr/lib/postgresql/*/bin; do
		major=${bin%/bin}
		major=${major##*/}
		[[ -x $bin/postgres && $major =~ ^[0-9]+$ ]] || continue
		((major >= 14)) || continue
		[[ -z ${1-} || $major == "$1" ]] || continue
		if [[ -z $best ]] || ((major > best)); then
			best=$major
		fi
	done
	[[ -n $best ]] || return 1
	printf '/usr/lib/postgresql/%s/bin\n' "$best"
}

# pg_home: the folder of the data, made when it is missing.  $dir may lie where
# the user postgres cannot go (below /root, say): then it is a folder of its
# own in /var/tmp, and $dir/postgres-home says which.
pg_home() {
	local home=$dir/postgres
	if [[ -r $dir/postgres-home ]]; then
		home=$(<"$dir/postgres-home")
		[[ -d $home ]] && printf '%s\n' "$home" && return
		home=$dir/postgres
	fi
	mkdir -p "$home"
	if ((EUID == 0)) && ! (pg_run test -x "$home"); then
		rmdir "$home"
		home=$(mktemp -d /var/tmp/evh-postgres.XXXXXX)
	fi
	if ((EUID == 0)); then
		chown postgres: "$home"
	fi
	chmod 700 "$home"
	printf '%s\n' "$home" >"$dir/postgres-home"
	printf '%s\n' "$home"
}

# pg_init BIN HOME: makes the cluster, whole or not at all.
pg_init() {
	local bin=$1 home=$2
	[[ -f $home/data/PG_VERSION ]] && return
	say "making a PostgreSQL cluster in $home/data"
	rm -rf "$home/data.new" "$home/data"
	[[ -s $dir/postgres-password ]] || (
		umask 077
		head -c 18 /dev/urandom | base64 | tr '+/' '-_' \
			>"$dir/postgres-password"
	)
	# A copy for the time of initdb, which its user can read.
	install -m 600 "$dir/postgres-password" "$home/password"
	((EUID != 0)) || chown postgres: "$home/password"
	if ! (pg_run timeout 120 "$bin/initdb" -D "$home/data.new" -U $pg_user \
		--pwfile="$home/password" --auth=scram-sha-256 \
		--encoding=UTF8 --locale=C.UTF-8) \
		>"$dir/log/initdb.log" 2>&1; then
		log_tail initdb
		die "initdb failed"
	fi
	rm "$home/password"
	mv "$home/data.new" "$home/data"
}

# pg_psql ARGUMENT...: psql in the private cluster.
pg_psql() {
	local bin
	bin=$(pg_bin) || die "no PostgreSQL is installed"
	PGPASSWORD=$(<"$dir/postgres-password") PGCONNECT_TIMEOUT=5 \
		"$bin/psql" -X -h 127.0.0.1 -p "$(<"$dir/postgres-port")" \
		-U $pg_user "$@"
}

# pg_wait: until the cluster itself says "ready" and answers a query; fails
# when its process has ended, dies when time is up.
pg_wait() {
	local home until=$((SECONDS + 120)) pid lines
	home=$(<"$dir/postgres-home")
	while ((SECONDS < until)); do
		pid=$(process_pid "$(pg_pidfile)") || return 1
		lines=()
		mapfile -t lines 2>/dev/null <"$home/data/postmaster.pid" ||
			true
		# Line 8 is the state that pg_ctl waits for.
		if [[ ${lines[0]-} == "$pid" && ${lines[7]-} == ready* ]] &&
			[[ $(pg_psql -d postgres -Atc 'select 1' \
				2>/dev/null) == 1 ]]; then
			return 0
		fi
		sleep 0.05
	done
	log_tail postgres
	die "PostgreSQL did not become ready within 120 s"
}

# pg_spawn BIN HOME PORT: one attempt.
pg_spawn() {
	printf '%s\n' "$3" >"$dir/postgres-port"
	(pg_run setsid "$1/postgres" -D "$2/data" -c listen_addresses=127.0.0.1 \
		-c "port=$3" -c unix_socket_directories= -c cluster_name=evh \
		-c max_connections=200 -c log_line_prefix='%m [%p] %a ') \
		</dev/null >>"$dir/log/postgres.log" 2>&1 9>&- &
	process_record "$(pg_pidfile)" $!
}

# pg_start move|keep: starts it unless it runs.  `keep` insists on the port of
# last time, which clients already know, if there is one.
pg_start() {
	local bin home port try mark
	[[ -s $dir/postgres-port ]] || set -- move
	process_pid "$(pg_pidfile)" >/dev/null && return
	home=$(pg_home)
	if [[ -f $home/data/PG_VERSION ]]; then
		bin=$(pg_bin "$(cat "$home/data/PG_VERSION")") ||
			die "the data in $home/data is of PostgreSQL" \
				"$(cat "$home/data/PG_VERSION"), which is not" \
				"installed; '$0 --dir $dir remove' deletes it"
	else
		bin=$(pg_bin) || die "no PostgreSQL 14 or newer is installed;" \
			"scripts/deps run installs it"
	fi
	pg_init "$bin" "$home"
	for try in 1 2 3 4 5; do
		port=$(server_port postgres 15432 "$1")
		mark=$(log_size postgres)
		pg_spawn "$bin" "$home" "$port" || true
		if pg_wait; then
			pg_create_db
			say "PostgreSQL $(basename "$(dirname "$bin")")" \
				"on 127.0.0.1:$port"
			return
		fi
		log_since postgres "$mark" | grep -c 'Address already in use' >/dev/null ||
			break
		[[ $1 == move ]] || break
		say "port $port was taken meanwhile (try $try)"
		printf '%s\n' $((port + 2)) >"$dir/postgres-port"
	done
	log_tail postgres
	die "PostgreSQL ended at once"
}

pg_create_db() {
	[[ -n $(pg_psql -d postgres -Atc \
		"select 1 from pg_database where datname = '$pg_db'") ]] ||
		pg_psql -d postgres -qc "create database $pg_db"
}

# pg_signal STOP|CONT: the postmaster and every backend of it.
pg_signal() {
	local pid children
	pid=$(process_pid "$(pg_pidfile)") || return 1
	kill -s "$1" "$pid"
	# One that stands still has no new children while we read.
	read -r -a children <"/proc/$pid/task/$pid/children" || true
	((!${#children[@]})) || kill -s "$1" "${children[@]}" 2>/dev/null || true
}

# pg_end SIGNAL:SECONDS...: INT is the fast shutdown, QUIT a crash: the
# postmaster takes its children with it, which kill -9 would not, and the next
# start recovers from the log.
pg_end() {
	pg_signal CONT || return 0
	process_end "$(pg_pidfile)" PostgreSQL "$@" ||
		die "PostgreSQL still runs"
}

pg_remove() {
	local home
	[[ -r $dir/postgres-home ]] || return 0
	home=$(<"$dir/postgres-home")
	rm -rf "$home/data" "$home/data.new" "$home/password"
	rmdir "$home" 2>/dev/null || true
	rm -f "$dir"/postgres-{home,port,password}
}
