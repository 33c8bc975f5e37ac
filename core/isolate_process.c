#include "isolate_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolate_child.h"

/* In this order: the socket may have the number of another. */
static int
actions_fill(posix_spawn_file_actions_t *actions, int fd)
{
	int rc = posix_spawn_file_actions_adddup2(actions, fd, ISOLATE_FD);

	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
						      "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(actions, STDERR_FILENO,
						      STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(actions,
							      ISOLATE_FD + 1);
	return rc;
}

static int
attributes_fill(posix_spawnattr_t *attributes)
{
	sigset_t all, blocked;
	int rc;

	sigfillset(&all);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGHUP);
	rc = posix_spawnattr_setsigdefault(attributes, &all);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attributes, &blocked);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attributes, 0);
	if (rc == 0)
		rc = posix_spawnattr_setflags(attributes,
					      POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETPGROUP);
	return rc;
}

static int
spawn(int fd, const char *name, pid_t *ret_pid)
{
	char *argv[] = { (char *)"evhd", (char *)ISOLATE_WORD, (char *)name,
			 NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return -rc;
	rc = posix_spawnattr_init(&attributes);
	if (rc != 0)
		goto fail_attributes;
	rc = actions_fill(&actions, fd);
	if (rc == 0)
		rc = attributes_fill(&attributes);
	if (rc == 0)
		rc = posix_spawn(ret_pid, "/proc/self/exe", &actions,
				 &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
fail_attributes:
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

static void
left_add(struct process_left *left, pid_t pid)
{
	if (left->n < PROCESS_LEFT_MAX)
		left->pids[left->n++] = pid;
}

void
process_left_reap(struct process_left *left)
{
	for (unsigned i = left->n; i > 0; i--)
		if (waitpid(left->pids[i - 1], NULL, WNOHANG) != 0)
			left->pids[i - 1] = left->pids[--left->n];
}

int
process_start(struct isolate_process *process, const char *name,
	      struct process_left *left)
{
	int fds[2];
	int rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	rc = spawn(fds[1], name, &process->pid);
	close(fds[1]);
	if (rc < 0) {
		process->pid = 0;
		close(fds[0]);
		return rc;
	}
	process->fd = fds[0];
	process->end_fd = pidfd_open(process->pid, 0);
	if (process->end_fd >= 0)
		return 0;
	rc = -errno;
	(void)kill(process->pid, SIGKILL);
	left_add(left, process->pid);
	process->pid = 0;
	close(process->fd);
	return rc;
}

void
process_signal(const struct isolate_process *process, int signal)
{
	/* Nobody else reaps it, so that the number is still its own. */
	if (process->pid <= 0)
		return;
	(void)kill(process->pid, signal);
	if (signal == SIGKILL)
		(void)kill(-process->pid, signal);
}

static void
process_forget(struct isolate_process *process)
{
	close(process->fd);
	close(process->end_fd);
	process->pid = 0;
}

void
process_leave(struct isolate_process *process, struct process_left *left)
{
	left_add(left, process->pid);
	process_forget(process);
}

int
process_reap(struct isolate_process *process, char *ret, size_t size)
{
	int status = 0;
	pid_t pid;

	do {
		pid = waitpid(process->pid, &status, WNOHANG);
	} while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return -EAGAIN;
	if (pid < 0)
		snprintf(ret, size, "its process is not there any more");
	else if (WIFSIGNALED(status))
		snprintf(ret, size, "its process ended by signal %d",
			 WTERMSIG(status));
	else
		snprintf(ret, size, "its process exited with %d",
			 WEXITSTATUS(status));
	process_forget(process);
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
