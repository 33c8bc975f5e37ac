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
