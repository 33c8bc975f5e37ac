#include "strand.h"

#include <pthread.h>
#include <semaphore.h>

#include "chance.h"
#include "failure.h"

#define CHANGE_PERCENT 25u
/* Turns in which neither got its lock. */
#define BLOCKED_MAX 1000u

static struct {
	struct chance *chance;
	void (*step)(void);
	pthread_t thread;
	sem_t turns[2];	  /* the first one's, the second one's */
	bool is_alive;	  /* the second has a step in hand */
	bool runs_second; /* it is running; else the first is */
	bool is_muted;
	bool has_met; /* since the first one's step began */
	unsigned rate;
} strand;

/* The linker's --wrap gives these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);

static void
await_turn(unsigned who)
{
	while (sem_wait(&strand.turns[who]) != 0)
		continue; /* a signal */
}

void
strand_change(void)
{
	unsigned me = strand.runs_second;

	strand.runs_second = !me;
	sem_post(&strand.turns[!me]);
	await_turn(me);
}

static void *
second_main(void *arg)
{
	(void)arg;
	for (;;) {
		await_turn(1);
		strand.step();
		strand.is_alive = false;
		strand.runs_second = false;
		sem_post(&strand.turns[0]);
	}
	return NULL;
}

void
strand_init(void)
{
	if (sem_init(&strand.turns[0], 0, 0) != 0 ||
	    sem_init(&strand.turns[1], 0, 0) != 0 ||
	    pthread_create(&strand.thread, NULL, second_main, NULL) != 0)
		failure("the machine has no second thread");
	(void)pthread_setname_np(strand.thread, "simulate/2");
	(void)pthread_detach(strand.thread);
}

void
strand_begin(struct chance *chance, void (*step)(void), unsigned rate)
{
	strand.chance = chance;
	strand.step = step;
	strand.rate = rate;
}

void
strand_mute(bool is_muted)
{
	strand.is_muted = is_muted;
}

bool
strand_has_met(void)
{
	return strand.has_met;
}

bool
strand_is_second(void)
{
	return strand.runs_second;
}

void
strand_point(void)
{
	if (strand.is_muted)
		return;
	if (strand.is_alive) {
		if (chance_of(strand.chance, CHANGE_PERCENT))
			strand_change();
	} else if (strand.rate > 0 &&
		   chance_below(strand.chance, 1000) < strand.rate) {
		strand.is_alive = true;
		strand.has_met = true;
		strand_change();
	}
}

bool
strand_await(void)
{
	bool was_alive = strand.is_alive;

	for (unsigned n = 0; strand.is_alive; n++) {
		if (n == BLOCKED_MAX)
			failure("a lock is held for ever");
		strand_change();
	}
	return was_alive;
}

bool
strand_finish(void)
{
	bool was_alive = strand_await();

	strand.has_met = false;
	return was_alive;
}

int
__wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
	unsigned n = 0;

	strand_point();
	if (!strand.is_alive)
		return __real_pthread_mutex_lock(lock);
	while (pthread_mutex_trylock(lock) != 0) {
		if (!strand.is_alive || ++n == BLOCKED_MAX)
			failure("two threads wait for each other's locks");
		strand_change();
	}
	return 0;
}
/* NOLINTEND(bugprone-reserved-identifier) */
