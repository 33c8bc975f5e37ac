# shellcheck shell=bash disable=SC2034,SC2154
# kill -9 of consumers 20 times, of one of three in turn; the others go on.
title="kill -9 of a consumer"
row_long=yes

row_run() {
	local i name
	world_begin
	# One of twenty takes longer than the second between two commits of
	# offsets, so that there is always something in hand that others around
	# it have overtaken.
	handler_add slow '	plugin = "fail"' '	verdict = "retry"' \
		'	every = 20' '	until = 1' '	backoff = "1500ms"'
	api_start
	consumers_start 3
	load_begin --rate 1000
	load_await 2000
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
