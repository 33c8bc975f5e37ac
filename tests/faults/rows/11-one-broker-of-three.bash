# shellcheck shell=bash disable=SC2034,SC2154
# One broker of three killed, 10 times, another one each time: two replicas are
# enough, so events are taken and processed all the while.  Every other time
# its fellows stand still for its last second, so that whatever it said yes to
# by itself dies with it.
title="one broker of three killed"
row_long=yes

# fellows_thaw N: all but that one.
fellows_thaw() {
	local node
	for node in 1 2 3; do
		((node == $1)) || servers_do "thaw-kafka-$node" || true
	done
}

row_run() {
	local i node
	world_begin cluster
	api_start
	consumers_start 2
	load_begin --rate 1500 --connections 64 --keys 16
	load_await 500
	for ((i = $(times 10 1); i > 0; i--)); do
		node=$((i % 3 + 1))
		strike
		if ((i % 2)); then
			servers_do freeze-kafka
			servers_do "thaw-kafka-$node"
			under_fault 1
		fi
		servers_do "kill-kafka-$node"
		((i % 2 == 0)) || fellows_thaw "$node"
		under_fault 3
		load_await 300
		servers_do "start-kafka-$node"
		mended
		load_await 300
	done
	load_end
	verify
}

row_mend() {
	fellows_thaw 0
	servers_do start-kafka
}
