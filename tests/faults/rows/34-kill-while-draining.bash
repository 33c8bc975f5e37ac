# shellcheck shell=bash disable=SC2034,SC2154
# The broker is back and the spool drains into it; kill -9 of the API in the
# midst of that, 20 times: it goes on where it was, and twice has no effect.
title="kill -9 while draining"
row_long=yes
row_excuses=broken

# spool_drains: some of what was spooled has been delivered, or all of it was
# before anybody looked.
spool_drains() {
	local until=$((SECONDS + 60)) before
	before=$(spool_figure delivered_total)
	until (($(spool_figure delivered_total) > before)) ||
		(($(spool_figure records) == 0)); do
		load_runs
		((SECONDS < until)) || fail "the spool does not drain"
		sleep 0.01
	done
}

row_run() {
	local n kills tries left=-1
	world_begin
	api_spools
	api_start
	consumers_start 2
	load_begin --rate "$(times 800 300)"
	load_await 500
	kills=$(times 20 2)
	tries=$((3 * kills))
	while ((kills > 0)); do
		((tries-- > 0)) || fail "the spool drains before a kill finds it"
		servers_do kill-kafka
		load_await "$(times 4000 500)"
		servers_do start-kafka
		strike
		spool_drains
		# Every second time the broker stands still before, for so long
		# that what it has not answered would be noted as gone by who
		# does not wait for that.
		((kills % 2)) || { servers_do freeze-kafka && under_fault 3; }
		n=$(spool_figure records)
		evhd_kill api
		((kills % 2)) || servers_do thaw-kafka
		# One that had nothing left then counts for nothing.
		if ((n > 0)); then
			kills=$((kills - 1))
			((left >= 0 && left <= n)) || left=$n
		fi
		api_start
		mended
		load_await 200
	done
	load_end
	verify
	figure left_at_least "$left"
}

row_mend() {
	servers_do thaw-kafka || true
	servers_do start-kafka
}
