# shellcheck shell=bash disable=SC2034,SC2154
# The topic is deleted and made again, with everything in it processed before,
# since what is in a topic that somebody deletes is gone.  So nothing is in
# flight when it goes; what is struck are the handles of the API and the group.
title="the topic deleted and made again"
row_strikes=

row_run() {
	world_begin
	conf_add api '^	topic = ' '	rdkafka.topic.metadata.refresh.interval.ms = 2000'
	conf_add consumer '^	group = ' '	rdkafka.topic.metadata.refresh.interval.ms = 2000'
	api_start
	consumers_start 2
	load_begin --rate 1000 --run before
	load_await "$(times 3000 1000)"
	load_end
	caught_up 120
	"$build/faults/fault_topic" "$brokers" delete "$world"
	sleep "$(times 10 3)"
	# The API, which made it, makes it again.
	load_begin --rate 1000 --run after
	load_await "$(times 3000 1000)" 90
	mended
	load_end
	verify
}
