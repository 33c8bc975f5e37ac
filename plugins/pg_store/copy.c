#include "copy.h"

#include "clock.h"
#include "deadline.h"
#include "fields.h"
#include "look.h"
#include "range.h"
#include "rows.h"
#include "stale_copy.h"
#include "status.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS		 10
#define UNIQUE_VIOLATION "23505"
/* Batches that do without, while it is refused. */
#define PAUSE_MAX 63
/* One look costs a seventh of a COPY, one COPY in vain all of it. */
#define LOOKS 16
/* So much is made while the server has the piece before. */
#define PIECE ((size_t)256 << 10)

/* The batch on its way, in this order. */
struct source {
	struct write_batch *hand;
	const uint32_t *positions;
	size_t n;
	int64_t now_ns;
	size_t at;
	bool is_over;
};

/* raw and error are for those that it does not take. */
#define COPY                                                                   \
	STALE_COPY_BEGIN                                                       \
	"id, name, data, status, attempts, created_at, processed_at,"          \
	" kafka_topic, kafka_partition, kafka_offset)"                         \
	" FROM STDIN (FORMAT binary)" STALE_COPY_MARK

/* ---- Bytes ------------------------------------------------------------- */

/* As the manual's page of COPY has it: a signature, no flags, no extension. */
static int
head_add(struct fields *copy)
{
	static const char signature[] = "PGCOPY\n\377\r\n"; /* and its NUL */
	int rc;

	rc = fields_reserve(copy, sizeof(signature) + 2 * sizeof(uint32_t));
	if (rc < 0)
		return rc;

	fields_put(copy, signature, sizeof(signature));
	fields_put_u32(copy, 0);
	fields_put_u32(copy, 0);
	return 0;
}

static int
put_count(struct fields *copy, uint16_t count)
{
	int rc = fields_reserve(copy, sizeof(count));

	if (rc == 0)
		fields_put_u16(copy, count);
	return rc;
}

static int
row_add(struct fields *copy, const struct evh_event *ev, int64_t now_ns)
{
	int rc;

	rc = put_count(copy, COLUMNS);
	if (rc < 0)
		return rc;
	rc = fields_add(copy, ev->id, sizeof(ev->id));
	if (rc < 0)
		return rc;
	rc = fields_add_text(copy, ev->name);
	if (rc < 0)
		return rc;
	rc = fields_add(copy, ev->data.data, ev->data.len);
	if (rc < 0)
		return rc;
	rc = fields_add_text(copy, status_word(ev->status));
	if (rc < 0)
		return rc;
	rc = fields_add_u32(copy, rows_attempts(ev));
	if (rc < 0)
		return rc;
	rc = fields_add_time(copy, ev->created_ns);
	if (rc < 0)
		return rc;
	rc = ev->status == EVH_PENDING ? fields_add_null(copy)
				       : fields_add_time(copy, now_ns);
	if (rc < 0)
		return rc;
	return rows_add_place(copy, copy, copy, ev);
}

/* Of a failed one a part may not fit its column. */
static bool
is_copyable(const struct write_batch *hand, size_t at)
{
	return hand->evs[at]->status != EVH_FAILED && !hand->results[at] &&
	       !hand->is_there[at];
}

static int
piece_make(struct source *source, struct fields *copy)
{
	const struct write_batch *hand = source->hand;
	int rc = source->at == 0 ? head_add(copy) : 0;

	while (rc == 0 && source->at < source->n && copy->len < PIECE) {
		size_t at = source->positions[source->at++];

		if (is_copyable(hand, at))
			rc = row_add(copy, hand->evs[at], source->now_ns);
	}
	if (rc == 0 && source->at == source->n) {
		rc = put_count(copy, UINT16_MAX); /* -1 */
		source->is_over = true;
	}
	return rc;
}

static int
piece_next(void *arg, const char **ret, size_t *ret_len)
{
	struct source *source = arg;
	struct fields *copy = &source->hand->copy;
	int rc = 0;

	fields_clear(copy);
	if (!source->is_over)
		rc = piece_make(source, copy);
	*ret = copy->bytes;
	*ret_len = copy->len;
	return rc;
}

/* ---- Batches ----------------------------------------------------------- */

static size_t
copyable_count(const struct write_batch *hand)
{
	size_t i, n = 0;

	for (i = 0; i < hand->n; i++)
		n += is_copyable(hand, i);
	return n;
}

static void
copied_mark(struct write_batch *hand)
{
	size_t i;

	for (i = 0; i < hand->n; i++)
		if (is_copyable(hand, i))
			range_mark(hand, i);
}

/* Fewer and fewer tries, while there are refusals. */
static void
pause_more(struct write_batch *hand)
{
	if (hand->copy_pause < PAUSE_MAX)
		hand->copy_pause = hand->copy_pause * 2 + 1;
	hand->copy_left = hand->copy_pause;
}

/* Some ids were there: the next batches look before they leap. */
static void
ids_are_mixed(struct write_batch *hand)
{
	hand->ids = WRITE_IDS_MIXED;
	hand->looks_left = LOOKS;
}

static int
copy(struct write_batch *hand, struct source *source)
{
	char sql[sizeof(COPY) + 16];
	int rc;

	snprintf(sql, sizeof(sql), COPY, deadline_left_ms(hand->deadline));
	source->now_ns = clock_wall_ns();
	rc = connection_copy(hand->connection, sql, piece_next, source,
			     hand->deadline, hand->failure);
	if (rc == -EREMOTEIO &&
	    strcmp(hand->failure->sqlstate, UNIQUE_VIOLATION) == 0)
		ids_are_mixed(hand);
	return rc;
}

/* The COPY is a transaction by itself. */
static enum halving
copy_all(struct write_batch *hand, struct source *source)
{
	int64_t began = clock_ns();
	int rc = copy(hand, source);

	if (rc == -EREMOTEIO)
		return HALVING_BAD;
	if (rc < 0)
		return range_end(hand, rc);
	range_committed(hand, began);
	hand->ctx->record(hand->batch_rows, (int64_t)hand->n);
	range_settle(hand, 0, hand->n);
	return HALVING_DONE;
}

/* Of too few the upsert is the faster way. */
static enum halving
copy_most(struct write_batch *hand, struct source *source)
{
	int rc = range_begin(hand);

	if (rc == 0 && copyable_count(hand) >= WRITE_ROWS_MIN) {
		rc = copy(hand, source);
		if (rc == 0)
			copied_mark(hand);
	}
	return range_finish(hand, rc);
}

/* By value: a second try begins at the first row again. */
static enum halving
copy_some(struct write_batch *hand, struct source source)
{
	return copyable_count(hand) == hand->n ? copy_all(hand, &source)
					       : copy_most(hand, &source);
}

/* What the table has not; of what it has the upsert writes what may change, or,
 * where that is most of it, update.h. */
static enum halving
copy_absent(struct write_batch *hand)
{
	struct source source = { .hand = hand };
	struct look look;
	int rc;

	if (!range_plan(hand, 0, hand->n, &source.positions, &source.n))
		return HALVING_BAD;
	rc = look_run(hand, source.positions, source.n, &look);
	if (rc == -EREMOTEIO)
		return HALVING_BAD;
	if (rc < 0)
		return range_end(hand, rc);
	if (look.n_there >= WRITE_ROWS_MIN &&
	    2 * look.n_there >= source.n - look.n_settled) {
		hand->ids = WRITE_IDS_OLD;
		return HALVING_BAD;
	}
	assert(hand->looks_left > 0); /* or ids were no longer mixed */
	if (look.n_settled + look.n_there > 0)
		ids_are_mixed(hand);
	else if (--hand->looks_left == 0)
		hand->ids = WRITE_IDS_NEW;
	return copy_some(hand, source);
}

enum halving
copy_run(struct write_batch *hand)
{
	struct source source = { .hand = hand };
	enum halving halving = HALVING_BAD;

	if (hand->ids == WRITE_IDS_OLD || copyable_count(hand) < WRITE_ROWS_MIN)
		return HALVING_BAD;
	if (hand->copy_left > 0) {
		hand->copy_left--;
		return HALVING_BAD;
	}
	if (!range_plan(hand, 0, hand->n, &source.positions, &source.n))
		return HALVING_BAD;

	if (hand->ids == WRITE_IDS_NEW)
		halving = copy_some(hand, source);
	if (halving == HALVING_BAD && hand->ids == WRITE_IDS_MIXED)
		halving = copy_absent(hand);
	if (halving == HALVING_DONE)
		hand->copy_pause = 0;
	else if (halving == HALVING_BAD && hand->ids != WRITE_IDS_OLD)
		pause_more(hand);
	return halving;
}
