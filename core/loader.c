/*
 * loader.c - from a name in the configuration to an open shared object.
 */
#include "loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trusted.h"

struct opened {
	struct loader_plugin plugin;
	dev_t device; /* these two: which file it is */
	ino_t inode;
};

struct loader {
	char *plugin_dir;
	struct opened **list;
	size_t n;
};

struct loader *
loader_new(const char *plugin_dir)
{
	struct loader *loader = calloc(1, sizeof(*loader));

	if (!loader)
		return NULL;
	loader->plugin_dir = strdup(plugin_dir);
	if (!loader->plugin_dir) {
		free(loader);
		return NULL;
	}
	return loader;
}

void
loader_free(struct loader *loader)
{
	if (!loader)
		return;
	for (size_t i = 0; i < loader->n; i++) {
		loader_plugin_fini(&loader->list[i]->plugin);
		free(loader->list[i]);
	}
	free(loader->list);
	free(loader->plugin_dir);
	free(loader);
}

/* ---- Where it is ------------------------------------------------------- */

/* Malloced; NULL when out of memory. */
static char *
path_of(const struct loader *loader, const char *conf_dir, const char *name)
{
	char *path;
	int n;

	if (*name == '/')
		return strdup(name);
	if (strchr(name, '/'))
		n = asprintf(&path, "%s/%s", conf_dir, name);
	else
		n = asprintf(&path, "%s/%s.so", loader->plugin_dir, name);
	return n < 0 ? NULL : path;
}

static void
missing_report(const struct loader *loader, const char *name, const char *path,
	       const char *where, struct problems *problems)
{
	const char *nearest = NULL;
	char **names = NULL;
	int err;

	if (!strchr(name, '/'))
		names = loader_names(loader->plugin_dir, &err);
	if (names)
		nearest = problems_nearest(name, (const char *const *)names);
	if (strchr(name, '/'))
		problems_add(problems, where, "plugin \"%s\": there is no %s",
			     name, path);
	else if (nearest)
		problems_add(problems, where,
			     "plugin \"%s\": there is none in %s; did you "
			     "mean \"%s\"?",
			     name, loader->plugin_dir, nearest);
	else
		problems_add(problems, where,
			     "plugin \"%s\": there is none in %s", name,
			     loader->plugin_dir);
	loader_names_free(names);
}

/* ---- Opening ------------------------------------------------------------ */

static bool
is_elf(int fd)
{
	char magic[SELFMAG];

	return pread(fd, magic, SELFMAG, 0) == SELFMAG &&
	       memcmp(magic, ELFMAG, SELFMAG) == 0;
}

/* The evh_plugin of the shared object behind fd, or NULL and a problem. */
static const struct evh_plugin *
descriptor_open(int fd, const char *file, const char *where,
		struct problems *problems)
{
	const struct evh_plugin *descriptor;
	char path[64];
	const char *why;
	void *handle;
	size_t n;

	if (!is_elf(fd)) {
		problems_add(problems, where,
			     "%s: it is no shared object (it does not begin "
			     "like an ELF file)",
			     file);
		return NULL;
	}
	/* The file that was looked at, whatever its name means by now. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle) {
		why = dlerror();
		n = strlen(path);
		if (strncmp(why, path, n) == 0 && why[n] == ':')
			why += n + 2;
		problems_add(problems, where, "%s: it cannot be loaded: %s",
			     file, why);
		return NULL;
	}
	descriptor = dlsym(handle, "evh_plugin");
	if (!descriptor)
		problems_add(problems, where,
			     "%s: it has no symbol evh_plugin, so it is no "
			     "plugin of evhd",
			     file);
	return descriptor;
}

static struct opened *
opened_find(const struct loader *loader, const struct stat *st)
{
	for (size_t i = 0; i < loader->n; i++)
		if (loader->list[i]->device == st->st_dev &&
		    loader->list[i]->inode == st->st_ino)
			return loader->list[i];
	return NULL;
}

static struct opened *
opened_add(struct loader *loader, const struct evh_plugin *descriptor,
	   const char *file, const struct stat *st, const char *where,
	   struct problems *problems)
{
	struct opened **list, *opened = calloc(1, sizeof(*opened));

	list = reallocarray(loader->list, loader->n + 1, sizeof(*list));
	if (list)
		loader->list = list;
	if (!list || !opened) {
		problems_add(problems, where, "%s", strerror(ENOMEM));
		free(opened);
		return NULL;
	}
	opened->device = st->st_dev;
	opened->inode = st->st_ino;
	if (loader_check(descriptor, file, where, problems, &opened->plugin) <
	    0) {
		free(opened);
		return NULL;
	}
	loader->list[loader->n++] = opened;
	return opened;
}

const struct loader_plugin *
loader_open(struct loader *loader, const char *conf_dir, const char *name,
	    const char *where, struct problems *problems)
{
	char *path = NULL, *file = NULL, *why = NULL;
	const struct evh_plugin *descriptor;
	struct opened *opened = NULL;
	struct stat st;
	int fd = -1;

	if (!strchr(name, '/') && !loader_name_is_good(name)) {
		problems_add(problems, where,
			     "plugin \"%s\": a name has small letters, digits "
			     "and '_' only; a path has a '/' in it, as in "
			     "\"./%s\"",
			     name, name);
		return NULL;
	}
	path = path_of(loader, conf_dir, name);
	fd = path ? trusted_open(path, &file, &st, &why) : -ENOMEM;
	if (fd == -ENOENT)
		missing_report(loader, name, path, where, problems);
	else if (fd < 0)
		problems_add(problems, where, "plugin \"%s\": %s", name,
			     why ? why : strerror(ENOMEM));
	if (fd < 0)
		goto out;

	opened = opened_find(loader, &st);
	if (opened) {
		close(fd);
		goto out;
	}
	descriptor = descriptor_open(fd, file, where, problems);
	if (descriptor)
		opened = opened_add(loader, descriptor, file, &st, where,
				    problems);
	/*
	 * fd stays open for good.  glibc knows what it has loaded by the path
	 * that it was given before it looks at any file: were the number used
	 * again, the next plugin's path would be this one's.
	 */
out:
	free(path);
	free(file);
	free(why);
	return opened ? &opened->plugin : NULL;
}

/* ---- All there are ------------------------------------------------------ */

/* "kafka_sink.so" -> "kafka_sink"; NULL when it is no plugin's name. */
static char *
name_of_file(const char *file)
{
	size_t n = strlen(file);
	char *name;

	if (n < 4 || strcmp(file + n - 3, ".so") != 0)
		return NULL;
	name = strndup(file, n - 3);
	if (name && !loader_name_is_good(name)) {
		free(name);
		return NULL;
	}
	return name;
}

static int
names_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
loader_names(const char *plugin_dir, int *ret_err)
{
	DIR *dir = opendir(plugin_dir);
	char **names = calloc(1, sizeof(*names));
	struct dirent *entry;
	size_t n = 0;

	if (!dir || !names) {
		*ret_err = dir ? -ENOMEM : -errno;
		free(names);
		if (dir)
			closedir(dir);
		return NULL;
	}
	while ((entry = readdir(dir))) {
		char *name = name_of_file(entry->d_name), **grown;

		if (!name)
			continue;
		grown = reallocarray(names, n + 2, sizeof(*names));
		if (!grown) {
			*ret_err = -ENOMEM;
			free(name);
			loader_names_free(names);
			closedir(dir);
			return NULL;
		}
		names = grown;
		names[n++] = name;
		names[n] = NULL;
	}
	closedir(dir);
	qsort(names, n, sizeof(*names), names_compare);
	return names;
}

void
loader_names_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}
