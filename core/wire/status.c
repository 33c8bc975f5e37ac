#include "status.h"

#include <string.h>

static const char *const words[] = {
	[EVH_PENDING] = "pending",
	[EVH_PROCESSED] = "processed",
	[EVH_FAILED] = "failed",
	[EVH_DROPPED] = "dropped",
};

const char *
status_word(enum evh_status status)
{
	if (status < EVH_PENDING || status > EVH_DROPPED)
		return "?";
	return words[status];
}

enum evh_status
status_read(const char *word, size_t len)
{
	for (unsigned i = EVH_PENDING; i <= EVH_DROPPED; i++)
		if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
			return (enum evh_status)i;
	return (enum evh_status)0;
}
