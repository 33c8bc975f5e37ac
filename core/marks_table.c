#include "marks_table.h"

#include <string.h>

#include "log.h"
#include "timer.h"
#include "uuid_text.h"

#define KEEP_NS (INT64_C(7) * 86400 * 1000000000) /* who never came back */

/* The end of a process, as far as it is about one event that was there. */
enum end_kind {
	END_OF_NONE,
	END_BESIDE, /* others were there, too, and may have been the cause */
	END_OWN,
	END_LATE, /* and for the timeout */
};

void
marks_id_split(const unsigned char id[16], uint64_t ret[2])
{
	memcpy(ret, id, 16);
}

static unsigned
bucket_of(const uint64_t id[2])
{
	/* The last bytes of an id are its random ones. */
	return (unsigned)((id[0] ^ id[1]) * 0x9e3779b97f4a7c15u >> 32) %
	       MARKS_BUCKETS;
}

static bool
count_is(struct marks_count *count, const uint64_t id[2], uint64_t place)
{
	return atomic_load_explicit(&count->is_used, memory_order_acquire) &&
	       atomic_load(&count->id[0]) == id[0] &&
	       atomic_load(&count->id[1]) == id[1] &&
	       atomic_load(&count->place) == place;
}

/* The event's, a free one, or the one that is oldest.  Under the table's lock.
 */
static struct marks_count *
count_get(struct marks_table *table, const uint64_t id[2], uint64_t place)
{
	struct marks_count *bucket = table->counts[bucket_of(id)];
	struct marks_count *best = &bucket[0];

	for (unsigned i = 0; i < MARKS_WAYS; i++)
		if (count_is(&bucket[i], id, place))
			return &bucket[i];
	for (unsigned i = 0; i < MARKS_WAYS; i++) {
		if (!atomic_load(&bucket[i].is_used)) {
			best = &bucket[i];
			break;
		}
		if (atomic_load(&bucket[i].when_ns) <
		    atomic_load(&best->when_ns))
			best = &bucket[i];
	}
	/* Its numbers before its name: who reads it by the new one must not see
	 * the old ones. */
	atomic_store(&best->is_used, 0);
	atomic_store(&best->n, 0);
	atomic_store(&best->n_late, 0);
	atomic_store(&best->id[0], id[0]);
	atomic_store(&best->id[1], id[1]);
	atomic_store(&best->place, place);
	return best;
}

/* One more end of a process.  Under the table's lock. */
static void
count_add(struct marks_table *table, const uint64_t id[2], uint64_t place,
	  enum end_kind kind)
{
	struct marks_count *count = count_get(table, id, place);

	if (kind != END_BESIDE || atomic_load(&count->n) == 0)
		atomic_fetch_add(&count->n, 1);
	if (kind == END_LATE)
		atomic_fetch_add(&count->n_late, 1);
	atomic_store(&count->when_ns, timer_wall_ns());
	atomic_store(&count->is_used, 1);
	atomic_store(&table->has_counts, 1);
}

static void
log_end(const uint64_t id[2], enum end_kind kind)
{
	static const char *const words[] = {
		[END_BESIDE] = ", perhaps because of another one: it is tried "
			       "alone",
		[END_OWN] = ": that counts as a try of it",
		[END_LATE] = " for longer than its timeout: that counts as a "
			     "try of it",
	};
	unsigned char bytes[16];
	char text[UUID_TEXT_LEN + 1] = "";

	memcpy(bytes, id, sizeof(bytes));
	uuid_write(bytes, text);
	log_write(EVH_WARN, NULL,
		  "a process of evhd ended while a handler had event %s%s",
		  text, words[kind]);
}

/* Is one of its slots so. */
static bool
process_has(const struct marks_process *process, unsigned state)
{
	for (unsigned i = 0; i < MARKS_THREADS; i++)
		if (atomic_load(&process->slots[i].state) == state)
			return true;
	return false;
}

/* What the end says of an event whose slot was so. */
static enum end_kind
kind_of(unsigned state, bool has_alone, bool has_late)
{
	switch (state) {
	case MARKS_INSIDE:
		/* Only at the door, where another is alone. */
		return has_alone ? END_OF_NONE : END_BESIDE;
	case MARKS_ALONE:
		/* The late one, which is counted each time, may have been the
		 * cause; one that is there for long without a timeout, too, but
		 * it has been there alone, and nothing happened. */
		return has_late ? END_BESIDE : END_OWN;
	case MARKS_LONG:
		return has_alone ? END_BESIDE : END_OWN;
	case MARKS_LATE:
		return END_LATE;
	default:
		return END_OF_NONE;
	}
}

void
marks_table_bury(struct marks_table *table, struct marks_process *process)
{
	bool was_left = atomic_load(&process->use) == MARKS_LEFT;
	bool has_alone = process_has(process, MARKS_ALONE);
	bool has_late = process_has(process, MARKS_LATE);

	for (unsigned i = 0; i < MARKS_THREADS; i++) {
		struct marks_slot *slot = &process->slots[i];
		unsigned state = atomic_exchange(&slot->state, MARKS_EMPTY);
		enum end_kind kind = kind_of(state, has_alone, has_late);
		uint64_t id[2] = { atomic_load(&slot->id[0]),
				   atomic_load(&slot->id[1]) };

		atomic_store(&slot->is_taken, 0);
		if (kind == END_OF_NONE || (was_left && kind != END_LATE))
			continue;
		count_add(table, id, atomic_load(&slot->place), kind);
		log_end(id, kind);
	}
	atomic_store(&process->use, MARKS_FREE);
}

void
marks_table_tidy(struct marks_table *table)
{
	int64_t old_ns = timer_wall_ns() - KEEP_NS;
	bool is_any = false;

	if (!atomic_load(&table->has_counts))
		return;
	for (unsigned b = 0; b < MARKS_BUCKETS; b++)
		for (unsigned i = 0; i < MARKS_WAYS; i++) {
			struct marks_count *count = &table->counts[b][i];

			if (!atomic_load(&count->is_used))
				continue;
			if (atomic_load(&count->when_ns) < old_ns)
				atomic_store(&count->is_used, 0);
			else
				is_any = true;
		}
	if (!is_any)
		atomic_store(&table->has_counts, 0);
}

struct marks_ends
marks_table_find(struct marks_table *table, const unsigned char id[16],
		 uint64_t place)
{
	struct marks_ends ends = { 0 };
	struct marks_count *bucket;
	uint64_t halves[2];

	if (!atomic_load_explicit(&table->has_counts, memory_order_relaxed))
		return ends;
	marks_id_split(id, halves);
	bucket = table->counts[bucket_of(halves)];
	for (unsigned i = 0; i < MARKS_WAYS; i++) {
		if (!count_is(&bucket[i], halves, place))
			continue;
		ends.n = atomic_load(&bucket[i].n);
		ends.n_late = atomic_load(&bucket[i].n_late);
		/* It may have become another's meanwhile. */
		if (count_is(&bucket[i], halves, place))
			return ends;
		return (struct marks_ends){ 0 };
	}
	return ends;
}

void
marks_table_forget(struct marks_table *table, const unsigned char id[16],
		   uint64_t place)
{
	struct marks_count *bucket;
	uint64_t halves[2];

	marks_id_split(id, halves);
	bucket = table->counts[bucket_of(halves)];
	for (unsigned i = 0; i < MARKS_WAYS; i++)
		if (count_is(&bucket[i], halves, place))
			atomic_store(&bucket[i].is_used, 0);
}
