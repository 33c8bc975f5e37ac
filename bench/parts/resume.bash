# shellcheck shell=bash disable=SC2154 # port and started are world.bash's
# resume.bash - how long partitions stand still after kill -9 of one of three
# consumers, and of one with a name of its own (group.instance.id) that is
# started again at once.  By the table: for each partition, the longest time
# between two rows around the kill.
#
# EVH_BENCH_RESUME_RATE (600), events a second.
: "${bench:?}"

resume_rate=${EVH_BENCH_RESUME_RATE:-600}
resume_session_s=15 # kafka_source's session.timeout.ms

# partitions_of NAME: those that this consumer has, by its metrics.
partitions_of() {
	curl -s -m 5 "http://127.0.0.1:$(admin_port_of "$bench/$1.log")/metrics" |
		sed -n 's/^evh_kafka_consumer_lag{.*partition="\([0-9]*\)".*/\1/p' |
		sort -nu | paste -sd,
}

# Until three consumers share six partitions for good: two each.
resume_await_group() {
	local until=$((SECONDS + 60)) i
	for i in 1 2 3; do
		until [[ $(partitions_of "consumer-$i") =~ ^[0-9]+,[0-9]+$ ]]; do
			((SECONDS < until)) ||
				die "the group did not share its partitions"
			sleep 0.2
		done
	done
}

# longest_gap PARTITIONS: the longest time without a new row of one of them,
# in seconds, while the load ran.
longest_gap() {
	psql_do "SELECT round(max(gap)::numeric, 2) FROM (
		SELECT extract(epoch FROM processed_at - lag(processed_at) OVER
			(PARTITION BY kafka_partition ORDER BY processed_at))
			AS gap
		FROM events WHERE kafka_partition IN ($1)) AS gaps"
}

resume_member() {
	export EVH_BENCH_MEMBER=bench-$1
	evhd_start "$2" "consumer-$1"
}

# resume_run NAME CONFIG AGAIN SECONDS: AGAIN yes: it is started again.
resume_run() {
	local i its others victim pace_pid
	psql_do 'TRUNCATE events'
	api_start shipped
	for i in 1 2 3; do
		resume_member $i "$2"
	done
	resume_await_group
	pace "$port" "$resume_rate" $((10 + $4)) looks=0 >"$bench/pace.out" 7>&- &
	pace_pid=$!
	sleep 5
	its=$(partitions_of consumer-3)
	others=$(partitions_of consumer-1),$(partitions_of consumer-2)
	victim=${started[3]}
	kill -KILL "$victim"
	wait "$victim" 2>/dev/null || true
	unset 'started[3]'
	[[ $3 != yes ]] || resume_member 3 "$2"
	wait "$pace_pid" || say "  not every POST was answered"
	# Until all that was posted is processed.
	local until=$((SECONDS + 60))
	while (($(psql_do "SELECT count(*) FROM events
		WHERE status = 'pending'") > 0)); do
		((SECONDS < until)) || die "events stay pending"
		sleep 0.5
	done
	figure "resume/$1/its_s" "$(longest_gap "$its")"
	figure "resume/$1/others_s" "$(longest_gap "$others")"
	end_started
}

round_resume() {
	# They take the group's time, not ours: once is enough.
	(($1 == 1)) || return 0
	resume_run killed consumer no $((resume_session_s + 5))
	resume_run static static yes 10
}

report_resume() {
	table_head 'Longest pause of a partition, seconds'
	row_alone 'kill -9 of one of three: its partitions' \
		resume/killed/its_s "<= $((resume_session_s + 1))"
	row_alone '    those of the others' resume/killed/others_s '<= 1'
	row_alone 'a static member, started again: its partitions' \
		resume/static/its_s '<= 2'
	row_alone '    those of the others' resume/static/others_s '<= 1'
}
