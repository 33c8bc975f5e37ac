# shellcheck shell=bash
# build.bash - configure and build one preset, quietly while all goes well.
: "${root:?}"

# build_preset PRESET [TARGET...]: all targets unless some are named.
build_preset() {
	local preset=$1 target arguments=()
	shift
	for target; do
		arguments+=(--target "$target")
	done
	mkdir -p "$root/build/$preset"
	if ! (cd "$root" && cmake --preset "$preset") \
		>"$root/build/$preset/configure.log" 2>&1; then
		cat "$root/build/$preset/configure.log" >&2
		return 1
	fi
	(cd "$root" && cmake --build --preset "$preset" -j "$(nproc)" \
		"${arguments[@]}")
}
