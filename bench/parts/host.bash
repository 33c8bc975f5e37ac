# shellcheck shell=bash
# host.bash - evhd alone, on one core: a source and handlers that do nothing.
#
# EVH_BENCH_HOST_EVENTS (3000000).
: "${bench:?}" "${build:?}" "${evhd:?}"

host_events=${EVH_BENCH_HOST_EVENTS:-3000000}

# host_run COMMAND...: evhd with $bench/host.conf; ret_wall_ns and ret_cpu_ns,
# of each event.
host_run() {
	"$@" "$evhd" -c "$bench/host.conf" >"$bench/host.out" \
		2>"$bench/host.log" 7>&- || {
		tail -n 5 "$bench/host.log" >&2
		die "evhd alone ended with $?"
	}
	ret_wall_ns=$(value_named "$bench/host.out" wall_ns)
	ret_cpu_ns=$(value_named "$bench/host.out" cpu_ns)
}

# The last core; the first one has most of the machine's interrupts.
host_core=$(($(nproc) - 1))

# host_allocations EVENTS: of a whole run.
host_allocations() {
	host_config "$1" 3 >"$bench/host.conf"
	rm -f "$bench/allocs"
	EVH_ALLOCS=$bench/allocs LD_PRELOAD=$build/bench/allocs.so \
		host_run taskset -c "$host_core"
	allocations "$bench/allocs"
}

round_host() {
	local n one nine
	for n in 1 3 9; do
		host_config "$host_events" "$n" >"$bench/host.conf"
		host_run taskset -c "$host_core"
		figure "host/evhd/$n/rate" "$(awk -v ns="$ret_wall_ns" \
			'BEGIN { printf "%.0f", 1e9 / ns }')"
		figure "host/evhd/$n/cpu_ns" "$ret_cpu_ns"
		[[ $n != 1 ]] || one=$ret_cpu_ns
		nine=$ret_cpu_ns
	done
	figure host/evhd/handler_ns "$(per 8 "$one" "$nine")"
	(($1 == 1)) || return 0
	# What is allocated once is not in the difference.
	one=$(host_allocations "$host_events")
	nine=$(host_allocations $((2 * host_events)))
	figure host/evhd/allocations "$(per "$host_events" "$one" "$nine")"
}

report_host() {
	table_head 'evhd alone, on one core: nothing but the host'
	row_alone 'source, three no-op handlers, sink: events/s' \
		host/evhd/3/rate '>= 3000000'
	row_alone '    CPU ns per event' host/evhd/3/cpu_ns
	row_alone 'one more handler, ns' host/evhd/handler_ns '<= 100'
	row_alone 'allocations per event' host/evhd/allocations '<= 0.001'
}
