#include "spool_check.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "folder.h"

static void
source_check(const struct config *config, const struct config_pipeline *p,
	     struct problems *problems)
{
	const struct config_instance *in =
		p->chain[0] ? config_instance(config, p->chain[0]) : NULL;

	if (in && strcmp(in->keyword, "ingest") != 0)
		problems_add(problems, p->where,
			     "it has a spool, but \"%s\" is a %s; only what an "
			     "ingest takes can be told that it is spooled, "
			     "others wait by themselves",
			     in->name, in->keyword);
	if (!p->on_fail[0])
		problems_warn(problems, p->where,
			      "it has a spool and no on_fail: a spooled event "
			      "that fails, which its client was told is safe, "
			      "stops those behind it until it goes through");
}

static void
dir_check(const struct config_pipeline *p, struct problems *problems)
{
	const char *fault = folder_fault(
		p->spool_dir, "others may write in it; what evhd delivers from "
			      "it must be its own");
	struct statfs fs;

	if (fault)
		problems_add(problems, p->where, "spool.dir = \"%s\": %s",
			     p->spool_dir, fault);
	else if (statfs(p->spool_dir, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		problems_warn(problems, p->where,
			      "spool.dir = \"%s\" is in memory (tmpfs): what "
			      "is spooled is lost when the machine stops",
			      p->spool_dir);
}

static bool
is_same_dir(const char *a, const char *b)
{
	struct stat st_a, st_b;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 &&
	       st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

void
spool_check(const struct config *config, struct problems *problems)
{
	for (unsigned i = 0; i < config->n_pipelines; i++) {
		const struct config_pipeline *p = &config->pipelines[i];

		if (!p->spool_dir)
			continue;
		source_check(config, p, problems);
		dir_check(p, problems);
		for (unsigned j = 0; j < i; j++)
			if (config->pipelines[j].spool_dir &&
			    is_same_dir(config->pipelines[j].spool_dir,
					p->spool_dir))
				problems_add(problems, p->where,
					     "spool.dir = \"%s\" is the "
					     "pipeline \"%s\"'s, too; each "
					     "needs a folder of its own",
					     p->spool_dir,
					     config->pipelines[j].name);
	}
}
