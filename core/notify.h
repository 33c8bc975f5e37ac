/*
 * notify.h - tells the service manager how evhd is (sd_notify(3)), if there
 * is one: without NOTIFY_SOCKET in the environment nothing happens.
 */
#ifndef EVH_NOTIFY_H
#define EVH_NOTIFY_H

void notify_ready(void);
void notify_stopping(void);
/* One line, shown by `systemctl status`; cut at 511 bytes, and control
 * characters become spaces. */
void notify_status(const char *text);

#endif
