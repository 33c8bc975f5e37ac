/*
 * setting.h - arguments of the form NAME=VALUE.
 */
#ifndef BENCH_SETTING_H
#define BENCH_SETTING_H

#include <stdbool.h>

/* The value, when the argument is of that name; else NULL.  Borrowed. */
const char *setting_value(const char *argument, const char *name);
/* True when it is of that name and a whole number of 0 or more. */
bool setting_number(const char *argument, const char *name, long *ret);

#endif
