/*
 * spool_record.h - one event as bytes of a spool's file.
 *
 *     head   u32 length of the body, u32 CRC-32C of all that follows and of
 *            the length, u64 number, u64 synced
 *     body   id, times, name, key, place, headers, data
 *
 * Numbers are little-endian.  `number` counts the spool's records, without a
 * gap.  `synced` is the place in the file up to which everything had been
 * fsynced before this record was written: so a record that cannot be read is a
 * torn tail if nothing behind it was written after it had been synced, and
 * damage if something was.
 */
#ifndef EVH_SPOOL_RECORD_H
#define EVH_SPOOL_RECORD_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_RECORD_HEAD ((size_t)24)
/* Of a body; nothing longer was ever written. */
#define SPOOL_RECORD_MAX ((size_t)1 << 30)

/* Bytes that are to be written: zero it first, free `at` at the end. */
struct spool_bytes {
	unsigned char *at;
	size_t len, room;
};

struct spool_head {
	uint32_t body_len;
	uint32_t crc;
	uint64_t number;
	uint64_t synced;
};

/* Little-endian numbers at p. */
void spool_put_u32(unsigned char *p, uint32_t value);
void spool_put_u64(unsigned char *p, uint64_t value);
uint32_t spool_get_u32(const unsigned char *p);
uint64_t spool_get_u64(const unsigned char *p);

/* How many bytes the event will take. */
size_t spool_record_size(const struct evh_event *ev);

/* Adds the event; 0, -ENOMEM, or -EMSGSIZE, and then nothing was added. */
int spool_record_add(struct spool_bytes *bytes, const struct evh_event *ev,
		     uint64_t number, uint64_t synced);

/* SPOOL_RECORD_HEAD bytes as a head; it may be none. */
struct spool_head spool_record_head(const unsigned char *at);
/* Whether the checksum is right; the body follows the head at `at`. */
bool spool_record_is_whole(const unsigned char *at,
			   const struct spool_head *head);

/*
 * What event_new() needs; borrows the body.  ret_headers: malloced, the
 * caller's, or NULL.  0, -ENOMEM, or -EBADMSG when the body is none.
 */
int spool_record_spec(const unsigned char *body, size_t len,
		      struct evh_spec *ret, struct evh_header **ret_headers);

#endif
