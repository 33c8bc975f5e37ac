#include "http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CALL_TIMEOUT_MS 60000

struct text {
	char *at;
	size_t len;
};

static size_t
text_add(char *data, size_t size, size_t n, void *arg)
{
	struct text *text = arg;
	char *grown = realloc(text->at, text->len + size * n + 1);

	if (!grown)
		return 0;
	text->at = grown;
	memcpy(text->at + text->len, data, size * n);
	text->len += size * n;
	text->at[text->len] = '\0';
	return size * n;
}

static struct curl_slist *
headers_of(const void *body, const char *header)
{
	struct curl_slist *list = NULL;

	/* libcurl asks for 100-continue by itself with larger bodies. */
	list = curl_slist_append(list, "Expect:");
	if (body && (!header || strncasecmp(header, "content-type", 12) != 0))
		list = curl_slist_append(list,
					 "Content-Type: application/json");
	if (header)
		list = curl_slist_append(list, header);
	return list;
}

struct http_answer
http_call(int port, const char *method, const char *path, const void *body,
	  size_t len, const char *header)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *list = headers_of(body, header);
	struct text came = { calloc(1, 1), 0 };
	struct text head = { calloc(1, 1), 0 };
	struct http_answer answer = { 0 };
	char url[2048];

	assert_non_null(curl);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CALL_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, text_add);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &came);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	answer.body = came.at;
	answer.len = came.len;
	answer.headers = head.at;
	return answer;
}

void
http_answer_fini(struct http_answer *answer)
{
	free(answer->body);
	free(answer->headers);
	*answer = (struct http_answer){ 0 };
}

const char *
http_answer_header(const struct http_answer *answer, const char *name,
		   char *ret, size_t size)
{
	size_t len = strlen(name);
	const char *line = answer->headers;

	ret[0] = '\0';
	for (; line && *line; line = strstr(line, "\r\n")) {
		if (*line == '\r')
			line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " ");
			snprintf(ret, size, "%.*s", (int)strcspn(line, "\r\n"),
				 line);
			break;
		}
	}
	return ret;
}

char *
http_raw(int port, const void *bytes, size_t len, int quiet_ms, size_t *ret_len)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct text came = { calloc(1, 1), 0 };
	char buf[4096];
	ssize_t n = 1;

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	/* The server may have closed already: what it said is still there. */
	(void)send(fd, bytes, len, MSG_NOSIGNAL);
	while (n > 0 && poll(&pfd, 1, quiet_ms) > 0) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n > 0)
			text_add(buf, 1, (size_t)n, &came);
	}
	close(fd);
	if (ret_len)
		*ret_len = came.len;
	return came.at;
}
