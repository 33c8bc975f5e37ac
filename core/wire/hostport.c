#include "hostport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORM_ONE   "HOST:PORT"
#define FORM_RANGE "HOST:FIRST-LAST"
#define FORM_LIST  "HOST:PORT,..."

bool
hostport_is_form(const char *form)
{
	return strcmp(form, FORM_ONE) == 0 || strcmp(form, FORM_RANGE) == 0 ||
	       strcmp(form, FORM_LIST) == 0;
}

/* Digits up to `end`, 1..65535; 0 when they are none. */
static unsigned long
port_read(const char *text, const char *end)
{
	char *stop;
	unsigned long port;

	if (text == end || *text < '0' || *text > '9')
		return 0;
	port = strtoul(text, &stop, 10);
	return stop == end && port <= 65535 ? port : 0;
}

/* The colon before the port: the last one that is in no brackets. */
static const char *
colon_find(const char *text, const char *end)
{
	while (end > text && *--end != ']')
		if (*end == ':')
			return end;
	return NULL;
}

static bool
one_is_good(const char *text, const char *end, bool needs_port, bool may_range)
{
	const char *colon = colon_find(text, end);
	const char *dash;
	unsigned long first;

	if (!colon)
		return !needs_port && end > text;
	/* "SSL://host": what follows is no port but the host. */
	if (colon[1] == '/' || colon == text)
		return colon != text && !needs_port;
	dash = may_range ? memchr(colon, '-', (size_t)(end - colon)) : NULL;
	if (!dash)
		return port_read(colon + 1, end) > 0;
	first = port_read(colon + 1, dash);
	return first > 0 && port_read(dash + 1, end) >= first;
}

bool
hostport_is_good(const char *form, const char *text)
{
	bool is_list = strcmp(form, FORM_LIST) == 0;
	bool may_range = strcmp(form, FORM_RANGE) == 0;
	const char *end;

	if (!is_list)
		return one_is_good(text, text + strlen(text), true, may_range);
	do {
		end = strchrnul(text, ',');
		if (!one_is_good(text, end, false, false))
			return false;
		text = end + 1;
	} while (*end);
	return true;
}

/* Digits alone; where they end, or NULL. */
static const char *
port_parse(const char *text, uint16_t *ret)
{
	unsigned long port;
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	port = strtoul(text, &end, 10);
	if (port > UINT16_MAX)
		return NULL;
	*ret = (uint16_t)port;
	return end;
}

/* Why they are none, or NULL. */
static const char *
ports_parse(const char *text, bool may_range, struct hostport *ret)
{
	const char *end = port_parse(text, &ret->first);

	if (!end)
		return "the port is no number from 0 to 65535";
	ret->last = ret->first;
	if (may_range && *end == '-') {
		end = port_parse(end + 1, &ret->last);
		if (!end)
			return "the last port is no number from 1 to 65535";
		if (ret->first == 0 || ret->last < ret->first)
			return "the first port is 0 or behind the last";
	}
	return *end ? "there is something behind the port" : NULL;
}

int
hostport_split(const char *text, bool may_range, struct hostport *ret,
	       const char **ret_why)
{
	const char *colon = strrchr(text, ':');
	struct hostport split = { .first = 0 };
	size_t len;

	*ret_why = may_range ? "there is no port: HOST:PORT or HOST:FIRST-LAST"
			     : "there is no port: HOST:PORT";
	if (!colon)
		return -EINVAL;

	len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		*ret_why = "an IPv6 address wants brackets, as in [::1]:9901";
		return -EINVAL;
	}
	if (len >= sizeof(split.host)) {
		*ret_why = "the host is too long";
		return -EINVAL;
	}
	memcpy(split.host, text, len);
	split.host[len] = '\0';

	*ret_why = ports_parse(colon + 1, may_range, &split);
	if (*ret_why)
		return -EINVAL;
	*ret = split;
	return 0;
}
