/*
 * home.c - plugins and share/, found from the executable's own place.
 */
#include "home.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

static bool
dir_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* exe's folder (up > 0: so many above it), and tail below that. */
static char *
path_beside(const char *exe, unsigned up, const char *tail)
{
	size_t n = strlen(exe);
	char *path;

	for (unsigned i = 0; i <= up; i++) {
		while (n > 0 && exe[n - 1] != '/')
			n--;
		if (n > 0)
			n--;
	}
	if (asprintf(&path, "%.*s/%s", (int)n, exe, tail) < 0)
		return NULL;
	return path;
}

char *
home_plugin_dir(const char *exe)
{
	static const struct {
		unsigned up;
		const char *tail;
	} places[] = {
		{ 0, "plugins" },
		{ 1, EVH_LIBDIR "/evh/plugins" },
		{ 1, "lib/evh/plugins" },
		{ 1, "lib64/evh/plugins" },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		char *path = path_beside(exe, places[i].up, places[i].tail);

		if (!path || dir_exists(path))
			return path;
		free(path);
	}
	/* There is none: this is the one to name in the message. */
	return path_beside(exe, 1, EVH_LIBDIR "/evh/plugins");
}

char *
home_share_dir(const char *exe)
{
	char *path = path_beside(exe, 0, "share");

	if (!path || dir_exists(path))
		return path;
	free(path);
	return path_beside(exe, 1, "share/evh");
}

static const char *
exe_path(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n <= 0)
		return "/usr/bin/evhd"; /* no /proc: as if installed there */
	path[n] = '\0';
	return path;
}

char *
config_default_plugin_dir(void)
{
	char path[PATH_MAX];

	return home_plugin_dir(exe_path(path));
}

char *
config_default_share_dir(void)
{
	char path[PATH_MAX];

	return home_share_dir(exe_path(path));
}
