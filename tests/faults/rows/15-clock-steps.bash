# shellcheck shell=bash disable=SC2034,SC2154
# The system's clock, as evhd sees it, steps back and forth by a minute
# (clock_step.c), and at last back by an hour: what waits goes by the monotonic
# clock, which does not.  One event of twenty waits to be tried again.
title="the clock steps by a minute"

# clock_set SECONDS: of five characters, written in place.
clock_set() {
	printf '%s' "$1" | dd of="$row_dir/clock" conv=notrunc status=none
}

# stepped SECONDS SINCE: an event that is sent from now on was created so many
# seconds off the server's clock, which showed SINCE when the API's had stepped.
stepped() {
	local until=$((SECONDS + 60)) nth event='' off
	nth=$(($(load_figure sent) + 1))
	until [[ -n $event ]] && off=$(sql -c "SELECT CASE
		WHEN created_at < timestamptz '$2' + interval '$1 s'
		THEN 'before' WHEN created_at > now() + interval '$1 s'
		THEN 'after' ELSE 'well' END FROM events
		WHERE data->>'k' = '${event% *}' AND data->>'n' = '${event#* }'") &&
		[[ -n $off ]]; do
		load_runs
		((SECONDS < until)) || fail "no event came after the step"
		sleep 0.1
		event=$(awk -v nth="$nth" '$1 == "sent" && ++n == nth {
			print $2, $3
			exit
		}' "$row_dir/ledger")
	done
	[[ $off == well ]] || fail "the clock did not step by $1 s: an event" \
		"was created $off that"
}

row_run() {
	local i step since
	world_begin
	handler_add slow '	plugin = "fail"' '	verdict = "retry"' \
		'	every = 20' '	until = 1' '	backoff = "1500ms"'
	clock_set '+0000'
	evhd_with=(env LD_PRELOAD="$build/faults/clock_step.so"
		EVH_CLOCK_FILE="$row_dir/clock")
	api_start
	consumers_start 2
	load_begin --rate 1000
	load_await 500
	for ((i = $(times 10 2); i > 0; i--)); do
		strike
		step=60
		((i % 2 == 0)) || step=-60
		((i > 1)) || step=-3600
		clock_set "$(printf '%+05d' $step)"
		since=$(sql -c 'SELECT now()')
		under_fault 3
		stepped $step "$since"
		mended
		load_await 300
	done
	load_end
	verify
}
