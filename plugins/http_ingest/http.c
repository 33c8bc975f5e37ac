#include "http.h"

int
http_ready(const struct http *http)
{
	if (http->host == NULL)
		return 0;
	return http->host->state(http->host->self, NULL, NULL);
}

bool
http_is_draining(const struct http *http)
{
	return atomic_load_explicit(&http->life, memory_order_acquire) !=
	       HTTP_RUNNING;
}

bool
http_body_take(struct http *http, size_t n)
{
	size_t before = atomic_fetch_add_explicit(&http->body_bytes, n,
						  memory_order_relaxed);

	if (n <= http->set.body_memory && before <= http->set.body_memory - n)
		return true;
	http_body_give(http, n);
	return false;
}

void
http_body_give(struct http *http, size_t n)
{
	atomic_fetch_sub_explicit(&http->body_bytes, n, memory_order_relaxed);
}
