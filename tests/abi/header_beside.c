/*
 * header_beside.c - the public headers behind and before what plugins use.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <microhttpd.h>

#include <evh/plugin.h>
#include <evh/services.h>

#include <evh/plugin.h> /* twice is once */

#include <ctype.h>
#include <dirent.h>
#include <locale.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <threads.h>

int
main(void)
{
	struct evh_event event = { .data = { .data = "{}", .len = 2 } };
	struct evh_query query = { .limit = 1 };

	return event.data.len == 2 && query.limit == 1 ? 0 : 1;
}
