/*
 * loader_check.c - a descriptor looked at before any code of it runs.
 */
#include "loader.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "value.h"

enum {
	MAX_ROWS = 256, /* of a table; more means that its end is missing */
	MAX_ROW_SIZE = 4096,
	MAX_WORD = 32,
};

/* What the user can do about it. */
#define BUILD_AGAIN "build it again with this evhd's headers"

/* What one must at least know of each, to be any plugin at all. */
#define UP_TO(type, member)                                                    \
	(offsetof(type, member) + sizeof(((type *)0)->member))
static const size_t least_plugin = UP_TO(struct evh_plugin, create);
static const size_t least_spec = UP_TO(struct evh_spec, data);
static const size_t least_option = UP_TO(struct evh_option, def);
static const size_t least_command = UP_TO(struct evh_command, run);

/* evhd's words, and those that it is going to have. */
static const char *const own_words[] = { "check", "describe", "dlq",
					 "help",  "plugins",  "run",
					 "top",	  "version",  NULL };

struct check {
	const char *file;
	const char *where;
	struct problems *problems;
};

/* Every refusal names the file first. */
#define refuse(check, fmt, ...)                                                \
	problems_add((check)->problems, (check)->where, "%s: " fmt,            \
		     (check)->file, __VA_ARGS__)

const char *
loader_kind_name(enum evh_kind kind)
{
	switch (kind) {
	case EVH_SOURCE:
		return "source";
	case EVH_HANDLER:
		return "handler";
	case EVH_SINK:
		return "sink";
	case EVH_SERVICE:
		return "service";
	}
	return NULL;
}

bool
loader_name_is_good(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	static const char all[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	size_t n = strlen(name);

	return n >= 1 && n <= MAX_WORD && strchr(letters, *name) &&
	       strspn(name, all) == n;
}

/* ---- Sizes: what the plugin was compiled with ------------------------ */

static bool
row_size_is_good(const struct check *check, const char *what, uint32_t size,
		 size_t least)
{
	if (size >= least && size <= MAX_ROW_SIZE && size % sizeof(void *) == 0)
		return true;
	refuse(check,
	       "its %s has %u bytes; this evhd needs %zu to %d, in steps of "
	       "%zu: " BUILD_AGAIN,
	       what, size, least, MAX_ROW_SIZE, sizeof(void *));
	return false;
}

static bool
sizes_are_good(const struct check *check, const struct evh_plugin *theirs)
{
	bool good = true;

	if (theirs->abi == 0) {
		refuse(check,
		       "it says no ABI: its evh_plugin must begin with "
		       "EVH_PLUGIN_HEAD; this evhd has ABI %u",
		       (unsigned)EVH_ABI);
		return false;
	}
	if (theirs->abi != EVH_ABI) {
		refuse(check,
		       "it was built for ABI %u; this evhd has ABI "
		       "%u: " BUILD_AGAIN,
		       theirs->abi, (unsigned)EVH_ABI);
		return false;
	}
	if (theirs->size < least_plugin) {
		refuse(check,
		       "its struct evh_plugin has %u bytes; this evhd needs at "
		       "least %zu: " BUILD_AGAIN,
		       theirs->size, least_plugin);
		return false;
	}
	if (!row_size_is_good(check, "struct evh_spec", theirs->spec_size,
			      least_spec))
		good = false;
	if (theirs->options &&
	    !row_size_is_good(check, "struct evh_option", theirs->option_size,
			      least_option))
		good = false;
	if (theirs->commands &&
	    !row_size_is_good(check, "struct evh_command", theirs->command_size,
			      least_command))
		good = false;
	return good;
}

/* ---- What it is ------------------------------------------------------- */

static void
work_check(const struct check *check, const struct evh_plugin *plugin)
{
	const struct {
		enum evh_kind kind;
		const char *name;
		bool is_there;
	} work[] = {
		{ EVH_SOURCE, "done", plugin->done != NULL },
		{ EVH_HANDLER, "process", plugin->process != NULL },
		{ EVH_SINK, "submit", plugin->submit != NULL },
	};

	for (size_t i = 0; i < sizeof(work) / sizeof(*work); i++) {
		if (work[i].kind == plugin->kind && !work[i].is_there)
			refuse(check, "it is a %s, but has no %s()",
			       loader_kind_name(plugin->kind), work[i].name);
		if (work[i].kind != plugin->kind && work[i].is_there)
			refuse(check, "it is a %s, but has %s(), a %s's work",
			       loader_kind_name(plugin->kind), work[i].name,
			       loader_kind_name(work[i].kind));
	}
}

static void
nature_check(const struct check *check, const struct evh_plugin *plugin)
{
	if (!plugin->name || !*plugin->name)
		refuse(check, "it has no %s", "name");
	else if (!loader_name_is_good(plugin->name))
		refuse(check,
		       "its name \"%s\" must be a small letter, then at most "
		       "%d small letters, digits and '_'",
		       plugin->name, MAX_WORD - 1);
	if (plugin->threads == 0)
		refuse(check, "it does not say its %s",
		       "threads: EVH_SERIAL is the safe choice, EVH_PARALLEL "
		       "for what locks for itself");
	else if ((int)plugin->threads < 0 ||
		 (int)plugin->threads > EVH_PARALLEL)
		refuse(check,
		       "its threads are %d; this evhd knows %d (EVH_SERIAL) "
		       "and %d (EVH_PARALLEL)",
		       (int)plugin->threads, EVH_SERIAL, EVH_PARALLEL);
	if (!plugin->create)
		refuse(check, "it has no %s", "create()");
	if (plugin->kind == 0)
		refuse(check, "it does not say its %s",
		       "kind: EVH_SOURCE, EVH_HANDLER, EVH_SINK or "
		       "EVH_SERVICE");
	else if (!loader_kind_name(plugin->kind))
		refuse(check,
		       "its kind is %d; this evhd knows %d (EVH_SOURCE) to %d "
		       "(EVH_SERVICE)",
		       (int)plugin->kind, EVH_SOURCE, EVH_SERVICE);
	else
		work_check(check, plugin);
}

/* ---- Options ----------------------------------------------------------- */

static bool
type_may_be_empty(enum evh_type type)
{
	return type == EVH_STR || type == EVH_SECRET || type == EVH_LIST ||
	       type == EVH_MAP || type == EVH_INSTANCE;
}

static void
default_check(const struct check *check, const struct evh_option *option)
{
	int64_t number;
	char *why = NULL;

	if (!option->def || (!*option->def && type_may_be_empty(option->type)))
		return;
	if (option->type == EVH_MAP) {
		refuse(check,
		       "its option \"%s\" is a map, so its default must be "
		       "empty, not \"%s\"",
		       option->name, option->def);
		return;
	}
	/* A list's default is several; its items are checked with it. */
	if (option->type != EVH_LIST &&
	    value_check(option, option->def, &number, &why) < 0)
		refuse(check, "the default \"%s\" of its option \"%s\": %s",
		       option->def, option->name, why ? why : strerror(ENOMEM));
	free(why);
}

static void
option_check(const struct check *check, const struct evh_option *options,
	     unsigned i)
{
	const struct evh_option *option = &options[i];

	if (!option->name || !*option->name) {
		refuse(check, "its option number %u has no name", i + 1);
		return;
	}
	if (!loader_name_is_good(option->name))
		refuse(check,
		       "its option \"%s\" must be a small letter, then at most "
		       "%d small letters, digits and '_'",
		       option->name, MAX_WORD - 1);
	if (options_is_reserved(option->name))
		refuse(check,
		       "its option \"%s\" has a name that is evhd's own in "
		       "every section",
		       option->name);
	for (unsigned j = 0; j < i; j++)
		if (options[j].name &&
		    strcmp(options[j].name, option->name) == 0)
			refuse(check,
			       "its option \"%s\" stands there twice, as "
			       "number %u and number %u",
			       option->name, j + 1, i + 1);
	if (!value_type_name(option->type)) {
		refuse(check,
		       "its option \"%s\" has the type %d; this evhd knows "
		       "%d (EVH_STR) to %d (EVH_INSTANCE)",
		       option->name, (int)option->type, EVH_STR, EVH_INSTANCE);
		return;
	}
	if (!value_range_is_good(option))
		refuse(check,
		       "its option \"%s\" allows \"%s\", which is neither a "
		       "range of its type nor a choice",
		       option->name, option->values);
	else
		default_check(check, option);
}

/* ---- Commands ---------------------------------------------------------- */

static void
command_check(const struct check *check, const struct evh_command *commands,
	      unsigned i)
{
	const struct evh_command *command = &commands[i];

	if (!command->name || !*command->name) {
		refuse(check, "its command number %u has no name", i + 1);
		return;
	}
	if (!loader_name_is_good(command->name))
		refuse(check,
		       "its command \"%s\" must be a small letter, then at "
		       "most %d small letters, digits and '_'",
		       command->name, MAX_WORD - 1);
	if (!command->run)
		refuse(check, "its command \"%s\" has no run()", command->name);
	for (size_t j = 0; own_words[j]; j++)
		if (strcmp(own_words[j], command->name) == 0)
			refuse(check,
			       "its command \"%s\" is a word of evhd's "
			       "own",
			       command->name);
	for (unsigned j = 0; j < i; j++)
		if (commands[j].name &&
		    strcmp(commands[j].name, command->name) == 0)
			refuse(check, "its command \"%s\" stands there twice",
			       command->name);
}

/* ---- Copies of the host's own size ------------------------------------- */

static bool
bytes_are_zero(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

/*
 * The plugin's table, walked with its own stride, in rows of the host's size
 * with an empty one at the end.  0, -ENOMEM, or -EINVAL when there is no end.
 */
static int
table_copy(const void *theirs, size_t their_size, size_t our_size, void **ret,
	   unsigned *ret_n)
{
	size_t size = their_size < our_size ? their_size : our_size;
	unsigned n = 0;
	char *ours;

	while (theirs && n <= MAX_ROWS &&
	       !bytes_are_zero((const char *)theirs + n * their_size, size))
		n++;
	if (n > MAX_ROWS)
		return -EINVAL;
	ours = calloc(n + 1, our_size);
	if (!ours)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		memcpy(ours + i * our_size,
		       (const char *)theirs + i * their_size, size);
	*ret = ours;
	*ret_n = n;
	return 0;
}

static int
tables_copy(const struct check *check, struct loader_plugin *copy)
{
	const struct evh_plugin *theirs = &copy->plugin;
	void *options = NULL, *commands = NULL;
	int err;

	err = table_copy(theirs->options, theirs->option_size,
			 sizeof(struct evh_option), &options, &copy->n_options);
	if (err == -EINVAL)
		refuse(check, "its table of options has no end within %d rows",
		       MAX_ROWS);
	if (err < 0)
		return err;
	copy->options = options;
	err = table_copy(theirs->commands, theirs->command_size,
			 sizeof(struct evh_command), &commands,
			 &copy->n_commands);
	if (err == -EINVAL)
		refuse(check, "its table of commands has no end within %d rows",
		       MAX_ROWS);
	if (err < 0)
		return err;
	copy->commands = commands;
	copy->plugin.options = copy->options;
	copy->plugin.commands = copy->commands;
	return 0;
}

static int
copy_fill(const struct check *check, const struct evh_plugin *theirs,
	  struct loader_plugin *copy)
{
	size_t size =
		theirs->size < sizeof(*theirs) ? theirs->size : sizeof(*theirs);
	int err;

	memcpy(&copy->plugin, theirs, size);
	copy->file = strdup(check->file);
	if (!copy->file)
		return -ENOMEM;
	err = tables_copy(check, copy);
	if (err < 0)
		return err;
	if (!copy->plugin.version)
		copy->plugin.version = "";
	if (!copy->plugin.summary)
		copy->plugin.summary = "";
	return 0;
}

int
loader_check(const struct evh_plugin *descriptor, const char *file,
	     const char *where, struct problems *problems,
	     struct loader_plugin *ret)
{
	struct check check = { .file = file,
			       .where = where,
			       .problems = problems };
	struct loader_plugin copy = { 0 };
	size_t n_before = problems->n_errors;
	int err;

	if (!sizes_are_good(&check, descriptor))
		return -EINVAL;
	err = copy_fill(&check, descriptor, &copy);
	if (err == -ENOMEM)
		refuse(&check, "%s", strerror(ENOMEM));
	if (err < 0) {
		loader_plugin_fini(&copy);
		return err;
	}

	nature_check(&check, &copy.plugin);
	for (unsigned i = 0; i < copy.n_options; i++)
		option_check(&check, copy.options, i);
	for (unsigned i = 0; i < copy.n_commands; i++)
		command_check(&check, copy.commands, i);
	if (problems->n_errors > n_before) {
		loader_plugin_fini(&copy);
		return -EINVAL;
	}
	*ret = copy;
	return 0;
}

void
loader_plugin_fini(struct loader_plugin *plugin)
{
	free(plugin->options);
	free(plugin->commands);
	free(plugin->file);
	*plugin = (struct loader_plugin){ 0 };
}
