# shellcheck shell=bash
# process.bash - a process that a script started, known by a file.
#
# The file holds the pid, the time at which that process began, and the boot
# that this time counts from.  A pid alone is not enough: after its process
# has ended, the kernel gives the number to a stranger, and nobody here may
# ever signal a stranger.

# process_began PID: when it began, in ticks since boot; fails when there is
# no such process, or only a zombie that waits for its parent.  While one of its
# threads is still on its way out it has its ports and files, and runs.
process_began() {
	local stat
	{ stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
	# The name in parentheses may hold anything, parentheses included.
	read -r -a stat <<<"${stat##*) }"
	[[ ${stat[0]} != [ZX] ]] || ((stat[17] > 1)) || return 1
	printf '%s\n' "${stat[19]}"
}

process_boot() {
	cat /proc/sys/kernel/random/boot_id
}

# process_record FILE PID: remembers a process that runs now.
process_record() {
	local began
	began=$(process_began "$2") || return 1
	printf '%s %s %s\n' "$2" "$began" "$(process_boot)" >"$1.new" &&
		mv "$1.new" "$1"
}

# process_pid FILE: prints the pid while that very process runs, else fails.
process_pid() {
	local pid began boot
	[[ -r $1 ]] && read -r pid began boot <"$1" || return 1
	[[ $boot == "$(process_boot)" ]] || return 1
	[[ $(process_began "$pid") == "$began" ]] || return 1
	printf '%s\n' "$pid"
}

# process_gone FILE SECONDS: waits until it has ended; fails when time is up.
process_gone() {
	local until=$((SECONDS + $2))
	while process_pid "$1" >/dev/null; do
		((SECONDS < until)) || return 1
		sleep 0.05
	done
}

# process_end FILE NAME SIGNAL:SECONDS...: sends one signal after the other,
# each with its time, until it has ended; forgets the file then.
process_end() {
	local file=$1 name=$2 pid step
	shift 2
	for step; do
		pid=$(process_pid "$file") || break
		# A frozen process takes the signal only once it goes on; one
		# that is quick has gone by then.
		kill -s "${step%:*}" "$pid" 2>/dev/null || true
		kill -s CONT "$pid" 2>/dev/null || true
		process_gone "$file" "${step#*:}" && break
		printf '%s: process %s did not end within %s s of SIG%s\n' \
			"$name" "$pid" "${step#*:}" "${step%:*}" >&2
	done
	if pid=$(process_pid "$file"); then
		printf '%s: process %s cannot be ended\n' "$name" "$pid" >&2
		return 1
	fi
	rm -f "$file"
}
