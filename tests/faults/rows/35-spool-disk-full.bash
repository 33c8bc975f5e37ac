# shellcheck shell=bash disable=SC2034,SC2154
# The broker is away and the API spools until it cannot, 3 times: first its disk
# is full (a small tmpfs, which takes root to mount), then there is room again
# and max_size is reached, then the disk is full as well, and the broker comes
# back.  What was answered is in the spool, and needs no room to come out of it.
title="spool's disk full"

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo -n "$@"
	fi
}

# disk_fill KIB: so much is left.
disk_fill() {
	local left
	left=$(df -k --output=avail "$small" | tail -n 1)
	dd if=/dev/zero bs=1k count=$((left - $1)) 2>/dev/null \
		>>"$small/filler" || fail "the small tmpfs could not be filled"
}
disk_free() { rm "$small/filler"; }

# api_refuses WHY: some hear 503, and /readyz says why.
api_refuses() {
	local until=$((SECONDS + 60)) text=
	figure_await 503 5
	until text=$(curl -s -m 2 "${evhd_url[api]}?verbose") &&
		[[ $text == *"$1"* ]]; do
		load_runs
		((SECONDS < until)) || fail "/readyz does not say \"$1\": $text"
		sleep 0.02
	done
}

# spool_takes N: so many more are in the spool.
spool_takes() {
	local until=$((SECONDS + 60)) before
	before=$(spool_figure taken_total)
	until (($(spool_figure taken_total) >= before + $1)); do
		load_runs
		((SECONDS < until)) || fail "not $1 more were spooled"
		sleep 0.02
	done
}

spool_empties() {
	local until=$((SECONDS + 60))
	until (($(spool_figure records) == 0)); do
		load_runs
		((SECONDS < until)) || fail "the spool is not drained"
		sleep 0.02
	done
}

row_run() {
	local i
	world_begin
	small=$(mktemp -d /tmp/evh-faults.XXXXXX)
	as_root mount -t tmpfs -o "size=4m,mode=0700,uid=$EUID" tmpfs \
		"$small" ||
		fail "a small tmpfs could not be mounted: that takes root"
	api_spools "$small/spool" 'max_size = "1M"'
	api_start
	consumers_start 2
	# Those that are on their way when the broker goes have their answers
	# late: there are more to fill the spool.
	load_begin --rate 150 --pad 2000 --connections 900
	load_await 100
	for ((i = $(times 3 1); i > 0; i--)); do
		disk_fill 256
		servers_do kill-kafka
		spool_takes 20
		strike
		api_refuses 'No space left on device'
		disk_free
		spool_takes 20
		api_refuses 'the spool is full, up to max_size'
		disk_fill 0
		figure spooled "$(spool_figure records)"
		servers_do start-kafka
		spool_empties
		mended
		disk_free
		load_await 100
	done
	load_end
	verify
	grep -q 'spool .* cannot be written: No space left' "$row_dir/api.log" ||
		fail "the API's log says nothing of the full disk"
}

row_mend() {
	servers_do start-kafka
	[[ -n ${small-} ]] || return 0
	as_root umount "$small"
	rmdir "$small"
}
