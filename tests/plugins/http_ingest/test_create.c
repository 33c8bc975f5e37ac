/* Events made of requests, where memory or room is short. */
#include "create.h"

#include "client.h"
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

/* {"name":"a","data":{"k":"xxx..."}}, whose key has so many bytes. */
static int
post_key(size_t size, struct answer *ret)
{
	static const char head[] = "{\"name\":\"a\",\"data\":{\"k\":\"";
	static char body[40000];

	memset(body, 'x', sizeof(body));
	memcpy(body, head, strlen(head));
	memcpy(body + strlen(head) + size, "\"}}", 4);
	client_post(&rig, body, ret);
	return ret->status;
}

static void
a_key_beyond_its_limit_gives_422(void **state)
{
	static const char *const settings[] = { "key=/k", NULL };
	static struct answer answer;

	(void)state;
	rig_init(&rig);
	rig_start(&rig, settings);
	assert_int_equal(post_key(16384, &answer), 201);
	assert_int_equal(post_key(16385, &answer), 422);
	assert_string_equal(
		answer.body,
		"{\"detail\":[{\"type\":\"value_error\",\"loc\":[\"body\","
		"\"data\"],\"msg\":\"Value error, the event's key must have at "
		"most 16384 bytes\",\"input\":null,\"ctx\":{\"error\":{}}}]}");
	assert_int_equal(rig.n_emitted, 1);
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_retry_whose_answer_cannot_be_written_is_not_emitted),
		cmocka_unit_test(a_key_beyond_its_limit_gives_422),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
