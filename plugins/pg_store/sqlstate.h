/*
 * sqlstate.h - what PostgreSQL's five letters mean for a batch of events.
 *
 * The one place that decides whether an error is the server's trouble or the
 * row's.  Taking the one for the other either loses events (a full disk that
 * makes dead letters) or stands still for ever (a bad row that is repeated).
 * What is unknown counts as the server's: standing still can be seen and
 * mended, a loss cannot.  Pure: no library, no state.
 */
#ifndef PG_STORE_SQLSTATE_H
#define PG_STORE_SQLSTATE_H

enum sqlstate_policy {
	/* The same statement again on the same connection, a little later. */
	SQLSTATE_AGAIN = 1,
	/* The server cannot now: events back, connect anew, ask again. */
	SQLSTATE_AWAY,
	/* Some row of the statement is to blame, and has to be found. */
	SQLSTATE_ROW,
	/* A person has to change something in the server or the config. */
	SQLSTATE_CONFIG,
};

#define SQLSTATE_PATTERN_MAX 256

/* sqlstate: five letters; NULL, "" or unknown ones are SQLSTATE_AWAY. */
enum sqlstate_policy sqlstate_policy(const char *sqlstate);

/*
 * What a SQLSTATE_ROW error means, as a sentence that quotes nothing of the
 * row: PostgreSQL's own may hold its values, which have no place in a log.
 */
const char *sqlstate_sentence(const char *sqlstate);

/* A regular expression that matches those of SQLSTATE_ROW, for a statement that
 * has to know them by itself. */
void sqlstate_row_pattern(char ret[SQLSTATE_PATTERN_MAX]);

#endif
