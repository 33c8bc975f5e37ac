# shellcheck shell=bash disable=SC2034,SC2154
# The topic is deleted and made again, with everything in it processed before,
# since what is in a topic that somebody deletes is gone: so nothing is in flight
# when it goes.  What is struck are the handles of the API and the group.  First
# it is missed for a while; then it is there again at once, and consumers read on
# in a log that is shorter than what they have read.  One dies before that is as
# long as the old one was.
title="the topic deleted and made again"
row_strikes=

topic_do() { "$build/faults/fault_topic" "$brokers" "$@"; }

# loaded RUN N: so many 2xx of a load, which are processed and committed then.
loaded() {
	load_begin --rate 1000 --run "$1"
	load_await "$2" 90
	[[ $1 == before ]] || mended
	load_end
	caught_up "$drain_limit"
}

row_run() {
	local n
	n=$(times 3000 1000)
	world_begin
	conf_add api '^	topic = ' '	rdkafka.topic.metadata.refresh.interval.ms = 2000'
	# Long enough to miss nothing that is made again at once.
	conf_add consumer '^	group = ' '	rdkafka.topic.metadata.refresh.interval.ms = 10000'
	api_start
	consumers_start 2
	loaded before "$n"
	topic_do delete "$world"
	sleep "$(times 10 3)"
	# The API, which made it, makes it again.
	loaded missed "$n"
	topic_do delete "$world"
	topic_do create "$world" 6 1
	loaded at_once $((n / 2))
	load_begin --rate 1000 --run beyond
	load_await $((n / 4))
	evhd_kill consumer-1
	load_await "$n"
	evhd_start consumer-1 consumer
	evhd_ready consumer-1
	mended
	load_end
	verify
}
