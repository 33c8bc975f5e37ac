/* Events made of requests, where memory or room is short. */
#include "create.h"

#include "http.h"
#include "loop.h"
#include "request.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct rig rig;

static void
a_retry_whose_answer_cannot_be_written_is_not_emitted(void **state)
{
	const unsigned char id[16] = { 1 };
	const struct evh_spec spec = { .id = id, .name = "a" };
	static struct http http;
	static struct loop loop;
	struct request request = { .loop = &loop,
				   .route = ROUTE_RETRY,
				   .method = METHOD_POST };

	(void)state;
	rig_init(&rig);
	http.ctx = &rig.ctx;
	loop.http = &http;
	request.event = rig.ctx.event_new(&rig.ctx, &spec, NULL);
	request.answer.failed = true; /* as when out of memory */
	create_again(&request);
	assert_int_equal(rig.n_emitted, 0);
	assert_int_equal(rig.n_freed, 1);
	assert_null(request.event);
	assert_false(request.outstanding);
	assert_int_equal(request.reply, REPLY_NO_MEMORY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_retry_whose_answer_cannot_be_written_is_not_emitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
