#include "admin_client.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <evh/plugin.h>
#include <evh/services.h>

#include "admin_bench.h"

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct got *got = arg;

	if (one * n >= sizeof(got->body) - got->len)
		return 0;
	memcpy(got->body + got->len, data, one * n);
	got->len += one * n;
	got->body[got->len] = '\0';
	return n;
}

static size_t
on_header(char *data, size_t one, size_t n, void *arg)
{
	struct got *got = arg;

	if (one * n >= sizeof(got->headers) - got->headers_len)
		return 0;
	memcpy(got->headers + got->headers_len, data, one * n);
	got->headers_len += one * n;
	got->headers[got->headers_len] = '\0';
	return n;
}

struct got *
got_new(void)
{
	struct got *got = calloc(1, sizeof(*got));

	assert_non_null(got);
	got->curl = curl_easy_init();
	assert_non_null(got->curl);
	return got;
}

void
got_free(struct got *got)
{
	curl_easy_cleanup(got->curl);
	free(got);
}

CURLcode
got_ask(struct got *got, const struct bench *bench, const char *method,
	const char *target, const char *body)
{
	char url[512];
	CURLcode rc;

	snprintf(url, sizeof(url), "%s%s", bench->url, target);
	got->len = got->headers_len = 0;
	got->body[0] = '\0';
	curl_easy_reset(got->curl);
	curl_easy_setopt(got->curl, CURLOPT_URL, url);
	curl_easy_setopt(got->curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(got->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(got->curl, CURLOPT_TIMEOUT_MS, (long)CLIENT_WAIT_MS);
	curl_easy_setopt(got->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(got->curl, CURLOPT_WRITEDATA, got);
	curl_easy_setopt(got->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(got->curl, CURLOPT_HEADERDATA, got);
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(got->curl, CURLOPT_NOBODY, 1L);
	else if (body)
		curl_easy_setopt(got->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(got->curl, CURLOPT_CUSTOMREQUEST, method);
	rc = curl_easy_perform(got->curl);
	curl_easy_getinfo(got->curl, CURLINFO_RESPONSE_CODE, &got->status);
	curl_easy_getinfo(got->curl, CURLINFO_NUM_CONNECTS, &got->connects);
	return rc;
}

void
got_answers(struct got *got, const struct bench *bench, const char *method,
	    const char *target, long status, const char *body)
{
	assert_int_equal(got_ask(got, bench, method, target, NULL), CURLE_OK);
	assert_int_equal(got->status, status);
	assert_string_equal(got->body, body);
}

int
socket_to(const struct bench *bench)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(bench->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void
socket_send(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 strlen(text));
}

bool
socket_read(int fd, char *ret, size_t size, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	for (;;) {
		ret[len] = '\0';
		if (poll(&poll_fd, 1, timeout_ms) <= 0)
			return false;
		n = recv(fd, ret + len, size - 1 - len, 0);
		if (n <= 0)
			return true;
		len += (size_t)n;
	}
}

void
socket_hears(int fd, const char *what, char *ret, size_t size)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	ret[0] = '\0';
	while (!strstr(ret, what)) {
		assert_int_equal(poll(&poll_fd, 1, CLIENT_WAIT_MS), 1);
		n = recv(fd, ret + len, size - 1 - len, 0);
		assert_true(n > 0);
		len += (size_t)n;
		ret[len] = '\0';
	}
}
