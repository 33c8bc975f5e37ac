# shellcheck shell=bash
# evhds.bash - the evhds that a script started: a folder with a file NAME.pid
# for each, and NAME.code once it has ended.  Wants process.bash.

# evhd_spawn FOLDER NAME LOG COMMAND...: in a session of its own, so that a
# Ctrl-C comes to the script alone, which ends things in their order.
evhd_spawn() {
	local folder=$1 name=$2 log=$3 until=$((SECONDS + 60))
	shift 3
	rm -f "$folder/$name.pid" "$folder/$name.code"
	evhd_mind "$folder/$name" "$log" "$@" </dev/null >/dev/null 2>&1 7>&- &
	# The shell need not tell of its end: evhd_end_tell does.
	disown
	until [[ -e $folder/$name.pid || -e $folder/$name.code ]]; do
		((SECONDS < until)) || return 1
		sleep 0.02
	done
}

# evhd_mind FILE LOG COMMAND...: its parent, who hears how it ends.
evhd_mind() {
	local file=$1 log=$2 code=0
	shift 2
	setsid "$@" >"$log" 2>&1 &
	process_record "$file.pid" $! || true
	wait $! || code=$?
	printf '%s\n' "$code" >"$file.code.new"
	mv "$file.code.new" "$file.code"
}

# evhd_end_tell FOLDER NAME: how it ended.
evhd_end_tell() {
	local code until=$((SECONDS + 5))
	# Its parent may be a moment behind.
	until [[ -e $1/$2.code ]] || ((SECONDS >= until)); do
		sleep 0.02
	done
	code=$(cat "$1/$2.code" 2>/dev/null) || code=
	if [[ -z $code ]]; then
		printf '%s has ended, nobody saw how\n' "$2"
	elif ((code > 128)); then
		printf '%s was ended by SIG%s\n' "$2" "$(kill -l "$code")"
	else
		printf '%s has ended with exit code %s\n' "$2" "$code"
	fi
}

# evhds_end FOLDER: all at once; each drains within shutdown_timeout (30 s).
# Fails when one cannot be ended.
evhds_end() {
	local file pids=() failed=0
	for file in "$1"/*.pid; do
		[[ -e $file ]] || continue
		process_end "$file" "$(basename "$file" .pid)" TERM:40 KILL:5 &
		pids+=($!)
	done
	for file in "${pids[@]}"; do
		wait "$file" || failed=1
	done
	return $failed
}
