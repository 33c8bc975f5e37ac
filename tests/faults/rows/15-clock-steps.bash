# shellcheck shell=bash disable=SC2034,SC2154
# The system's clock, as evhd sees it, steps back and forth by a minute, by
# libfaketime; deadlines go by the monotonic clock, which does not.
title="the clock steps by a minute"

row_run() {
	local i lib
	world_begin
	lib=$(compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1') ||
		fail "libfaketime is not installed"
	echo '+0' >"$row_dir/clock"
	evhd_with=(env LD_PRELOAD="$lib" FAKETIME_DONT_FAKE_MONOTONIC=1
		DONT_FAKE_MONOTONIC=1 FAKETIME_CACHE_DURATION=1
		FAKETIME_TIMESTAMP_FILE="$row_dir/clock")
	api_start
	consumers_start 2
	load_begin --rate 1000
	load_await 500
	for ((i = $(times 10 2); i > 0; i--)); do
		strike
		if ((i % 2)); then
			echo '-60' >"$row_dir/clock"
		else
			echo '+60' >"$row_dir/clock"
		fi
		under_fault 3
		mended
		load_await 300
	done
	load_end
	verify
}
