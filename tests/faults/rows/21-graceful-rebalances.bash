# shellcheck shell=bash disable=SC2034,SC2154
# Consumers join and leave as they should, 40 times: what one has in hand it
# finishes before it gives its partitions up, so nothing is done twice.  What it
# has in hand takes longer than a rebalance.
title="graceful rebalances"

row_run() {
	local i twice
	world_begin
	# Each row that is written, whether it finds one there or not.
	sql -c "CREATE TABLE fault_tries (id uuid)" -c "CREATE FUNCTION
		fault_try() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
			INSERT INTO fault_tries VALUES (NEW.id);
			RETURN NEW;
		END'" -c "CREATE TRIGGER fault_try BEFORE INSERT ON events
		FOR EACH ROW WHEN (NEW.status = 'processed')
		EXECUTE FUNCTION fault_try()"
	# However slow the machine is, none gives up waiting for what it has in
	# hand, and no session ends.
	conf_add consumer '^	group = ' '	revoke_timeout = "60s"'
	sed -i 's/session.timeout.ms = .*/session.timeout.ms = 45000/' \
		"$row_dir/consumer.conf"
	handler_add slow '	plugin = "sleep"' '	time = "300ms"'
	api_start
	consumers_start 2
	load_begin --rate 300 --keys 16
	load_await 300
	for ((i = $(times 20 2); i > 0; i--)); do
		strike consumers
		evhd_start consumer-3 consumer
		evhd_ready consumer-3
		mended
		load_await 300
		strike consumers
		evhd_stop consumer-3
		mended
		load_await 300
	done
	load_end
	verify
	twice=$(sql -c 'SELECT count(*) - count(DISTINCT id) FROM fault_tries')
	figure rows_written "$(sql -c 'SELECT count(*) FROM fault_tries')"
	figure done_twice "$twice"
	((!twice)) || fail "not zero: $twice events were done twice"
}
