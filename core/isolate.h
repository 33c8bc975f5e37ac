/*
 * isolate.h - handlers that run in a process of their own.
 *
 * `isolate = "process"` in a handler's section puts functions of the host in
 * the place of the plugin's: the host sees an ordinary EVH_PARALLEL handler
 * that holds its events, and the plugin an ordinary host, in another process
 * (isolate_child.h).  It crashes or hangs there alone; the process is made
 * again, and the event in hand has used up an attempt.  The price is that an
 * event is copied there and back, and that there are no services.
 */
#ifndef EVH_ISOLATE_H
#define EVH_ISOLATE_H

struct instance;

/* Isolates the instance, if its section says so; before its create().
 * 0 or -ENOMEM. */
int instance_isolate(struct instance *in);
/* Frees what the instance has for that; after its destroy(). */
void instance_unisolate(struct instance *in);

#endif
