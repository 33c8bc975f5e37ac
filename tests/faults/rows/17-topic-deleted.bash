# shellcheck shell=bash disable=SC2034,SC2154
# The topic is deleted and made again, with everything in it processed before,
# since what is in a topic that somebody deletes is gone.
title="the topic deleted and made again"

row_run() {
	world_begin
	conf_add api '^	topic = ' '	rdkafka.topic.metadata.refresh.interval.ms = 2000'
	conf_add consumer '^	group = ' '	rdkafka.topic.metadata.refresh.interval.ms = 2000'
	api_start
	consumers_start 2
	load_begin --rate 1000 --run before
	load_await "$(times 3000 1000)"
	strike
	load_end
	until [[ $("$build/faults/fault_topic" "$brokers" lag "$world" "$world") == 0 ]]; do
		sleep 0.3
	done
	"$build/faults/fault_topic" "$brokers" delete "$world"
	sleep "$(times 10 3)"
	# The API, which made it, makes it again.
	load_begin --rate 1000 --run after
	load_await "$(times 3000 1000)" 90
	mended
	load_end
	verify
}
