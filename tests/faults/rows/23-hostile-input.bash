# shellcheck shell=bash disable=SC2034,SC2154
# What hostile and awkward input does: the integration tests of HTTP's framing
# and limits, of JSON and of bytes that must come out as they went in.
title="hostile HTTP, JSON, bytes"
row_has_ledger=

row_run() {
	local tests='^(bytes|http_framing|http_limits|http_errors)$'
	[[ -z ${EVH_FAULT_SHORT-} ]] || tests='^(bytes|http_framing)$'
	servers_use
	cmake --build "$build" -j "$(nproc)" --target bytes http_framing \
		http_limits http_errors >"$row_dir/build.log" 2>&1
	ctest --test-dir "$build" -R "$tests" --timeout 300 \
		--no-tests=error --output-on-failure >"$row_dir/ctest.log" ||
		fail "$(grep -cE '\*\*\*Failed|Timeout' "$row_dir/ctest.log")" \
			"of them failed; see $row_dir/ctest.log"
}
