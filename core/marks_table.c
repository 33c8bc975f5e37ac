#include "marks_table.h"

#include <string.h>

#include "timer.h"

#define KEEP_NS (INT64_C(7) * 86400 * 1000000000) /* who never came back */

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
count_is(struct marks_count *count, const uint64_t id[2], uint64_t handler)
{
	return atomic_load_explicit(&count->is_used, memory_order_acquire) &&
	       atomic_load(&count->id[0]) == id[0] &&
	       atomic_load(&count->id[1]) == id[1] &&
	       atomic_load(&count->handler) == handler;
}

/* The event's, a free one, or the one that is oldest.  Under the table's lock.
 */
static struct marks_count *
count_get(struct marks_table *table, const uint64_t id[2], uint64_t handler)
{
	struct marks_count *bucket = table->counts[bucket_of(id)];
	struct marks_count *best = &bucket[0];

	for (unsigned i = 0; i < MARKS_WAYS; i++)
		if (count_is(&bucket[i], id, handler))
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
	atomic_store(&best->handler, handler);
	return best;
}

void
marks_table_add(struct marks_table *table, const uint64_t id[2],
		uint64_t handler, bool is_late)
{
	struct marks_count *count = count_get(table, id, handler);

	atomic_fetch_add(&count->n, 1);
	if (is_late)
		atomic_fetch_add(&count->n_late, 1);
	atomic_store(&count->when_ns, timer_wall_ns());
	atomic_store(&count->is_used, 1);
	atomic_store(&table->has_counts, 1);
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
		 uint64_t handler)
{
	struct marks_ends ends = { 0 };
	struct marks_count *bucket;
	uint64_t halves[2];

	if (!atomic_load_explicit(&table->has_counts, memory_order_relaxed))
		return ends;
	marks_id_split(id, halves);
	bucket = table->counts[bucket_of(halves)];
	for (unsigned i = 0; i < MARKS_WAYS; i++) {
		if (!count_is(&bucket[i], halves, handler))
			continue;
		ends.n = atomic_load(&bucket[i].n);
		ends.n_late = atomic_load(&bucket[i].n_late);
		/* It may have become another's meanwhile. */
		if (count_is(&bucket[i], halves, handler))
			return ends;
		return (struct marks_ends){ 0 };
	}
	return ends;
}

void
marks_table_forget(struct marks_table *table, const unsigned char id[16])
{
	struct marks_count *bucket;
	uint64_t halves[2];

	marks_id_split(id, halves);
	bucket = table->counts[bucket_of(halves)];
	for (unsigned i = 0; i < MARKS_WAYS; i++)
		if (count_is(&bucket[i], halves,
			     atomic_load(&bucket[i].handler)))
			atomic_store(&bucket[i].is_used, 0);
}
