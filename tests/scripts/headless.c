/*
 * headless.c - a process whose first thread has ended: a zombie to look at,
 * which all the same runs, and has all that it had open, until its second one
 * is told to end by the end of its input.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static void *
wait_for_end(void *arg)
{
	char byte;

	(void)arg;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	exit(EXIT_SUCCESS);
}

int
main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_end, NULL) != 0)
		return EXIT_FAILURE;
	pthread_exit(NULL);
}
