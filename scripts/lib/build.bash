# shellcheck shell=bash
# build.bash - configure and build one preset, quietly while all goes well.
: "${root:?}"

# build_configure PRESET
build_configure() {
	local log=$root/build/$1/configure.log
	mkdir -p "$root/build/$1"
	(cd "$root" && cmake --preset "$1") >"$log" 2>&1 || {
		cat "$log" >&2
		return 1
	}
}

# build_preset PRESET [TARGET...]: all targets unless some are named.
build_preset() {
	local preset=$1 target arguments=()
	shift
	for target; do
		arguments+=(--target "$target")
	done
	build_configure "$preset" || return 1
	(cd "$root" && cmake --build --preset "$preset" -j "$(nproc)" \
		"${arguments[@]}")
}
