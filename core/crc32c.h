/*
 * crc32c.h - the checksum of Castagnoli, which processors have an instruction
 * for and which finds what disks do to bytes.
 */
#ifndef EVH_CRC32C_H
#define EVH_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, which is 0 at first. [any] */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same without the instruction; for machines that lack it. [any] */
uint32_t crc32c_plain(uint32_t crc, const void *data, size_t len);

#endif
