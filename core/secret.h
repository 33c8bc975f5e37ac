/*
 * secret.h - a secret that stands in a file of its own.
 *
 * The file belongs to root or to evhd's user and is no one else's to read or
 * write (mode 0640 at most).  Its text is wiped before its memory is given
 * back.
 */
#ifndef EVH_SECRET_H
#define EVH_SECRET_H

/*
 * Reads path (relative to dir), without one newline at its end.  0 and
 * *ret_text for secret_free(), or -errno and in *ret_why a malloced sentence,
 * but for -ENOMEM.
 */
int secret_read(const char *dir, const char *path, char **ret_text,
		char **ret_why);
void secret_free(char *text); /* NULL is fine */

#endif
