# shellcheck shell=bash
# host_config.bash - what evhd runs where nothing but the host is measured.

# host_config EVENTS HANDLERS [WORKERS [IN-FLIGHT]]: a source, so many handlers
# and a sink, that all do nothing.  $build has them.
host_config() {
	local i chain='"spout"'
	printf 'source "spout" {\n\tplugin = "%s"\n\tcount = %s\n}\n' \
		"${build:?}/bench/spout.so" "$1"
	for ((i = 1; i <= $2; i++)); do
		printf 'handler "noop%s" { plugin = "%s" }\n' $i \
			"$build/bench/noop.so"
		chain+=", \"noop$i\""
	done
	printf 'sink "drain" { plugin = "%s" }\n' "$build/bench/drain.so"
	printf 'pipeline "host" {\n\tchain = { %s, "drain" }\n' "$chain"
	printf '\ton_fail = { "drain" }\n\tworkers = %s\n' "${3:-0}"
	[[ -z ${4-} ]] || printf '\tin_flight = %s\n' "$4"
	printf '}\n'
}
