#include "hostport.h"

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
