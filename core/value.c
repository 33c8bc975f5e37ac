/*
 * value.c - texts as numbers, times, sizes, and choices.
 */
#include "value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hostport.h"
#include "options.h"

struct unit {
	const char *name;
	int64_t factor;
};

static int
int_parse(const char *text, const char **ret_end, int64_t *ret)
{
	const char *digits = *text == '-' ? text + 1 : text;
	char *end;
	long long value;

	if (*digits < '0' || *digits > '9')
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno == ERANGE)
		return -ERANGE;
	*ret_end = end;
	*ret = value;
	return 0;
}

/* units ends with { NULL }, and begins with "". */
static int
unit_parse(const char *text, const struct unit *units, int64_t *ret)
{
	const char *end;
	int64_t value;
	int err;

	err = int_parse(text, &end, &value);
	if (err < 0)
		return err;
	if (*text == '-')
		return -EINVAL;
	for (; units->name; units++) {
		if (strcmp(units->name, end) != 0)
			continue;
		if (__builtin_mul_overflow(value, units->factor, &value))
			return -ERANGE;
		*ret = value;
		return 0;
	}
	return -EINVAL;
}

int
options_parse_msec(const char *text, int64_t *ret_ms)
{
	static const struct unit units[] = {
		{ "", 1 },	    { "ms", 1 },	  { "s", 1000 },
		{ "m", 60 * 1000 }, { "h", 3600 * 1000 }, { "d", 86400 * 1000 },
		{ NULL, 0 },
	};

	return unit_parse(text, units, ret_ms);
}

int
options_parse_size(const char *text, int64_t *ret_bytes)
{
	static const struct unit units[] = {
		{ "", 1 },	  { "K", 1 << 10 }, { "k", 1 << 10 },
		{ "M", 1 << 20 }, { "G", 1 << 30 }, { NULL, 0 },
	};

	return unit_parse(text, units, ret_bytes);
}

int
options_parse_bool(const char *text, bool *ret)
{
	static const char *const words[] = { "false", "true", "0",   "1",
					     "no",    "yes",  "off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(words[i], text) == 0) {
			*ret = i % 2 == 1;
			return 0;
		}
	return -EINVAL;
}

const char *
value_type_name(enum evh_type type)
{
	switch (type) {
	case EVH_STR:
		return "text";
	case EVH_INT:
		return "number";
	case EVH_BOOL:
		return "boolean";
	case EVH_SIZE:
		return "size";
	case EVH_MSEC:
		return "time";
	case EVH_SECRET:
		return "secret";
	case EVH_LIST:
		return "list";
	case EVH_MAP:
		return "map";
	case EVH_INSTANCE:
		return "instance";
	}
	return NULL;
}

static int
number_parse(enum evh_type type, const char *text, int64_t *ret)
{
	const char *end;
	bool yes;
	int err;

	if (type == EVH_SIZE)
		return options_parse_size(text, ret);
	if (type == EVH_MSEC)
		return options_parse_msec(text, ret);
	if (type == EVH_BOOL) {
		err = options_parse_bool(text, &yes);
		if (err == 0)
			*ret = yes;
		return err;
	}
	err = int_parse(text, &end, ret);
	return err < 0 ? err : *end ? -EINVAL : 0;
}

static bool
type_is_number(enum evh_type type)
{
	return type == EVH_INT || type == EVH_SIZE || type == EVH_MSEC;
}

/* One alternative of `values`, n bytes long: a copy that can be cut. */
struct alternative {
	char text[64];
	char *upper; /* of a range, behind its dots; else NULL */
};

static bool
alternative_cut(const char *values, size_t n, struct alternative *ret)
{
	char *dots;

	if (n == 0 || n >= sizeof(ret->text))
		return false;
	memcpy(ret->text, values, n);
	ret->text[n] = '\0';
	dots = hostport_is_form(ret->text) ? NULL : strstr(ret->text, "..");
	ret->upper = dots ? dots + 2 : NULL;
	if (dots)
		*dots = '\0';
	return true;
}

static bool
alternative_allows(enum evh_type type, const struct alternative *alternative,
		   const char *text)
{
	int64_t lower, upper, number;

	if (hostport_is_form(alternative->text))
		return hostport_is_good(alternative->text, text);
	if (!alternative->upper)
		return strcmp(alternative->text, text) == 0;
	return number_parse(type, text, &number) == 0 &&
	       number_parse(type, alternative->text, &lower) == 0 &&
	       number_parse(type, alternative->upper, &upper) == 0 &&
	       number >= lower && number <= upper;
}

bool
value_range_is_good(const struct evh_option *option)
{
	const char *values = option->values;

	while (values) {
		size_t n = strcspn(values, "|");
		struct alternative alternative;
		int64_t lower, upper;

		if (!alternative_cut(values, n, &alternative))
			return false;
		if (alternative.upper &&
		    (!type_is_number(option->type) ||
		     number_parse(option->type, alternative.text, &lower) < 0 ||
		     number_parse(option->type, alternative.upper, &upper) <
			     0 ||
		     lower > upper))
			return false;
		values = values[n] ? values + n + 1 : NULL;
	}
	return true;
}

static bool
values_allow(const struct evh_option *option, const char *text)
{
	const char *values = option->values;

	/* Of an instance it is what that has to offer, see offers.h. */
	if (!values || option->type == EVH_INSTANCE)
		return true;
	while (values) {
		size_t n = strcspn(values, "|");
		struct alternative alternative;

		if (alternative_cut(values, n, &alternative) &&
		    alternative_allows(option->type, &alternative, text))
			return true;
		values = values[n] ? values + n + 1 : NULL;
	}
	return false;
}

int
value_check(const struct evh_option *option, const char *text,
	    int64_t *ret_number, char **ret_why)
{
	static const char *const should_be[] = {
		[EVH_INT] = "a whole number",
		[EVH_BOOL] = "true or false (or 1/0, yes/no, on/off)",
		[EVH_SIZE] = "a size like 512K, 64M or 1G",
		[EVH_MSEC] = "a time like 1500ms, 30s or 5m",
	};
	bool is_number =
		type_is_number(option->type) || option->type == EVH_BOOL;
	int64_t number = 0;
	int n, err = is_number ? number_parse(option->type, text, &number) : 0;

	/* A word that `values` allows need not be a number: "auto|1..64". */
	if (values_allow(option, text) && (err == 0 || option->values)) {
		*ret_number = number;
		return 0;
	}
	if (err < 0)
		n = asprintf(ret_why, "this must be %s%s%s",
			     should_be[option->type],
			     option->values ? ", " : "",
			     option->values ? option->values : "");
	else
		n = asprintf(ret_why, "this must be %s%s", option->values,
			     strstr(option->values, "HOST:")
				     ? " with ports of 1..65535"
				     : "");
	return n < 0 ? -ENOMEM : -EINVAL;
}

const char *
value_item_next(const char **s, size_t *ret_n)
{
	const char *item = *s + strspn(*s, " ,");
	size_t n = strcspn(item, ",");

	*s = item + n;
	while (n > 0 && item[n - 1] == ' ')
		n--;
	*ret_n = n;
	return n > 0 ? item : NULL;
}
