# shellcheck shell=bash disable=SC2034,SC2154
# kill -9 of the API 20 times while it is posted to without pause: what it had
# answered is safe, what it had not is repeated by the client.
title="kill -9 of the API"
row_excuses=broken

row_run() {
	local i
	world_begin
	api_start
	consumers_start 2
	load_begin
	load_await 500
	for ((i = $(times 20 2); i > 0; i--)); do
		strike
		evhd_kill api
		api_start
		mended
		load_await 500
	done
	load_end
	verify
}
