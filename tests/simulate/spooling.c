#include "spooling.h"

#include <inttypes.h>

#include "account.h"
#include "disk.h"
#include "failure.h"
#include "life.h"
#include "log.h"
#include "steps.h"
#include "strand.h"
#include "virtual.h"

#define STEPS_MIN      20u
#define STEPS_MAX      200u
#define CALM_STEPS_MAX 20000u
#define SLACK	       1000u /* bytes */

static struct chance chance;
static struct life life;
static struct life_plan plan;
static bool wants_stop, is_calm;

/* ---- Steps -------------------------------------------------------------- */

static bool
step_time(void)
{
	static const unsigned most_us[] = { 10, 1000, 30000, 3000000 };
	int64_t due_ns = life_due_ns(&life);

	if (due_ns > virtual_now_ns() && due_ns < INT64_MAX &&
	    chance_of(&chance, 50))
		virtual_advance_to(due_ns);
	else
		virtual_advance(
			(int64_t)chance_between(
				&chance, 1, most_us[chance_below(&chance, 4)]) *
			1000);
	trace("time passes");
	return true;
}

static bool
step_disk(void)
{
	static const unsigned percents[] = { 0, 0, 0, 5, 40 };
	struct disk_mood mood = {
		.fails = percents[chance_below(&chance, 5)],
		.shorts = percents[chance_below(&chance, 5)],
		.kills = chance_of(&chance, 30) ? 10 : 0,
		.room = SIZE_MAX,
	};

	if (chance_of(&chance, 30))
		mood.room = disk_used("") + chance_below(&chance, 2000);
	trace("the disk: %u %% fail, %u %% are short, room for %zu", mood.fails,
	      mood.shorts, mood.room);
	disk_set_mood(&mood);
	return true;
}

static bool
step_shortage(void)
{
	return steps_shorten_memory(&chance);
}

static bool
step_mood(void)
{
	life_mood(&life);
	return true;
}

static bool
step_emit(void)
{
	return life_emit(&life);
}

static bool
step_spool(void)
{
	return life_spool(&life);
}

static bool
step_work(void)
{
	return life_work(&life);
}

static bool
step_answer(void)
{
	return life_answer(&life);
}

static bool
step_readiness(void)
{
	return life_change_readiness(&life);
}

static bool
step_end(void)
{
	if (chance_of(&chance, 50))
		disk_kill();
	else
		wants_stop = true;
	return true;
}

static const struct step steps[] = {
	{ 25, step_emit },   { 25, step_spool }, { 15, step_work },
	{ 15, step_answer }, { 10, step_time },	 { 5, step_readiness },
	{ 2, step_disk },    { 1, step_mood },	 { 1, step_shortage },
	{ 1, step_end },
};

static void
step(void)
{
	steps_take(&chance, steps, sizeof(steps) / sizeof(*steps));
	/* A file that is just begun, or was given up, comes on top of it. */
	if (disk_used(".spool") > plan.max_size + SLACK &&
	    !disk_has_kept_a_file())
		failure("the spool takes %zu bytes of the disk",
			disk_used(".spool"));
}

static void
step_beside(void)
{
	static step_fn *const beside[] = {
		step_spool, step_work, step_answer,
		step_emit,  step_emit, step_readiness
	};

	steps_take_beside(&chance, beside, is_calm ? 3 : 6);
}

/* One step of what goes on by itself; false: nothing does. */
static bool
go_on(void)
{
	return life_spool(&life) || life_work(&life) || life_answer(&life);
}

static void
step_while_waiting(void *arg, int64_t due_ns)
{
	(void)arg;
	if (!go_on()) {
		int64_t next_ns = life_due_ns(&life);

		virtual_advance_to(next_ns > virtual_now_ns() &&
						   next_ns < due_ns
					   ? next_ns
					   : due_ns);
	}
}

/* ---- Processes ---------------------------------------------------------- */

static void
end_life(void)
{
	trace("stop");
	virtual_shortage(0);
	account_give_up();
	life_end(&life);
	/* It may be the machine that stops. */
	if (chance_of(&chance, 30))
		disk_kill();
	disk_restart();
	account_next_life();
}

/* False: it could not start, as when the disk fails. */
static bool
begin_life(void)
{
	wants_stop = false;
	if (life_begin(&life, &chance, &plan))
		return true;
	disk_restart();
	account_next_life();
	return false;
}

/* So many steps, in as many lives as it takes. */
static void
live(unsigned n)
{
	bool is_alive = false;

	while (n-- > 0) {
		if (!is_alive && !begin_life()) {
			(void)step_disk();
			continue;
		}
		is_alive = true;
		step();
		if (!disk_is_dead() && !wants_stop)
			continue;
		end_life();
		is_alive = false;
	}
	if (is_alive)
		end_life();
}

/* All goes well, and has to come to its end. */
static void
live_in_calm(void)
{
	if (!begin_life())
		failure("it does not start on a good disk");
	trace("calm");
	life_calm(&life);
	for (unsigned n = 0; account_owed() > 0 || !life_is_through(&life);
	     n++) {
		int64_t due_ns = life_due_ns(&life);

		if (n == CALM_STEPS_MAX)
			failure("stuck: %u are not delivered", account_owed());
		(void)strand_finish();
		if (!go_on())
			virtual_advance_to(due_ns);
	}
	(void)strand_finish();
	end_life();
}

static void
calm_down(void)
{
	disk_set_mood(&(struct disk_mood){ .room = SIZE_MAX });
	virtual_shortage(0);
	is_calm = true;
	live_in_calm();
	account_settle();
	live_in_calm();
	is_calm = false;
}

/* ---- The whole ---------------------------------------------------------- */

static void
tell(void *arg, enum evh_level level, const struct log_facts *facts,
     const char *msg)
{
	(void)arg;
	(void)level;
	(void)facts;
	trace("log: %s", msg);
}

static void
draw_plan(void)
{
	static const unsigned windows[] = { 1, 2, 4, 8, 16, 40 };
	static const unsigned sizes[] = { 1000, 3000, 10000, 100000 };

	plan = (struct life_plan){
		.in_flight = windows[chance_below(&chance, 6)],
		.deadline_ms = chance_of(&chance, 50) ? 2000 : 0,
		.workers = chance_below(&chance, LIFE_WORKERS + 1),
		.n_keys = chance_between(&chance, 1, 4),
		.max_size = sizes[chance_below(&chance, 4)],
		.is_always = chance_of(&chance, 25),
		.is_serial = chance_of(&chance, 50),
	};
	trace("in_flight %u deadline %u workers %u keys %u max_size %" PRIu64
	      "%s%s",
	      plan.in_flight, plan.deadline_ms, plan.workers, plan.n_keys,
	      plan.max_size, plan.is_always ? " always" : "",
	      plan.is_serial ? " serial" : "");
}

unsigned
spooling_run(uint64_t seed, unsigned max_steps)
{
	unsigned n;

	steps_begin(&chance, seed, step_beside, step_while_waiting);
	log_divert(tell, NULL);
	disk_begin(&chance);
	draw_plan();
	account_begin(plan.deadline_ms);
	n = steps_start(&chance, step_beside, STEPS_MIN, STEPS_MAX, max_steps);
	live(n);
	calm_down();
	account_end();
	disk_end();
	log_divert(NULL, NULL);
	return n;
}
