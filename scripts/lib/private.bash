# shellcheck shell=bash
# private.bash - all private servers of this tree: those of run, test and bench,
# and those that single tests start for themselves.
: "${scripts:?}" "${root:?}"

# private_servers COMMAND: `scripts/servers COMMAND` in each folder; fails when
# one of them does, once all were asked.
private_servers() {
	local dir dirs failed=0
	[[ -d $root/.run ]] || return 0
	mapfile -d '' dirs < <(find "$root/.run" -type d -name 'servers*' \
		-prune -print0)
	for dir in "${dirs[@]}"; do
		"$scripts/servers" --dir "$dir" "$1" || failed=1
	done
	return $failed
}
