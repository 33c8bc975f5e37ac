# shellcheck shell=bash
# picture.bash - curves as SVG, by gnuplot, into .run/bench/pictures, or where
# EVH_BENCH_PICTURES says.
: "${bench:?}"

pictures=${EVH_BENCH_PICTURES:-$bench/pictures}

# picture [--log] NAME TITLE X-LABEL Y-LABEL FILE:X-COLUMN:Y-COLUMN:TITLE...
picture() {
	local scale='' name title x_label y_label file x y key plots=''
	[[ $1 != --log ]] || {
		scale='set logscale x'
		shift
	}
	name=$1 title=$2 x_label=$3 y_label=$4
	shift 4
	mkdir -p "$pictures"
	for file; do
		IFS=: read -r file x y key <<<"$file"
		[[ -s $file ]] || continue
		plots+="${plots:+, }'$file' using $x:$y with linespoints"
		plots+=" pointtype 7 pointsize 0.5 linewidth 1.5 title '$key'"
	done
	[[ -n $plots ]] || return 0
	gnuplot <<-END || die "gnuplot could not draw $name"
		set terminal svg size 640,400 font 'sans-serif,11' background 'white'
		set output '$pictures/$name.svg'
		set title '$title'
		set xlabel '$x_label'
		set ylabel '$y_label'
		set yrange [0:*]
		set grid
		set key below
		set datafile missing '-'
		$scale
		plot $plots
	END
	say "  a picture: $pictures/$name.svg"
}
