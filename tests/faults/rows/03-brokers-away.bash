# shellcheck shell=bash disable=SC2034,SC2154
# All brokers away for 30 s, 5 times, while load goes on: three of them, in the
# short form one.  Every request is answered within its deadline, and memory
# does not grow by what waits or was refused: most of 900 connections offer
# their event of 4 kB again and again.  In the short form the brokers are away
# for longer than any deadline of an event as well.
title="all brokers away"
row_long=yes
grows_most_mb=64

# resident_mb NAME
resident_mb() {
	awk '/^VmRSS/ { printf "%d", $2 / 1024 }' \
		"/proc/${evhd_pid[$1]}/status"
}

# resident_note: the most that the API ever had is in most.
resident_note() {
	local now
	now=$(resident_mb api)
	((now <= most)) || most=$now
}

# away SECONDS: the fault lasts.
away() {
	local until=$((SECONDS + $1))
	while ((SECONDS < until)); do
		load_runs
		resident_note
		sleep 0.1
	done
}

row_run() {
	local i before most=0
	if [[ $(times cluster -) == cluster ]]; then
		world_begin cluster
	else
		world_begin
	fi
	api_start
	consumers_start 2
	load_begin --rate 300 --connections 900 --pad 4000
	load_await 1000
	before=$(resident_mb api)
	for ((i = $(times 5 1); i > 0; i--)); do
		strike
		# By a crash and by a stop, in turn.
		if ((i % 2)); then
			servers_do kill-kafka
		else
			servers_do stop-kafka
		fi
		away "$(times 30 16)"
		servers_do start-kafka
		# Before what has waited is gone.
		resident_note
		mended 60
		resident_note
		load_await 1000
	done
	figure refused "$(load_figure 503)"
	figure api_grew_mb $((most - before))
	((most < before + grows_most_mb)) ||
		fail "the API grew from $before to $most MB"
	load_end
	verify
}

row_mend() { servers_do start-kafka; }
