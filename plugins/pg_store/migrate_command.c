#include "migrate_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

const char migrate_usage[] =
	"upgrade head|+N|REV, downgrade -1|-N|base|REV [--yes], "
	"current [--json], history [--json], revision -m TEXT";

/* ---- The words -------------------------------------------------------------
 */

/* "3" or "0003" -> 3; anything else is false. */
static bool
number_parse(const char *text, int *ret)
{
	char *end;
	long n;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || *end || n > MIGRATION_MAX)
		return false;
	*ret = (int)n;
	return true;
}

static bool
target_parse(const char *text, struct migrate_words *words)
{
	if (words->verb == MIGRATE_UPGRADE && !strcmp(text, "head")) {
		words->target = MIGRATE_HEAD;
		return true;
	}
	if (words->verb == MIGRATE_DOWNGRADE && !strcmp(text, "base")) {
		words->target = 0;
		return true;
	}
	if (*text == (words->verb == MIGRATE_UPGRADE ? '+' : '-')) {
		words->relative = true;
		return number_parse(text + 1, &words->target) &&
		       words->target > 0;
	}
	return number_parse(text, &words->target);
}

static bool
verb_parse(const char *text, enum migrate_verb *ret)
{
	static const char *const verbs[] = {
		[MIGRATE_UPGRADE] = "upgrade",
		[MIGRATE_DOWNGRADE] = "downgrade",
		[MIGRATE_CURRENT] = "current",
		[MIGRATE_HISTORY] = "history",
		[MIGRATE_REVISION] = "revision",
	};
	enum migrate_verb v;

	for (v = MIGRATE_UPGRADE; v <= MIGRATE_REVISION; v++) {
		if (!strcmp(text, verbs[v])) {
			*ret = v;
			return true;
		}
	}
	return false;
}

/* One word behind the verb that is no target.  False when it is none. */
static bool
flag_parse(int argc, char **argv, int *at, struct migrate_words *words)
{
	const char *word = argv[*at];

	if (!strcmp(word, "--yes") && words->verb == MIGRATE_DOWNGRADE)
		return words->yes = true;
	if (!strcmp(word, "--json") &&
	    (words->verb == MIGRATE_CURRENT || words->verb == MIGRATE_HISTORY))
		return words->json = true;
	if (!strcmp(word, "-m") && words->verb == MIGRATE_REVISION &&
	    *at + 1 < argc) {
		words->text = argv[++*at];
		return true;
	}
	return false;
}

static const char *
words_missing(const struct migrate_words *words, bool has_target)
{
	switch (words->verb) {
	case MIGRATE_UPGRADE:
		return has_target ? NULL : "upgrade to what: head, +N or REV?";
	case MIGRATE_DOWNGRADE:
		return has_target ? NULL
				  : "downgrade to what: -N, base or REV?";
	case MIGRATE_REVISION:
		return words->text ? NULL : "revision wants -m TEXT";
	case MIGRATE_CURRENT:
	case MIGRATE_HISTORY:
		break;
	}
	return NULL;
}

int
migrate_words_parse(int argc, char **argv, struct migrate_words *ret,
		    char *ret_why, size_t size)
{
	struct migrate_words words = { 0 };
	bool has_target = false;
	const char *missing;
	int i;

	if (argc < 2 || !verb_parse(argv[1], &words.verb)) {
		snprintf(ret_why, size, "migrate what: %s", migrate_usage);
		return -EINVAL;
	}
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--autogenerate")) {
			snprintf(ret_why, size,
				 "there are no models to compare with, so "
				 "nothing can be generated: the two files "
				 "that `revision -m` writes are SQL to fill "
				 "in");
			return -EINVAL;
		}
		if (flag_parse(argc, argv, &i, &words))
			continue;
		if (words.verb > MIGRATE_DOWNGRADE || has_target ||
		    !target_parse(argv[i], &words)) {
			snprintf(ret_why, size,
				 "\"%s\" makes no sense here: %s", argv[i],
				 migrate_usage);
			return -EINVAL;
		}
		has_target = true;
	}

	missing = words_missing(&words, has_target);
	if (missing) {
		snprintf(ret_why, size, "%s", missing);
		return -EINVAL;
	}
	*ret = words;
	return 0;
}

/* ---- What they do ----------------------------------------------------------
 */

static void
line_print(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

static int
target_of(const struct migrate *migrate, const struct migrate_words *words)
{
	int current = migrate_current(migrate);

	if (!words->relative)
		return words->target;
	return words->verb == MIGRATE_UPGRADE ? current + words->target
					      : current - words->target;
}

static int
change_run(struct migrate *migrate, const struct migrate_words *words)
{
	int target = target_of(migrate, words), before, rc;

	before = migrate_current(migrate);
	if (words->verb == MIGRATE_UPGRADE)
		rc = migrate_upgrade(migrate, target);
	else
		rc = migrate_downgrade(migrate, target, words->yes);
	if (rc == 0 && (target == before ||
			(target == MIGRATE_HEAD && before >= migrate->files.n)))
		printf("nothing to do: the database is at %04d\n", before);
	return rc;
}

static const char *
name_of(const struct migrate *migrate, int revision)
{
	if (revision == 0)
		return "nothing applied";
	return migrate->log.list[revision - 1].name;
}

static void
current_print(const struct migrate *migrate, bool json)
{
	int current = migrate_current(migrate), head = migrate->files.n;

	if (json) {
		printf("{\"current\":%d,\"head\":%d}\n", current, head);
		return;
	}
	printf("%04d (%s)", current, name_of(migrate, current));
	if (current == head)
		printf(", the newest\n");
	else
		printf(", the newest is %04d\n", head);
}

static const char *
state_of(const struct migrate *migrate, int i)
{
	if (i >= migrate->log.n)
		return "not applied";
	if (i >= migrate->files.n)
		return "unknown";
	if (strcmp(migrate->files.list[i].checksum,
		   migrate->log.list[i].checksum))
		return "changed";
	return "applied";
}

/* Names are letters, digits and underscores, times digits: nothing of it
 * needs quoting. */
static void
history_print(const struct migrate *migrate, bool json)
{
	int n = migrate->files.n > migrate->log.n ? migrate->files.n
						  : migrate->log.n;
	int i;

	for (i = 0; i < n; i++) {
		const char *name = i < migrate->files.n
					   ? migrate->files.list[i].name
					   : migrate->log.list[i].name;
		const char *at = i < migrate->log.n
					 ? migrate->log.list[i].applied_at
					 : "";

		if (json)
			printf("%s{\"revision\":%d,\"name\":\"%s\","
			       "\"state\":\"%s\",\"applied_at\":%s%s%s}",
			       i ? "," : "[", i + 1, name, state_of(migrate, i),
			       *at ? "\"" : "null", at, *at ? "\"" : "");
		else
			printf("%04d  %-30s  %s%s%s\n", i + 1, name,
			       state_of(migrate, i), *at ? " " : "", at);
	}
	if (json)
		puts(n ? "]" : "[]");
}

static int
server_command(struct migrate *migrate, const struct settings *settings,
	       const struct migrate_words *words)
{
	bool to_change = words->verb == MIGRATE_UPGRADE ||
			 words->verb == MIGRATE_DOWNGRADE;
	int rc = migrate_open(migrate, settings, -1, to_change);

	if (rc == 0 && to_change)
		rc = change_run(migrate, words);
	else if (rc == 0 && words->verb == MIGRATE_CURRENT)
		current_print(migrate, words->json);
	else if (rc == 0)
		history_print(migrate, words->json);
	migrate_close(migrate);
	return rc;
}

static int
revision_command(struct migrate *migrate, const char *text)
{
	char folder[512], up[512], down[512];
	int rc = migrate_folder(migrate, folder, sizeof(folder));

	if (rc)
		return rc;
	rc = migration_files_create(folder, text, up, down, migrate->why,
				    sizeof(migrate->why));
	if (rc < 0)
		return rc == -EINVAL ? EX_USAGE : EX_DATAERR;

	printf("%s\n%s\nfill them in before `upgrade`\n", up, down);
	return 0;
}

int
migrate_command(const struct settings *settings, int argc, char **argv)
{
	struct migrate migrate = { .settings = settings, .say = line_print };
	struct migrate_words words;
	int rc;

	rc = migrate_words_parse(argc, argv, &words, migrate.why,
				 sizeof(migrate.why));
	if (rc < 0)
		rc = EX_USAGE;
	else if (words.verb == MIGRATE_REVISION)
		rc = revision_command(&migrate, words.text);
	else
		rc = server_command(&migrate, settings, &words);

	if (rc)
		fprintf(stderr, "evhd migrate: %s\n", migrate.why);
	fflush(stdout);
	return rc;
}
