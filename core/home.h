/*
 * home.h - what stands around the executable.
 *
 * A build tree has plugins/ and share/ beside evhd; an installation has
 * ../LIBDIR/evh/plugins and ../share/evh.  Both therefore run as they are,
 * wherever they were put.
 */
#ifndef EVH_HOME_H
#define EVH_HOME_H

/* Given the absolute path of an evhd; malloced, NULL when out of memory. */
char *home_plugin_dir(const char *exe);
char *home_share_dir(const char *exe);

#endif
