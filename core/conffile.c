/*
 * conffile.c - libconfuse asked until it has read the whole file.
 */
#include "conffile.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confmissing.h"
#include "conftext.h"
#include "conftree.h"
#include "conftwice.h"
#include "textfile.h"

enum {
	MAX_FILE = 4 << 20,
	MAX_DEPTH = 10,	  /* of includes */
	MAX_LEARNT = 256, /* words that we tell libconfuse about */
};

/* A word whose form libconfuse has to be told. */
struct learnt {
	char *keyword; /* of the section that it stands in; "" outside */
	char *name;
	enum form { FORM_LIST = 1, FORM_SECTION } form;
};

/* One reading of a file, several attempts. */
struct reading {
	const char *file;
	const char *const *keywords;
	struct learnt learnt[MAX_LEARNT];
	unsigned n_learnt;
	bool wiser; /* this attempt has taught us something */
	unsigned depth;
	bool out_of_memory;
	struct problems errors; /* of this attempt */
};

/* libconfuse hands no argument of ours to its callbacks. [main] */
static struct reading *reading;

/* ---- What libconfuse has to be told --------------------------------- */

static void
learn(const char *keyword, const char *name, enum form form)
{
	struct learnt *learnt = &reading->learnt[reading->n_learnt];

	if (reading->n_learnt == MAX_LEARNT)
		return;
	*learnt = (struct learnt){ .keyword = strdup(keyword),
				   .name = strdup(name),
				   .form = form };
	reading->n_learnt++;
	reading->wiser = true;
	if (!learnt->keyword || !learnt->name)
		reading->out_of_memory = true;
}

/*
 * At an error in `cfg`: if it is about a word that we know nothing of, then it
 * began a list where a single value was expected, or, outside of all sections,
 * a section or a list.  The word is the last one that libconfuse added by
 * itself, and has no value yet.
 */
static void
learn_from_error(cfg_t *cfg)
{
	const char *keyword = strcmp(cfg->name, "root") == 0 ? "" : cfg->name;
	unsigned n = cfg_num(cfg);
	cfg_opt_t *last = n > 0 ? cfg_getnopt(cfg, n - 1) : NULL;

	if (reading->wiser)
		return; /* one a time: what follows may be due to the first */
	if (last && last->type == CFGT_STR && last->nvalues == 0 &&
	    !(last->flags & CFGF_LIST)) {
		learn(keyword, last->name, *keyword ? FORM_LIST : FORM_SECTION);
		return;
	}
	for (unsigned i = 0; i < reading->n_learnt && !*keyword; i++) {
		struct learnt *learnt = &reading->learnt[i];
		cfg_opt_t *opt;

		if (learnt->form != FORM_SECTION)
			continue;
		opt = cfg_getopt(cfg, learnt->name);
		if (opt && opt->nvalues == 0) {
			learnt->form = FORM_LIST;
			reading->wiser = true;
			return;
		}
	}
}

static void
confuse_error(cfg_t *cfg, const char *fmt, va_list args)
{
	char *text = NULL, *where = NULL;

	/* Every setting is new to libconfuse, which takes it all the same. */
	if (strncmp(fmt, "no such option", 14) == 0)
		return;
	if (strncmp(fmt, "found duplicate title", 21) == 0)
		fmt = "another section of this kind is called '%s'";
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	if ((cfg->line > 0 ? asprintf(&where, "%s:%d", cfg->filename, cfg->line)
			   : asprintf(&where, "%s", cfg->filename)) < 0)
		where = NULL;
	if (text && where)
		problems_add(&reading->errors, where, "%s", text);
	else
		reading->out_of_memory = true;
	free(text);
	free(where);
	learn_from_error(cfg);
}

/* ---- Reading --------------------------------------------------------- */

static int
parse_text(cfg_t *cfg, const char *path)
{
	char *text = NULL, *prepared;
	int err, open = 0, rc = CFG_SUCCESS;
	FILE *fp;

	err = textfile_read(path, MAX_FILE, &text, NULL);
	if (err < 0) {
		cfg->line = 0;
		cfg_error(cfg, "cannot be read: %s", strerror(-err));
		return CFG_PARSE_ERROR;
	}
	prepared = conftext_prepare(text, &open);
	free(text);
	if (prepared && *prepared) {
		fp = fmemopen(prepared, strlen(prepared), "r");
		rc = fp ? cfg_parse_fp(cfg, fp) : CFG_FILE_ERROR;
		if (fp)
			fclose(fp);
	}
	if (prepared && rc == CFG_SUCCESS && open > 0) {
		cfg_error(cfg, "a closing brace is missing");
		rc = CFG_PARSE_ERROR;
	}
	if (!prepared || rc == CFG_FILE_ERROR ||
	    conftwice_check(prepared, path, &reading->errors) < 0)
		reading->out_of_memory = true;
	free(prepared);
	return rc;
}

/* "more.conf" beside the file that was named on the command line. */
static char *
include_path(const char *name)
{
	const char *slash = strrchr(reading->file, '/');
	char *path;

	if (*name == '/' || !slash)
		return strdup(name);
	if (asprintf(&path, "%.*s/%s", (int)(slash - reading->file),
		     reading->file, name) < 0)
		return NULL;
	return path;
}

static int
include_call(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	char *name = cfg->filename;
	int line = cfg->line, rc;

	(void)opt;
	if (argc != 1) {
		cfg_error(cfg, "include takes one file: include(\"FILE\")");
		return CFG_PARSE_ERROR;
	}
	if (reading->depth == MAX_DEPTH) {
		cfg_error(cfg, "%s: more than %d files that include each other",
			  argv[0], MAX_DEPTH);
		return CFG_PARSE_ERROR;
	}

	cfg->filename = include_path(argv[0]);
	if (!cfg->filename) {
		cfg->filename = name;
		reading->out_of_memory = true;
		return CFG_PARSE_ERROR;
	}
	reading->depth++;
	rc = parse_text(cfg, cfg->filename);
	reading->depth--;
	free(cfg->filename);
	cfg->filename = name;
	cfg->line = line;
	return rc;
}

/* The settings known to be lists in sections of this keyword, and include;
 * 0 or -ENOMEM.  libconfuse copies the table. */
static int
suboptions_new(const char *keyword, cfg_opt_t **ret_opts)
{
	cfg_opt_t *opts = calloc(reading->n_learnt + 2, sizeof(*opts));
	unsigned n = 0;

	if (!opts)
		return -ENOMEM;
	opts[n++] = (cfg_opt_t)CFG_FUNC("include", include_call);
	for (unsigned i = 0; i < reading->n_learnt; i++) {
		const struct learnt *learnt = &reading->learnt[i];

		if (learnt->form == FORM_LIST &&
		    strcmp(learnt->keyword, keyword) == 0)
			opts[n++] = (cfg_opt_t)CFG_STR_LIST(learnt->name, NULL,
							    CFGF_NODEFAULT);
	}
	*ret_opts = opts;
	return 0;
}

/* Sections that stand in others, and have no title. */
static const struct {
	const char *keyword; /* in which */
	const char *name;
} inner[] = { { "pipeline", "spool" } };

static int
inner_add(const char *keyword, cfg_opt_t **opts)
{
	static cfg_opt_t nothing[] = { CFG_END() };

	for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++) {
		cfg_opt_t *grown;
		unsigned n = 0;

		if (strcmp(inner[i].keyword, keyword) != 0)
			continue;
		while ((*opts)[n].name)
			n++;
		grown = reallocarray(*opts, n + 2, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		grown[n] =
			(cfg_opt_t)CFG_SEC(inner[i].name, nothing, CFGF_MULTI);
		grown[n + 1] = (cfg_opt_t)CFG_END();
		*opts = grown;
	}
	return 0;
}

static int
section_add(cfg_opt_t *opts, unsigned *n, const char *keyword)
{
	cfg_opt_t *suboptions;
	int err = suboptions_new(keyword, &suboptions);

	if (err == 0)
		err = inner_add(keyword, &suboptions);
	if (err < 0)
		return err;
	opts[(*n)++] = (cfg_opt_t)CFG_SEC(keyword, suboptions,
					  CFGF_MULTI | CFGF_TITLE |
						  CFGF_NO_TITLE_DUPES);
	return 0;
}

static cfg_t *
attempt_new(void)
{
	cfg_opt_t *opts, *grown;
	unsigned n = 0, n_keywords = 0;
	cfg_t *cfg = NULL;
	int err;

	while (reading->keywords[n_keywords])
		n_keywords++;
	err = suboptions_new("", &opts);
	if (err < 0)
		return NULL;
	while (opts[n].name)
		n++;
	grown = reallocarray(opts, n + n_keywords + reading->n_learnt + 1,
			     sizeof(*opts));
	if (!grown) {
		free(opts);
		return NULL;
	}
	opts = grown;
	for (unsigned i = 0; i < n_keywords && err == 0; i++)
		err = section_add(opts, &n, reading->keywords[i]);
	for (unsigned i = 0; i < reading->n_learnt && err == 0; i++)
		if (reading->learnt[i].form == FORM_SECTION)
			err = section_add(opts, &n, reading->learnt[i].name);
	opts[n] = (cfg_opt_t)CFG_END();

	if (err == 0)
		cfg = cfg_init(opts, CFGF_KEYSTRVAL);
	for (unsigned i = 0; i < n; i++)
		free(opts[i].subopts);
	free(opts);
	return cfg;
}

/* ---- Attempts --------------------------------------------------------- */

static struct confsections *
tree_read(cfg_t *cfg)
{
	struct confsections *sections = conftree_read(cfg);

	if (!sections)
		reading->out_of_memory = true;
	return sections;
}

/* The tree, or NULL; then either something was learnt or that is the end. */
static struct confsections *
attempt(void)
{
	struct confsections *sections = NULL;
	cfg_t *cfg = attempt_new();
	int rc = CFG_PARSE_ERROR;

	problems_fini(&reading->errors);
	if (!cfg) {
		reading->out_of_memory = true;
		return NULL;
	}
	cfg_set_error_function(cfg, confuse_error);
	cfg->filename = strdup(reading->file);
	if (cfg->filename)
		rc = parse_text(cfg, reading->file);
	else
		reading->out_of_memory = true;
	/* Half a configuration is none. */
	if (rc == CFG_SUCCESS && !reading->out_of_memory)
		sections = tree_read(cfg);
	cfg_free(cfg);
	return sections;
}

static void
errors_report(struct problems *problems)
{
	struct problems *errors = &reading->errors;

	for (size_t i = 0; i < errors->n; i++)
		problems_add(problems, errors->list[i].where, "%s",
			     errors->list[i].text);
	if (reading->out_of_memory)
		problems_add(problems, reading->file, "out of memory");
	else if (errors->n == 0)
		problems_add(problems, reading->file,
			     "libconfuse cannot parse it");
}

struct confsections *
conffile_read(const char *file, const char *const *keywords,
	      struct problems *problems)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct confsections *sections = NULL;

	if (!r) {
		problems_add(problems, file, "out of memory");
		return NULL;
	}
	r->file = file;
	r->keywords = keywords;
	reading = r;
	do {
		r->wiser = false;
		sections = attempt();
	} while (!sections && r->wiser && !r->out_of_memory);
	if (!sections || r->errors.n > 0)
		errors_report(problems);
	reading = NULL;

	problems_fini(&r->errors);
	for (unsigned i = 0; i < r->n_learnt; i++) {
		free(r->learnt[i].keyword);
		free(r->learnt[i].name);
	}
	free(r);
	return sections;
}
