/*
 * answer.c - the pages.
 */
#include "answer.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char type_json[] = "application/json";
static const char type_metrics[] = "text/plain; version=0.0.4; charset=utf-8";

typedef int page_fn(const struct evh_host *host, bool verbose,
		    struct answer *ret);

/* Takes text, which may be NULL: then memory was short. */
static int
answer_json(struct answer *ret, unsigned status, char *text)
{
	if (!text)
		return -ENOMEM;
	*ret = (struct answer){ .status = status,
				.type = type_json,
				.text = text,
				.len = strlen(text) };
	return 0;
}

static int
answer_detail(struct answer *ret, unsigned status, const char *detail)
{
	char *text;

	if (asprintf(&text, "{\"detail\":\"%s\"}", detail) < 0)
		return -ENOMEM;
	return answer_json(ret, status, text);
}

/* ---- What the host puts ------------------------------------------------- */

static void
file_put(void *arg, const char *text, size_t len)
{
	fwrite(text, 1, len, arg);
}

typedef int host_fn(void *self, evh_put *put, void *arg);

/* All that fn puts, as one text, yours; *ret_rc is what fn returned. */
static int
host_text(const struct evh_host *host, host_fn *fn, char **ret, size_t *ret_len,
	  int *ret_rc)
{
	char *text = NULL;
	size_t len = 0;
	bool failed;
	FILE *f;

	f = open_memstream(&text, &len);
	if (!f)
		return -ENOMEM;
	*ret_rc = fn(host->self, file_put, f);
	failed = ferror(f);
	if (fclose(f) != 0 || failed) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	*ret_len = len;
	return 0;
}

/* ---- Pages ----------------------------------------------------------------
 */

static int
page_livez(const struct evh_host *host, bool verbose, struct answer *ret)
{
	(void)host;
	(void)verbose;
	return answer_json(ret, 200, strdup("{\"status\":\"alive\"}"));
}

/* Of the whole state only why it is not ready. */
static char *
not_ready_text(const char *state, size_t len)
{
	json_t *all = json_loadb(state, len, 0, NULL), *brief, *reasons;
	char *text = NULL;

	reasons = json_object_get(all, "reasons");
	brief = json_pack("{s:s, s:o}", "status", "not ready", "reasons",
			  json_is_array(reasons) ? json_incref(reasons)
						 : json_array());
	if (brief)
		text = json_dumps(brief, JSON_COMPACT);
	json_decref(brief);
	json_decref(all);
	return text;
}

static int
page_readyz(const struct evh_host *host, bool verbose, struct answer *ret)
{
	char *state, *text;
	unsigned status;
	size_t len;
	int rc, ready;

	rc = host_text(host, host->state, &state, &len, &ready);
	if (rc < 0)
		return rc;
	status = ready < 0 ? 503 : 200;
	if (verbose)
		return answer_json(ret, status, state);

	text = ready < 0 ? not_ready_text(state, len)
			 : strdup("{\"status\":\"ready\"}");
	free(state);
	return answer_json(ret, status, text);
}

static int
page_metrics(const struct evh_host *host, bool verbose, struct answer *ret)
{
	int rc, rendered;
	size_t len;
	char *text;

	(void)verbose;
	rc = host_text(host, host->metrics, &text, &len, &rendered);
	if (rc < 0)
		return rc;
	if (rendered < 0) {
		free(text);
		return answer_detail(ret, 500, "The metrics cannot be made");
	}
	*ret = (struct answer){
		.status = 200, .type = type_metrics, .text = text, .len = len
	};
	return 0;
}

static const struct {
	const char *path;
	page_fn *page;
	bool asks_host;
} routes[] = {
	{ "/livez", page_livez, false },
	{ "/readyz", page_readyz, true },
	{ "/metrics", page_metrics, true },
};

int
answer_make(const struct evh_host *host, const char *method, const char *path,
	    bool verbose, struct answer *ret)
{
	size_t i, n = sizeof(routes) / sizeof(routes[0]);
	int rc;

	for (i = 0; i < n && strcmp(routes[i].path, path) != 0; i++)
		;
	if (i == n)
		return answer_detail(ret, 404, "Not Found");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		rc = answer_detail(ret, 405, "Method Not Allowed");
		if (rc == 0)
			ret->allow = "GET, HEAD";
		return rc;
	}
	if (routes[i].asks_host && !host)
		return answer_detail(ret, 501, "This evhd does not offer it");
	return routes[i].page(host, verbose, ret);
}
