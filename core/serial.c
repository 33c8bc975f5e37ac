#include "serial.h"

#include "condition.h"
#include "timer.h"

/* Who waits without a limit looks again so often. */
#define LOOK_NS INT64_C(60000000000)

int
serial_init(struct serial *serial)
{
	int rc;

	serial->is_taken = false;
	rc = condition_init(&serial->given);
	if (rc < 0)
		return rc;
	rc = -pthread_mutex_init(&serial->lock, NULL);
	if (rc < 0)
		pthread_cond_destroy(&serial->given);
	return rc;
}

void
serial_fini(struct serial *serial)
{
	pthread_mutex_destroy(&serial->lock);
	pthread_cond_destroy(&serial->given);
}

bool
serial_enter_until(struct serial *serial, int64_t due_ns)
{
	bool is_mine;

	pthread_mutex_lock(&serial->lock);
	while (serial->is_taken &&
	       condition_wait(&serial->given, &serial->lock, due_ns))
		;
	is_mine = !serial->is_taken;
	serial->is_taken = true;
	pthread_mutex_unlock(&serial->lock);
	return is_mine;
}

void
serial_enter(struct serial *serial)
{
	while (!serial_enter_until(serial, timer_now_ns() + LOOK_NS))
		;
}

void
serial_leave(struct serial *serial)
{
	pthread_mutex_lock(&serial->lock);
	serial->is_taken = false;
	pthread_cond_signal(&serial->given);
	pthread_mutex_unlock(&serial->lock);
}
