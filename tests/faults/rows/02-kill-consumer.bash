# shellcheck shell=bash disable=SC2034,SC2154
# kill -9 of consumers 20 times, of one of three in turn; the others go on.
title="kill -9 of a consumer"

row_run() {
	local i name
	world_begin
	# So that there is always something in hand, in and behind a handler.
	handler_add slow '	plugin = "sleep"' '	time = "20ms"'
	api_start
	consumers_start 3
	load_begin --rate 2000
	load_await 500
	for ((i = $(times 20 2); i > 0; i--)); do
		name=consumer-$((i % 3 + 1))
		strike consumers
		evhd_kill "$name"
		evhd_start "$name" consumer
		mended
		load_await 1000
		evhd_ready "$name"
	done
	load_end
	verify
}
