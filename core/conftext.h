/*
 * conftext.h - a configuration's text, made ready for libconfuse.
 *
 * Two things that libconfuse 3.3 does not do are done to the text before it
 * sees it.  Comments are blanked, because it counts lines wrongly over them.
 * And a variable that is empty or unset has its name taken out: what remains
 * of `${NAME:-default}` is the default, and of `${NAME}` a mark that
 * conftext_unmark() finds again in the value.
 */
#ifndef EVH_CONFTEXT_H
#define EVH_CONFTEXT_H

/* What ends a word that has no quotes. */
#define CONFTEXT_WORD_ENDS " \t\n\r={}()+,\"'"

/*
 * A new text, malloced; NULL when out of memory.  ret_open: how many braces
 * are still open at its end, which libconfuse takes for a closed section.
 */
char *conftext_prepare(const char *text, int *ret_open);

/*
 * Takes all marks out of a value, in place, and adds the names in them to a
 * list (confmissing.h).  0 or -ENOMEM.
 */
int conftext_unmark(char *value, char ***missing);

#endif
