# shellcheck shell=bash disable=SC2034,SC2154
# The topic gets more partitions while it is written and read.  A key may have
# another partition then, so order within a key is not promised across it.
title="the topic gets more partitions"

row_run() {
	local i
	world_begin
	conf_add api '^	topic = ' '	rdkafka.topic.metadata.refresh.interval.ms = 2000'
	conf_add consumer '^	group = ' '	rdkafka.topic.metadata.refresh.interval.ms = 2000'
	api_start
	consumers_start 2
	load_begin --rate 1000
	load_await 500
	for ((i = 1; i <= $(times 3 1); i++)); do
		strike consumers
		"$build/faults/fault_topic" "$brokers" widen "$world" \
			$((6 + 3 * i))
		under_fault 5
		mended
		load_await 1000
	done
	load_end
	verify --unordered
	figure partitions "$(sql -c \
		'SELECT count(DISTINCT kafka_partition) FROM events')"
	(($(sql -c 'SELECT max(kafka_partition) FROM events') > 5)) ||
		fail "nothing came through a new partition"
}
