#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "log.h"

int
signals_open(int *ret_fd)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -EINVAL;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		int rc = -errno;

		log_write(EVH_ERROR, NULL, "signalfd: %s", strerror(-rc));
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

bool
signals_read(int fd)
{
	struct signalfd_siginfo info;
	bool stops = false;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			(void)log_reopen(); /* has said why not */
			continue;
		}
		log_write(EVH_INFO, NULL, "%s: stopping",
			  info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
		stops = true;
	}
	return stops;
}
