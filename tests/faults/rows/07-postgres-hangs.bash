# shellcheck shell=bash disable=SC2034,SC2154
# PostgreSQL stands still (SIGSTOP) and the network swallows everything (black
# hole), 5 times each for 12 s, not 60, with a write_timeout of 5 s, not 30:
# nothing in libpq or the kernel notices, the store's own deadline does.  Then
# the network is slow, 100 ms each way.  Events are taken all the while, and by
# the slow network processed.
title="PostgreSQL hangs"

# given_up: waits until a consumer has; the fault lasts as long.
given_up() {
	local until=$((SECONDS + 60)) said='' i
	until [[ $said == *'PostgreSQL did not'* ]]; do
		((SECONDS < until)) || fail "no write met its deadline"
		said=
		for i in 1 2; do
			said+=$(curl -s -m 2 "${evhd_url[consumer-$i]}")
		done
		sleep 0.1
	done
}

# processing_goes_on: an event has its effect, while the fault is there.
processing_goes_on() {
	local before until=$((SECONDS + 60))
	before=$(effects_done)
	until (($(effects_done) > before)); do
		load_runs
		((SECONDS < until)) || fail "nothing is processed by a slow" \
			"network within 60 s"
		sleep 0.1
	done
}

row_run() {
	local i
	world_begin
	conf_add consumer '^store "events"' '	write_timeout = "5s"'
	proxy_begin pg
	api_start
	consumers_start 2
	load_begin --rate 1500
	load_await 500
	for ((i = $(times 10 2); i > 0; i--)); do
		strike consumers
		if ((i % 2)); then
			servers_do freeze-postgres
			under_fault "$(times 12 7)"
			given_up
			load_await 100
			servers_do thaw-postgres
		else
			proxy_say pg blackhole
			under_fault "$(times 12 7)"
			given_up
			load_await 100
			# The connections of before do not come back.
			proxy_say pg reset
			proxy_say pg pass
		fi
		processed_again
		load_await 500
	done
	strike consumers
	proxy_say pg delay 100
	under_fault "$(times 12 2)"
	processing_goes_on
	load_await 100
	proxy_say pg pass
	processed_again
	load_await 500
	load_end
	verify
}

row_mend() { servers_do thaw-postgres; }
