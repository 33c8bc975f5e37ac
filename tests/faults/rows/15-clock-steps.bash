# shellcheck shell=bash disable=SC2034,SC2154
# The system's clock, as evhd sees it, steps back and forth by a minute
# (clock_step.c): what waits goes by the monotonic clock, which does not.
title="the clock steps by a minute"

# clock_set SECONDS: of five characters, written in place.
clock_set() {
	printf '%s' "$1" | dd of="$row_dir/clock" conv=notrunc status=none
}

row_run() {
	local i
	world_begin
	clock_set '+0000'
	evhd_with=(env LD_PRELOAD="$build/faults/clock_step.so"
		EVH_CLOCK_FILE="$row_dir/clock")
	api_start
	consumers_start 2
	load_begin --rate 1000
	load_await 500
	for ((i = $(times 10 2); i > 0; i--)); do
		strike
		if ((i % 2)); then
			clock_set '-0060'
		else
			clock_set '+0060'
		fi
		under_fault 3
		mended
		load_await 300
	done
	load_end
	verify
}
