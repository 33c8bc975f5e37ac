# shellcheck shell=bash
# once.bash - one of a kind at a time: `make run`, `make test`.
#
# The lock is descriptor 7, which whatever is started in the background must
# close (7>&-), and goes with the process that holds it.  Beside it stands the
# pid, for `make stop`.

# once_only NAME FOLDER: fails, saying so, while another one runs.
once_only() {
	mkdir -p "$2"
	exec 7>>"$2/$1.lock"
	if ! flock -n 7; then
		printf 'make %s runs already, as process %s; make stop ends it\n' \
			"$1" "$(process_pid "$2/$1.pid" || echo unknown)" >&2
		return 1
	fi
	process_record "$2/$1.pid" $$
}
