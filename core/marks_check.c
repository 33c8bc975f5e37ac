#include "marks_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"

static void
parent_check(const struct config *config, struct problems *problems)
{
	char *parent = strdup(config->state_dir);
	char *slash;

	if (!parent) {
		problems_add(problems, config->file, "out of memory");
		return;
	}
	slash = parent + strlen(parent);
	while (slash > parent + 1 && slash[-1] == '/')
		*--slash = '\0';
	slash = strrchr(parent, '/');
	slash[slash == parent] = '\0'; /* "/" keeps its own */
	if (access(parent, W_OK | X_OK) < 0)
		problems_warn(problems, config->file,
			      "state_dir = \"%s\": evhd makes it, but cannot "
			      "in %s (%s); make it, for evhd's user",
			      config->state_dir, parent, strerror(errno));
	free(parent);
}

void
marks_check(const struct config *config, struct problems *problems)
{
	const char *fault;

	if (!config->state_dir)
		return;
	if (access(config->state_dir, F_OK) < 0 && errno == ENOENT) {
		parent_check(config, problems);
		return;
	}
	fault = folder_fault(config->state_dir,
			     "everybody may write in it, and so decide which "
			     "events count as failed");
	if (fault)
		problems_warn(problems, config->file, "state_dir = \"%s\": %s",
			      config->state_dir, fault);
}
