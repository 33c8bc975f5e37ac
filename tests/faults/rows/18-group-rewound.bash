# shellcheck shell=bash disable=SC2034,SC2154
# The group is reset to the beginning of the topic: everything comes again, and
# has no second effect.
title="the group reset to the beginning"

row_run() {
	local i taken lag
	world_begin
	api_start
	consumers_start 2
	load_begin
	load_await "$(times 20000 3000)" 120
	strike
	for i in 1 2; do
		evhd_stop "consumer-$i"
	done
	taken=$(load_figure 2xx)
	"$build/faults/fault_topic" "$brokers" rewind "$world" "$world"
	lag=$("$build/faults/fault_topic" "$brokers" lag "$world" "$world")
	((lag >= taken)) ||
		fail "not zero: $((taken - lag)) events do not come again"
	consumers_start 2
	mended
	load_await 1000
	load_end
	caught_up 120
	verify
}
