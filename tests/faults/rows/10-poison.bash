# shellcheck shell=bash disable=SC2034,SC2154
# 1 % poison: of what the API takes, events that a handler fails, some that it
# fails after every try, and some whose row PostgreSQL refuses; put beside it, messages of twelve kinds that are
# no events.  Each is kept as failed, none blocks the others.
title="1 % poison of fifteen kinds"

row_run() {
	world_begin
	handler_add failing '	plugin = "fail"' '	match = "fault.load.fail"'
	handler_add retrying '	plugin = "fail"' '	verdict = "retry"' \
		'	match = "fault.load.retry"' '	backoff = "20ms"'
	# With room for messages that a consumer must refuse.
	"$build/faults/fault_topic" "$brokers" create "$world" 6 1
	api_start
	consumers_start 2
	load_begin --run fail --poison fail --poison-permille 5
	load_await "$(times 25000 1500)" 120
	strike
	"$build/faults/fault_topic" "$brokers" poison "$world" \
		"$(times 480 24)" "$row_dir/ledger"
	mended
	load_await "$(times 25000 1500)" 120
	load_end
	load_begin --run retry --poison retry --poison-permille 10 \
		--events "$(times 5000 1000)"
	load_over
	load_begin --run row --poison row --poison-permille 10 \
		--events "$(times 5000 1000)"
	load_over
	verify
}
