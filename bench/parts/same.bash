# shellcheck shell=bash disable=SC2154 # some are world.bash's
# same.bash - that each way by hand leaves the very rows that evhd leaves; else
# it would be no reference.  It fails when they differ; its rates are of too few
# rows to say anything.
: "${root:?}" "${bench:?}"

same_ways=(unnest:1000:1:jansson unnest:500:2:scan copy:500:2:scan
	staging:700:2:scan look:500:2:scan update:1000:1:scan)
same_columns='id, name, data::text, raw, status, attempts, created_at,
	kafka_topic, kafka_partition, kafka_offset'

# same_differ VARIANT: rows that only one of the two has.  Of what is no JSON
# each makes its own id, name and attempts: bytes and place are compared.
same_differ() {
	local columns=$same_columns
	[[ $1 != poison ]] || columns='data::text, raw, status, kafka_topic,
		kafka_partition, kafka_offset'
	psql_do "SELECT count(*) FROM (
		(SELECT $columns FROM bench_same EXCEPT
			SELECT $columns FROM events) UNION ALL
		(SELECT $columns FROM events EXCEPT
			SELECT $columns FROM bench_same)) AS differing"
}

round_same() {
	local variant way n rows=2000
	(($1 == 1)) || return 0
	# shellcheck source=bench/parts/store.bash
	. "$root/bench/parts/store.bash"
	for variant in new poison; do
		backlog "$variant"
		store_evhd "$variant" 1
		psql_do 'DROP TABLE IF EXISTS bench_same'
		psql_do 'CREATE TABLE bench_same AS SELECT * FROM events'
		for way in "${same_ways[@]}"; do
			store_bare "$variant" "$way"
			n=$(same_differ "$variant")
			((n == 0)) || die "$way, $variant: $n rows differ" \
				"from evhd's"
			say "  $way, $variant: the same rows as evhd's"
		done
	done
}

report_same() { :; }
