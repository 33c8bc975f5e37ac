# shellcheck shell=bash disable=SC2034,SC2154
# The disk of the table is full and freed again, 5 times: a tablespace on a
# small tmpfs, which takes root to mount.  The server says 53100, which is an
# outage and no data error: nothing is dead-lettered, and events are taken all
# the while.
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

row_run() {
	local i met until
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
	api_start
	consumers_start 2
	load_begin --rate 1500
	load_await 500
	for ((i = $(times 5 1); i > 0; i--)); do
		met=$(full_met)
		strike consumers
		as_root dd if=/dev/zero of="$small/filler" bs=64k \
			2>/dev/null || true
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
		load_await 1000
	done
	load_end
	verify
}

row_mend() {
	[[ -n ${small-} ]] || return 0
	sql -c "ALTER TABLE events SET TABLESPACE pg_default" || true
	sql -c "DROP TABLESPACE IF EXISTS ${world}_small" || true
	as_root umount "$small"
	rmdir "$small"
}
