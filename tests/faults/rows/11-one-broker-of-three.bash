# shellcheck shell=bash disable=SC2034,SC2154
# One broker of three killed, 10 times, another one each time: two replicas are
# enough, so events are taken and processed all the while.
title="one broker of three killed"

row_run() {
	local i
	world_begin cluster
	api_start
	consumers_start 2
	load_begin --rate 1500
	load_await 500
	for ((i = $(times 10 1); i > 0; i--)); do
		strike
		servers_do "kill-kafka-$((i % 3 + 1))"
		under_fault 3
		load_await 300
		servers_do "start-kafka-$((i % 3 + 1))"
		mended
		load_await 300
	done
	load_end
	verify
}

row_mend() { servers_do start-kafka; }
