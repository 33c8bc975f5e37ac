/*
 * error_code.h - the code that stands beside an error's sentence.
 *
 * Whoever finds an error may name it by a code: PostgreSQL's SQLSTATE, or a
 * word of the plugin's own.  The two are told apart by their looks alone, so
 * that the log and a dead letter call the same code by the same name.
 */
#ifndef EVH_ERROR_CODE_H
#define EVH_ERROR_CODE_H

#include <stdbool.h>

/* Five digits and capitals, as the SQL standard has them. [any] */
bool error_code_is_sqlstate(const char *code);

#endif
