#include "setting.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const char *
setting_value(const char *argument, const char *name)
{
	size_t len = strlen(name);

	return strncmp(argument, name, len) == 0 && argument[len] == '='
		       ? argument + len + 1
		       : NULL;
}

bool
setting_number(const char *argument, const char *name, long *ret)
{
	const char *value = setting_value(argument, name);
	char *end;
	long n;

	if (!value || !*value)
		return false;
	errno = 0;
	n = strtol(value, &end, 10);
	if (*end != '\0' || errno != 0 || n < 0)
		return false;
	*ret = n;
	return true;
}
