/*
 * value.h - one value against one row of an option table.
 *
 * What a row's type and its `values` allow: "1..65535" is a range, "text|json"
 * a choice, and "auto|1..64" both ("auto" is the number 0 then); bounds are
 * written like the values themselves ("1K..64M", "10ms..5m").  "HOST:PORT" and
 * its kin are addresses (hostport.h).
 */
#ifndef EVH_VALUE_H
#define EVH_VALUE_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Checks a single value (of a list or map, one item).  0 and the number that
 * it is (0 when it is none), or -EINVAL, and then what it should be, as the end
 * of a sentence, malloced: "this must be 1..65535".  -ENOMEM.
 */
int value_check(const struct evh_option *option, const char *text,
		int64_t *ret_number, char **ret_why);

/* Whether the row's own `values` make sense. */
bool value_range_is_good(const struct evh_option *option);

const char *value_type_name(enum evh_type type); /* "text", "size", ... */

/* "a, b" -> "a", then "b": the next item at *s, which goes on behind it, and
 * its length; NULL behind the last. */
const char *value_item_next(const char **s, size_t *ret_n);

#endif
