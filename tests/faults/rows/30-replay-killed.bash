# shellcheck shell=bash disable=SC2034,SC2154
# What a handler failed is retried by `evhd dlq retry --all`, once the handler
# is mended; kill -9 ends that in the middle, again and again, and it goes on:
# everything is processed, once.
title="kill -9 of a replay"

# retry_begin RATE: in the background, with a memory.
retry_begin() {
	"$build/evhd" dlq -c "$row_dir/api.conf" retry --all \
		--state "$row_dir/retried" --rate "$1/s" \
		>>"$row_dir/retry.log" 2>&1 &
	evhd_pid[retry]=$!
}

# await WHAT: until that command says yes.
await() {
	local until=$((SECONDS + 120))
	until "$1"; do
		evhd_revive
		((SECONDS < until)) || fail "not $1 within 120 s:" \
			"$(rows_with failed) rows are failed"
		sleep 0.05
	done
}
all_done() { (($(rows_with failed) == n && !$(rows_with pending))); }
some_retried() { (($(rows_with failed) <= n)); }

row_run() {
	local i n some
	some=$(times 50 5)
	world_begin
	handler_add failing '	plugin = "fail"' '	match = "fault.load.mended"'
	api_start
	consumers_start 2
	load_begin --run first --poison mended --poison-permille 500 \
		--events "$(times 6000 800)"
	load_over
	n=$(poisoned mended)
	await all_done
	figure failed_first "$n"
	# The handler does no harm any more.
	sed -i 's/"fault.load.mended"/"nobody"/' "$row_dir/consumer.conf"
	for i in 1 2; do
		evhd_stop "consumer-$i"
	done
	consumers_start 2
	load_begin --run on --rate 300
	load_await 100
	for ((i = $(times 20 2); i > 0; i--)); do
		# So slow that many are left at the last kill, however long it
		# takes to see that some are done.
		n=$(($(rows_with failed) - some))
		retry_begin "$some"
		await some_retried
		strike consumers
		evhd_kill retry
		mended
	done
	retry_begin 500
	evhd_wait retry 120
	((!ret_code)) || fail "the last retry exited with $ret_code"
	load_await 100
	load_end
	verify
	n=$(rows_with processed "name = 'fault.load.mended'")
	figure processed_then "$n"
}
