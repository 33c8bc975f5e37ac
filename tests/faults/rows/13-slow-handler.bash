# shellcheck shell=bash disable=SC2034,SC2154
# A handler that takes twice the poll interval for 1 % of the events: it causes
# no rebalance, and the others go on.
title="a handler slower than the poll"

row_run() {
	local before after
	world_begin
	handler_add slow '	plugin = "sleep"' '	time = "12s"' \
		'	hold = no' '	match = "fault.load.slow"'
	conf_add consumer '^	group = ' '	rdkafka.max.poll.interval.ms = 6000'
	api_start
	consumers_start 2
	before=$(counted kafka_rebalances)
	load_begin --poison slow --poison-permille 10 --keys 16 \
		--rate "$(times 100 60)"
	load_await "$(times 1000 200)"
	strike consumers
	under_fault "$(times 20 1)"
	mended
	load_end
	after=$(counted kafka_rebalances)
	figure rebalances $((after - before))
	((after == before)) || fail "it caused $((after - before)) rebalances"
	verify
}
