#include "topic.h"

#include <inttypes.h>

#include "chance.h"
#include "failure.h"

void
topic_produce(struct broker *b)
{
	static const char keys[] = "klmnopqr";
	bool has_key = chance_of(b->chance, 80);
	unsigned key = chance_below(b->chance, b->n_keys);
	/* The same key, the same partition, as every producer does it. */
	unsigned i = has_key ? key % BROKER_PARTITIONS
			     : chance_below(b->chance, BROKER_PARTITIONS);
	struct broker_partition *p = &b->partitions[i];
	struct broker_message *m = &p->messages[p->n];

	if (p->n == BROKER_MESSAGES_MAX)
		return;
	/* It can be told from the old one while it is shorter than what the
	 * consumer has read of that, also when it goes back to what is done. */
	if (p->is_renewed && p->end + 4 > commits_prefix(&p->commits))
		return;
	if (chance_of(b->chance, 10)) /* transactions leave holes */
		p->end += chance_between(b->chance, 1, 2);
	*m = (struct broker_message){
		.offset = p->end++,
		.key = has_key ? keys[key] : 0,
		.name = (char)('a' + chance_below(b->chance, 3)),
		.serial = b->n_made++,
		/* It has no id but its place. */
		.is_poison = p->n_logs == 0 && chance_of(b->chance, 3),
		.size = chance_of(b->chance, 10) ? chance_below(b->chance, 1500)
						 : 0,
	};
	p->n++;
	commits_produced(p->is_renewed ? &p->next : &p->commits, m->offset);
}

/* What it has stored by then is beyond where the new one begins. */
void
topic_renew(struct broker *b)
{
	int32_t i = (int32_t)chance_below(b->chance, BROKER_PARTITIONS);
	struct broker_partition *p = &b->partitions[i];

	if (!p->is_assigned || p->is_paused || p->may_repeat || p->is_renewed ||
	    p->is_owed || p->commits.stored < 4 || p->newest < 4)
		return;
	trace("partition %" PRId32 " is deleted and made again", i);
	p->is_renewed = true;
	p->n_logs++;
	p->n = 0;
	p->end = 0;
	p->position = 0;
	commits_begin(&p->next, i);
}

void
topic_turn_over(struct broker_partition *p)
{
	p->next.life = p->commits.life + 1;
	p->commits = p->next;
	p->is_renewed = false;
}
