/*
 * write_batch.h - the writer's batch in hand, written and answered.
 */
#ifndef PG_STORE_WRITE_BATCH_H
#define PG_STORE_WRITE_BATCH_H

struct writer;

#define WRITE_BATCH_STATEMENT "upsert"

enum write_batch {
	WRITE_BATCH_DONE = 1, /* each event is settled */
	WRITE_BATCH_LOST,     /* the connection is of no more use */
	WRITE_BATCH_REFUSED,  /* the server answers, but takes no writes */
};

/*
 * Writes writer->evs until writer->deadline and notes each one's result;
 * what has none yet when it returns is to be tried again.  With other than
 * WRITE_BATCH_DONE, writer->failure says why.  [writer]
 */
enum write_batch write_batch(struct writer *writer);

/* Answers all of them, in order, those without a result EVH_RETRY. */
void write_batch_answer(struct writer *writer);

#endif
