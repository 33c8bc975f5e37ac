# shellcheck shell=bash
# meters.bash - what a process has used, by /proc.

# peak_mb PID...: of resident memory, all together.
peak_mb() {
	local pid
	for pid; do
		awk '/^VmHWM/ { print $2 / 1024 }' "/proc/$pid/status"
	done | awk '{ s += $1 } END { printf "%.0f", s }'
}

# rss_mb PID: of now.
rss_mb() {
	awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$1/status"
}

# cpu_s PID...: seconds of CPU so far, all together.
cpu_s() {
	local pid
	for pid; do
		sed 's/^.*) //' "/proc/$pid/stat"
	done | awk -v hz="$(getconf CLK_TCK)" \
		'{ s += $12 + $13 } END { print s / hz }'
}

# switches PID: voluntary and involuntary ones of its threads of now, which is
# why two threads that begin and end between count for nothing.
switches() {
	cat "/proc/$1/task"/*/status 2>/dev/null | awk '
		/^voluntary/ { v += $2 } /^nonvoluntary/ { n += $2 }
		END { print v, n }'
}

# per COUNT A B: what the difference is for each.
per() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { print (b - a) / n }'; }

# allocations FILE: calls that gave memory, so far (allocs.c).
allocations() { od -An -tu8 -N8 "$1" | tr -d ' '; }
