# shellcheck shell=bash disable=SC2034,SC2154
# The schema is one migration too new for evhd, which goes on, so that replicas
# can be replaced one by one; then too old: the store waits, and says so, and
# events are taken, and processed when it fits.
title="a schema too old, too new"

row_run() {
	world_begin
	api_start
	consumers_start 1
	load_begin --rate 500
	load_await 500
	strike
	sql -c "INSERT INTO evh_migrations (revision, name, checksum)
		VALUES (9999, 'of_tomorrow', repeat('0', 64))"
	evhd_stop consumer-1
	consumers_start 1
	mended
	load_await 200
	sql -c "DELETE FROM evh_migrations WHERE revision = 9999"
	# Too old: no migration has been done.
	strike
	evhd_stop consumer-1
	sql -c "ALTER TABLE events RENAME TO events_away" \
		-c "ALTER TABLE evh_migrations RENAME TO migrations_away"
	evhd_start consumer-1 consumer
	says_soon consumer-1 'the database has no tables of evh yet'
	load_await 200
	sql -c "ALTER TABLE migrations_away RENAME TO evh_migrations" \
		-c "ALTER TABLE events_away RENAME TO events"
	evhd_ready consumer-1
	mended
	load_await 200
	load_end
	verify
}

# says_soon NAME TEXT: its readiness gives this reason.
says_soon() {
	local until=$((SECONDS + 60))
	until [[ $(curl -s -m 2 "${evhd_url[$1]}") == *"$2"* ]]; do
		((SECONDS < until)) || fail "$1 does not say \"$2\":" \
			"$(curl -s -m 2 "${evhd_url[$1]}")"
		sleep 0.1
	done
}
