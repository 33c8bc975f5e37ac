# shellcheck shell=bash
# port.bash - TCP ports of this machine that nobody listens on.

# port_taken PORT: somebody listens on it, at whatever address.
port_taken() {
	local hex files=(/proc/net/tcp)
	printf -v hex ':%04X' "$1"
	[[ -r /proc/net/tcp6 ]] && files+=(/proc/net/tcp6)
	awk -v port="$hex" '
		$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
		END { exit !found }' "${files[@]}"
}

# port_free FIRST [LAST]: prints the first free one, of 100 unless told.
port_free() {
	local port last=${2:-$(($1 + 99))}
	for ((port = $1; port <= last; port++)); do
		if ! port_taken "$port"; then
			printf '%s\n' "$port"
			return
		fi
	done
	printf 'no free port from %s to %s\n' "$1" "$last" >&2
	return 1
}
