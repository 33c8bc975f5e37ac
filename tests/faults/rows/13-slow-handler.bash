# shellcheck shell=bash disable=SC2034,SC2154
# A handler that takes twice the poll interval for 1 % of the events: it causes
# no rebalance.  The window is so small that what is behind such an event fills
# it, and the source has to wait for room.
title="a handler slower than the poll"

# calm_at N: no rebalance beyond those that there were.
calm_at() {
	local n
	n=$(counted kafka_rebalances)
	((n == $1)) || fail "it caused $((n - $1)) rebalances"
}

# slow_await N: until so many slow ones were sent.
slow_await() {
	local until=$((SECONDS + 120))
	until (($(poisoned slow) >= $1)); do
		load_runs
		((SECONDS < until)) || fail "not $1 slow events within 120 s"
		sleep 0.1
	done
}

row_run() {
	local before until
	world_begin
	handler_add slow '	plugin = "sleep"' '	time = "20s"' \
		'	hold = no' '	match = "fault.load.slow"'
	# The session is as long as the poll interval, the most that librdkafka
	# takes: one that ends since the machine is slow is a rebalance, too.
	sed -i -e 's/session.timeout.ms = .*/session.timeout.ms = 10000/' \
		-e 's/^\tin_flight = .*/\tin_flight = 4/' "$row_dir/consumer.conf"
	grep -q '^	in_flight = 4$' "$row_dir/consumer.conf" ||
		die "conf/consumer.conf has no in_flight to set"
	conf_add consumer '^	group = ' '	rdkafka.max.poll.interval.ms = 10000'
	api_start
	consumers_start 2
	before=$(counted kafka_rebalances)
	load_begin --poison slow --poison-permille 10 --keys 16 --rate 60
	slow_await "$(times 5 1)"
	strike consumers
	under_fault "$(times 10 5)"
	mended
	load_end
	# Until the last of them is through: a poll that waits for one is missed
	# only then.
	until=$((SECONDS + 400))
	until settled; do
		((SECONDS < until)) || fail "not all was processed within 400 s"
		calm_at "$before"
		sleep 0.5
	done
	calm_at "$before"
	verify
}
