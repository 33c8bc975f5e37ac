# shellcheck shell=bash disable=SC2034,SC2154
# The broker is away and the API spools; kill -9 of it 20 times meanwhile: what
# it answered is in its spool, and comes out of it when the broker is back.
title="kill -9 while spooling"
row_excuses=broken

row_run() {
	local i
	world_begin
	api_spools
	api_start
	consumers_start 2
	load_begin --rate "$(times 1000 300)"
	load_await 500
	servers_do kill-kafka
	for ((i = $(times 20 2); i > 0; i--)); do
		# None of these can be with the broker, but for the first few.
		load_await "$(times 500 200)"
		strike
		evhd_kill api
		api_start
		mended
	done
	load_await 500
	figure spooled "$(spool_figure records)"
	(($(spool_figure records) > 0)) || fail "nothing is in the spool"
	servers_do start-kafka
	mended
	load_await 500
	load_end
	verify
}

row_mend() { servers_do start-kafka; }
