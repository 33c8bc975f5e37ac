/*
 * isolate_frame.h - what evhd and an isolated handler's process say, as bytes.
 *
 * A frame is a type, a length and fields; both ends are the same evhd, so that
 * numbers stand as they do in memory.  Whoever reads believes nothing: a frame
 * has its bound, a field must lie within its frame, a text must end where it
 * says, and the first that does not makes the frame bad.
 */
#ifndef EVH_ISOLATE_FRAME_H
#define EVH_ISOLATE_FRAME_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum frame_type {
	/* To the process. */
	FRAME_CONFIG = 1, /* who it is: make the instance */
	FRAME_START,	  /* u64 longest frame */
	FRAME_EVENT,
	FRAME_FLUSH, /* u32 ms */
	FRAME_STOP,  /* u32 ms */
	/* To evhd. */
	FRAME_CREATED, /* u32 errno, 0: it went well */
	FRAME_STARTED, /* u32 errno */
	FRAME_READY,   /* text why not, or NULL */
	FRAME_HELD,    /* u64 event: process() said EVH_HOLD */
	FRAME_VERDICT, /* u64 event, and what became of it */
	FRAME_LOG,     /* u32 level, u64 event or 0, text */
	FRAME_METRIC,  /* u32 number, u32 kind, texts name, labels, help */
	FRAME_RECORD,  /* u32 number of the metric, u64 value */
	FRAME_FATAL,   /* text why */
	FRAME_END,     /* of the list */
};

/* Until FRAME_START has told the one of the config. */
#define FRAME_MAX_FIRST (UINT32_C(1) << 20)

/* Bytes to send, or received and not read yet.  Zero it to begin. */
struct frame_buffer {
	char *at;
	size_t begin, end, size;
	size_t frame;  /* where the frame that is being written begins */
	bool is_short; /* of memory: what is in it is not whole */
};

void frame_buffer_fini(struct frame_buffer *buffer);
size_t frame_buffer_len(const struct frame_buffer *buffer);
/* Room for n more bytes at buffer->at + buffer->end.  0 or -ENOMEM. */
int frame_buffer_reserve(struct frame_buffer *buffer, size_t n);
/* Some of it has been sent. */
void frame_buffer_consume(struct frame_buffer *buffer, size_t n);

/* Writing one.  When memory is short the buffer says so at the end:
 * frame_end() gives -ENOMEM then, -EMSGSIZE when the frame is longer than max,
 * and takes it out again. */
void frame_begin(struct frame_buffer *buffer, enum frame_type type);
void frame_put_u32(struct frame_buffer *buffer, uint32_t value);
void frame_put_u64(struct frame_buffer *buffer, uint64_t value);
void frame_put_bytes(struct frame_buffer *buffer, struct evh_bytes bytes);
void frame_put_text(struct frame_buffer *buffer,
		    const char *text); /* or NULL */
int frame_end(struct frame_buffer *buffer, size_t max);

/* One that is being read; borrows the buffer's bytes. */
struct frame {
	uint32_t type;
	const char *at, *end;
	bool is_bad; /* a field was not there */
};

/* The next whole one, taken out: 1; 0: there is none yet; -EBADMSG: it is
 * longer than max.  Valid until the buffer is written to. */
int frame_next(struct frame_buffer *buffer, size_t max, struct frame *ret);
uint32_t frame_take_u32(struct frame *frame);
uint64_t frame_take_u64(struct frame *frame);
/* A NUL follows them; "" when they are not there. */
struct evh_bytes frame_take_bytes(struct frame *frame);
/* NULL when that was written; "" when it is not there. */
const char *frame_take_text(struct frame *frame);
/* A number of things of at least so many bytes each; 0 when they cannot be in
 * the frame. */
uint32_t frame_take_count(struct frame *frame, size_t least_size);
/* All was there, and nothing else. */
bool frame_is_done(const struct frame *frame);

/* What has come, without waiting, a piece at most.  Its length; 0: the other
 * end has closed; -EAGAIN: nothing; or -errno. */
ssize_t frame_receive(struct frame_buffer *buffer, int fd);
/* Sends what it can without waiting.  0, -EAGAIN when some is left, -errno. */
int frame_send(struct frame_buffer *buffer, int fd);

#endif
