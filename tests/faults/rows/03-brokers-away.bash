# shellcheck shell=bash disable=SC2034,SC2154
# All brokers away for 30 s, 5 times, while load goes on: every request is
# answered within its deadline, and memory does not grow by what waits.  In the
# short form they are away for longer than any deadline of an event as well.
title="all brokers away"

# resident_mb NAME
resident_mb() {
	awk '/^VmRSS/ { printf "%d", $2 / 1024 }' \
		"/proc/${evhd_pid[$1]}/status"
}

row_run() {
	local i before after
	world_begin
	api_start
	consumers_start 2
	load_begin --rate 2000 --connections 64
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
		under_fault "$(times 30 16)"
		servers_do start-kafka
		mended
		load_await 1000
	done
	after=$(resident_mb api)
	figure api_grew_mb $((after - before))
	((after < before + 64)) ||
		fail "the API grew from $before to $after MB"
	load_end
	verify
}

row_mend() { servers_do start-kafka; }
