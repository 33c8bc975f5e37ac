/*
 * disk_file.h - the files on the simulated disk, for those who call them.
 *
 * What calls.c puts in the place of the system's calls, and nobody else uses.
 * Who fails sets errno and returns -1, as the system does.
 */
#ifndef SIMULATE_DISK_FILE_H
#define SIMULATE_DISK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether that is a file here, and not the system's. */
bool disk_file_is_ours(int fd);
/* "." is the folder. */
int disk_file_open(const char *name, int flags);
void disk_file_close(int fd);
size_t disk_file_size(int fd);
size_t disk_file_read(int fd, void *ret, size_t n, size_t place);
ssize_t disk_file_write(int fd, const void *data, size_t n, size_t place);
int disk_file_cut(int fd, size_t len);
int disk_file_sync(int fd);
int disk_file_lock(int fd);
int disk_file_delete(const char *name);

/* The names in the folder, one listing at a time; NULL behind the last. */
void disk_list_begin(void);
const char *disk_list_next(void);

#endif
