# shellcheck shell=bash disable=SC2034,SC2154
# Two consumers by the very same configuration: as members of the group they
# share the work; as one static member the later one ends the earlier.
title="the same configuration twice"

row_run() {
	world_begin
	api_start
	consumers_start 1
	load_begin --rate 1000
	load_await 500
	strike consumers
	evhd_start consumer-2 consumer
	evhd_ready consumer-2
	mended
	load_await 500
	evhd_stop consumer-1
	evhd_stop consumer-2
	conf_add consumer '^	group = ' '	group_instance_id = "the-one"'
	evhd_start consumer-3 consumer
	evhd_ready consumer-3
	load_await 500
	strike consumers
	evhd_start consumer-4 consumer
	evhd_wait consumer-3 60
	((ret_code == 70)) || fail "not zero: the earlier one ended by $ret_code"
	grep -q 'level=error.*can never work again: .* fenced by other consumer' \
		"$row_dir/consumer-3.log" ||
		fail "the earlier one did not say that it was fenced"
	evhd_ready consumer-4
	mended
	load_await 500
	load_end
	verify
}
