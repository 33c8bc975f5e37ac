# shellcheck shell=bash
# figures.bash - what was measured, and the tables made of it.
#
# A figure is a line "NAME VALUE" of the file $bench/figures; a name that comes
# again is another round.  Names are paths: http/evhd/kafka/64/rate.
: "${bench:?}" "${root:?}" "${rounds:?}" "${seconds:?}" "${rows:?}"

# figure NAME VALUE
figure() {
	[[ $2 =~ ^[0-9.eE+-]+$ ]] || die "$1: \"$2\" is no figure"
	printf '%s %s\n' "$1" "$2" >>"$bench/figures"
	say "  $1: $2"
}

figures() { awk -v name="$1" '$1 == name { print $2 }' "$bench/figures"; }

# median NUMBER...
median() {
	printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
		END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# median_of NAME: empty when there is none.
median_of() {
	local values
	mapfile -t values < <(figures "$1")
	((!${#values[@]})) || median "${values[@]}"
}

# spread_of NAME: how far the rounds lie apart, in per cent of the median.
spread_of() {
	figures "$1" | awk -v m="$(median_of "$1")" '
		NR == 1 || $1 < a { a = $1 }
		NR == 1 || $1 > b { b = $1 }
		END { if (m > 0) printf "%.0f", 100 * (b - a) / m }'
}

# best_of NAME...: of those whose /rate is known, the one with the highest.
best_of() {
	local name best='' high=0 rate
	for name; do
		rate=$(median_of "$name/rate")
		[[ -n $rate ]] || continue
		if awk -v a="$rate" -v b="$high" 'BEGIN { exit !(a > b) }'; then
			best=$name
			high=$rate
		fi
	done
	printf '%s\n' "$best"
}

# value_named FILE NAME: what stands behind a word in a program's output, as
# in "rate 100 cpu_us 4".
value_named() {
	awk -v name="$2" '{ for (i = 1; i < NF; i++)
		if ($i == name) { print $(i + 1); exit } }' "$1"
}

# ---- Tables ------------------------------------------------------------------

table_head() {
	printf '\n%s\n' "$1"
	printf '%-50s %11s %11s %7s %9s %s\n' '' evhd "${2-bare}" ratio \
		'spread %' target
}

number() {
	awk -v v="$1" 'BEGIN { if (v == "") print "-"
		else if (v >= 1000) printf "%.0f", v
		else if (v >= 10) printf "%.1f", v
		else printf "%.2f", v }'
}

# verdict VALUE TARGET: TARGET is ">= 0.9" or "<= 4", or empty.
verdict() {
	[[ -n ${2-} && -n $1 ]] || return 0
	awk -v v="$1" -v op="${2% *}" -v limit="${2#* }" 'BEGIN {
		met = op == ">=" ? v >= limit : v <= limit
		print op, limit, met ? "met" : "MISSED" }'
}

# row TITLE NAME BARE-NAME [TARGET]: the target is about the ratio.  What was
# not measured has no row.
row() {
	local ours bare ratio=''
	ours=$(median_of "$2")
	bare=$(median_of "$3")
	[[ -n $ours ]] || return 0
	[[ -z $bare ]] || ratio=$(awk -v a="$ours" -v b="$bare" \
		'BEGIN { if (b > 0) printf "%.3f", a / b }')
	printf '%-50s %11s %11s %7s %9s %s\n' "$1" "$(number "$ours")" \
		"$(number "$bare")" "$(number "$ratio")" \
		"$(spread_of "$2")/$(spread_of "$3")" \
		"$(verdict "$ratio" "${4-}")"
}

# row_alone TITLE NAME [TARGET]: the target is about the figure itself.
row_alone() {
	local ours
	ours=$(median_of "$2")
	[[ -n $ours ]] || return 0
	printf '%-50s %11s %11s %7s %9s %s\n' "$1" "$(number "$ours")" '' '' \
		"$(spread_of "$2")" "$(verdict "$ours" "${3-}")"
}

# ---- For machines --------------------------------------------------------------

# json_string TEXT
json_string() {
	local text=${1//\\/\\\\}
	printf '"%s"' "${text//\"/\\\"}"
}

conditions() {
	local cpu
	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	printf '\t"commit": %s,\n' "$(json_string "$(git -C "$root" \
		describe --always --dirty 2>/dev/null)")"
	printf '\t"when": "%s",\n' "$(date -u +%FT%TZ)"
	printf '\t"processor": %s,\n\t"cores": %s,\n' "$(json_string "$cpu")" \
		"$(nproc)"
	printf '\t"kernel": %s,\n' "$(json_string "$(uname -sr)")"
	printf '\t"compiler": %s,\n' \
		"$(json_string "$(gcc --version | head -n 1)")"
	printf '\t"load_at_start": %s,\n' "${load_at_start:-0}"
	printf '\t"rounds": %s,\n\t"seconds": %s,\n\t"rows": %s,\n' \
		"$rounds" "$seconds" "$rows"
}

report_json() {
	{
		printf '{\n'
		conditions
		printf '\t"figures": {\n'
		LC_ALL=C sort -s -k1,1 "$bench/figures" | awk '
			function flush() {
				if (name != "")
					printf "%s\t\t\"%s\": [%s]", sep, name, v
				if (name != "") sep = ",\n"
			}
			$1 != name { flush(); name = $1; v = $2; next }
			{ v = v ", " $2 }
			END { flush(); print "" }'
		printf '\t}\n}\n'
	} >"$bench/report.json"
	jq -e . "$bench/report.json" >/dev/null || die "report.json is no JSON"
	say "all figures: .run/bench/report.json"
}
