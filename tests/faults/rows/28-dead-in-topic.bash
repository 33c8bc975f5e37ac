# shellcheck shell=bash disable=SC2034,SC2154
# 1 % of the events fail, dead letters go to a topic alone, and consumers are
# killed by kill -9: what is dead is there, and its row says pending for ever.
title="dead letters in a topic"

row_run() {
	local i name
	world_begin
	dead_topic_add '"dlq"'
	handler_add failing '	plugin = "fail"' '	match = "fault.load.fail"'
	api_start
	consumers_start 2
	load_begin --poison fail --poison-permille 10 --rate "$(times 1000 500)"
	load_await "$(times 1000 300)"
	for ((i = $(times 20 1); i > 0; i--)); do
		name=consumer-$((i % 2 + 1))
		strike consumers
		evhd_kill "$name"
		evhd_start "$name" consumer
		mended
		load_await "$(times 1000 300)"
		evhd_ready "$name"
	done
	load_end
	verify --dead-brokers "$brokers" --dead-topic "$world.dead"
	figure failing "$(poisoned fail)"
	(($(poisoned fail))) || fail "nothing failed"
	((!$(rows_with failed))) || fail "the table keeps dead letters, too"
}
