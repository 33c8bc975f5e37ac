#include "notify.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "log.h"

static void
notify_log(int rc)
{
	/* 0: nobody wants to know. */
	if (rc < 0)
		log_write(EVH_WARN, NULL, "sd_notify: %s", strerror(-rc));
}

void
notify_ready(void)
{
	notify_log(sd_notify(0, "READY=1\nSTATUS=ready"));
}

void
notify_stopping(void)
{
	notify_log(sd_notify(0, "STOPPING=1\nSTATUS=stopping"));
}

void
notify_status(const char *text)
{
	char line[512];
	char *p;

	/* Behind a line break it would be another message. */
	snprintf(line, sizeof(line), "%s", text);
	for (p = line; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	notify_log(sd_notifyf(0, "STATUS=%s", line));
}
