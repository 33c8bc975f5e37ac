# shellcheck shell=bash disable=SC2034,SC2154
# The topic gets more partitions while it is written and read.  A key may have
# another partition then, so order within a key is not promised across it.
# Consumers stand still until there is something in the new ones, which they
# are to read from its beginning.
title="the topic gets more partitions"

# consumers_signal STOP|CONT
consumers_signal() {
	kill -s "$1" "${evhd_pid[consumer-1]}" "${evhd_pid[consumer-2]}"
}

# written_await PARTITION: until there is something in it, or behind it.
written_await() {
	local n until=$((SECONDS + 60))
	until n=$("$build/faults/fault_topic" "$brokers" written "$world" \
		"$1") && ((n > 0)); do
		load_runs
		((SECONDS < until)) || fail "nothing was written to partition" \
			"$1 and those behind it within 60 s"
	done
}

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
		consumers_signal STOP
		"$build/faults/fault_topic" "$brokers" widen "$world" \
			$((6 + 3 * i))
		written_await $((3 + 3 * i))
		consumers_signal CONT
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
