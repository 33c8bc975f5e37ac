/*
 * dead.h - `evhd dlq -c FILE ...` as tests type it.
 */
#ifndef EVH_TEST_DEAD_H
#define EVH_TEST_DEAD_H

/* The words behind the file, NULL-ended: this must be the exit code, and what
 * it says have `says` in it (NULL: whatever). */
void dead_run(int exit_code, const char *says, const char *config, ...);
/* The same, and this must not be in it. */
void dead_run_without(int exit_code, const char *text, const char *config, ...);
/* The same; all that it says, malloced. */
char *dead_ask(int exit_code, const char *config, ...);

#endif
