# shellcheck shell=bash disable=SC2034,SC2154
# What hostile and awkward input does: the integration tests of HTTP's framing
# and limits, of JSON and of bytes that must come out as they went in.
title="hostile HTTP, JSON, bytes"
row_has_ledger=

# what_failed: the names of tests, each a sentence.
what_failed() {
	sed -n 's/^.*\[  FAILED  \] \([a-z][a-z0-9_]*\)$/\1; /p' \
		"$row_dir/ctest.log" | sort -u | tr -d '\n'
}

row_run() {
	local tests='^(bytes|http_framing|http_limits|http_errors)$'
	[[ -z ${EVH_FAULT_SHORT-} ]] || tests='^(bytes|http_framing)$'
	servers_use
	cmake --build "$build" -j "$(nproc)" --target bytes http_framing \
		http_limits http_errors >"$row_dir/build.log" 2>&1
	ctest --test-dir "$build" -R "$tests" --timeout 300 \
		--no-tests=error --output-on-failure >"$row_dir/ctest.log" ||
		fail "failed: $(what_failed)see $row_dir/ctest.log"
}
