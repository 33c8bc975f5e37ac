# shellcheck shell=bash disable=SC2034,SC2154
# 1 % of the events fail, dead letters go to a topic alone, and consumers are
# killed by kill -9, every second time while that topic does not answer them:
# what is dead is there, and its row says pending for ever.
title="dead letters in a topic"

# letters_sent NAME LINE: how many events have failed there behind that line of
# its log, and before it saw that the topic is away: their dead letters are with
# librdkafka.  Fails while it has not seen it.
letters_sent() {
	tail -n "+$(($2 + 1))" "$row_dir/$1.log" |
		awk '/ instance=dlq msg="not ready/ && !is_away++ { print n + 0 }
			/ msg="failed: / { n++ }
			END { exit !is_away }'
}

# letters_wait NAME: the topic answers no more, dead letters wait for it, and
# offsets have had their time to be committed.
letters_wait() {
	local until=$((SECONDS + 120)) line n=0
	while ((!n)); do
		proxy_say kafka pass
		evhd_ready "$1"
		line=$(wc -l <"$row_dir/$1.log")
		proxy_say kafka blackhole
		until n=$(letters_sent "$1" "$line"); do
			load_runs
			((SECONDS < until)) || fail "no dead letter of $1 waits"
			sleep 0.1
		done
	done
	under_fault 3
}

row_run() {
	local i name
	world_begin
	dead_topic_add '"dlq"'
	handler_add failing '	plugin = "fail"' '	match = "fault.load.fail"'
	# The dead letters' way to their topic alone is by the proxy.
	proxy_begin kafka
	sed -i "/^sink \"dlq\"/,/^}/s/EVH_FAULT_BROKERS/EVH_FAULT_DEAD/" \
		"$row_dir/consumer.conf"
	export EVH_FAULT_DEAD=$EVH_FAULT_BROKERS EVH_FAULT_BROKERS=$brokers
	api_start
	consumers_start 2
	load_begin --poison fail --poison-permille 10 --rate "$(times 1000 500)"
	load_await "$(times 1000 300)"
	for ((i = $(times 20 1); i > 0; i--)); do
		name=consumer-$((i % 2 + 1))
		((i % 2 == 0)) || letters_wait "$name"
		strike consumers
		evhd_kill "$name"
		# Nor does what it had sent arrive.
		proxy_say kafka reset
		proxy_say kafka pass
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
