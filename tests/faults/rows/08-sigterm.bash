# shellcheck shell=bash disable=SC2034,SC2154
# 50 SIGTERMs under load, of the API and of a consumer in turn, half of them
# while the broker stands still or is away: exit 0, always within
# shutdown_timeout (10 s here) and what it takes to say goodbye.  One event of
# fifty waits to be tried again then: it is handed back, and nobody of its
# key overtakes it.
title="SIGTERM, the broker away or not"
row_long=yes
row_excuses=broken

# broker_away I, broker_back I: frozen or killed, in turn; the short form has
# both.
broker_away() {
	if (($1 % 8 < 4)); then
		servers_do freeze-kafka
	else
		servers_do kill-kafka
	fi
}
broker_back() {
	if (($1 % 8 < 4)); then
		servers_do thaw-kafka
	else
		servers_do start-kafka
	fi
}

row_run() {
	local i name
	world_begin
	conf_add api '^debug' 'shutdown_timeout = "10s"'
	conf_add consumer '^debug' 'shutdown_timeout = "10s"'
	handler_add slow '	plugin = "fail"' '	verdict = "retry"' \
		'	every = 50' '	until = 1' '	backoff = "2s"'
	exit_limit=15
	api_start
	consumers_start 2
	load_begin --rate 2000
	load_await 500
	for ((i = $(times 50 6); i > 0; i--)); do
		if ((i % 2)); then
			name=api
			strike
		else
			name=consumer-1
			strike consumers
		fi
		((i % 4 < 2)) || broker_away "$i"
		evhd_stop "$name"
		((i % 4 < 2)) || broker_back "$i"
		evhd_start "$name" "${name%-*}"
		evhd_ready "$name"
		mended
		load_await 200
	done
	load_end
	verify
}

row_mend() {
	servers_do thaw-kafka || true
	servers_do start-kafka
}
