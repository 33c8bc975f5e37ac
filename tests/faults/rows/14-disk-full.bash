# shellcheck shell=bash disable=SC2034,SC2154
# The disk of the table is full and freed again, 5 times: a tablespace on a
# small tmpfs, which takes root to mount.  The server says 53100, which is an
# outage and no data error: nothing is dead-lettered, and events are taken all
# the while.  A third consumer's log is on that disk, too: it goes on without, and
# says how many entries were lost when there is room again.
title="disk full"

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo -n "$@"
	fi
}

# full_met: how often a consumer met the full disk; it says so once an outage.
full_met() {
	cat "$row_dir"/consumer-*.log | grep -cE '53100|No space left' || true
}

# disk_fill: to the last byte; the log's last page as well, where an entry would
# still find room.
disk_fill() {
	local page=4096 log=${evhd_log[consumer-3]} size
	as_root dd if=/dev/zero of="$small/filler" bs=64k 2>/dev/null || true
	size=$(stat -c %s "$log")
	head -c $((page - size % page)) /dev/zero 2>/dev/null >>"$log" || true
}

# log_lost: how often the log without room said, later, what it lost.
log_lost() {
	grep -acE 'log entries were lost' "${evhd_log[consumer-3]}" || true
}

row_run() {
	local i met lost until
	world_begin
	small=$(mktemp -d /tmp/evh-faults.XXXXXX)
	as_root mount -t tmpfs -o size=64m,mode=0777 tmpfs "$small" ||
		fail "a small tmpfs could not be mounted: that takes root"
	mkdir "$small/space"
	as_root chown --reference="$(sql -c 'SHOW data_directory')" \
		"$small/space"
	chmod 700 "$small/space" 2>/dev/null || as_root chmod 700 "$small/space"
	sql -c "CREATE TABLESPACE ${world}_small LOCATION '$small/space'"
	sql -c "ALTER TABLE events SET TABLESPACE ${world}_small"
	evhd_log[consumer-3]=$small/consumer-3.log
	api_start
	consumers_start 3
	load_begin --rate 1500
	load_await 500
	for ((i = $(times 5 1); i > 0; i--)); do
		met=$(full_met)
		lost=$(log_lost)
		strike consumers
		disk_fill
		under_fault "$(times 10 4)"
		load_await 100
		until=$((SECONDS + 60))
		until (($(full_met) > met || SECONDS >= until)); do
			load_runs
			sleep 0.1
		done
		as_root rm "$small/filler"
		processed_again
		(($(full_met) > met)) || fail "no consumer met the full disk"
		until=$((SECONDS + 60))
		until (($(log_lost) > lost)); do
			load_runs
			((SECONDS < until)) ||
				fail "the full log does not say what it lost"
			sleep 0.1
		done
		load_await 1000
	done
	load_end
	verify
}

row_mend() {
	[[ -n ${small-} ]] || return 0
	sql -c "ALTER TABLE events SET TABLESPACE pg_default" || true
	sql -c "DROP TABLESPACE IF EXISTS ${world}_small" || true
	cp "$small/consumer-3.log" "$row_dir" || true
	as_root umount "$small"
	rmdir "$small"
}
