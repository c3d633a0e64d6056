/* digest.h - for kernel_digest.c: one number for many bytes. */
#ifndef DIGEST_H
#define DIGEST_H

#include "made_frames.h"

#include <canal_fast/bits.h>
#include <canal_fast/cpu.h>

#include <stdio.h>

static cf_units units;
static const char *kind = ""; /* of records: in front of each name */
static uint64_t sum;
static int wrong;

static void add(const void *bytes, size_t size)
{
    const uint8_t *at = (const uint8_t *)bytes;
    sum = (sum ^ size) * 0x100000001B3u;
    for (; size >= 8; size -= 8, at += 8)
        sum = (sum ^ cf_load_be64(at)) * 0xBF58476D1CE4E5B9u, sum ^= sum >> 29;
    for (; size; size--, at++)
        sum = (sum ^ *at) * 0x100000001B3u;
}

static void add_number(uint64_t value)
{
    uint8_t bytes[8];
    cf_store_be64(bytes, value);
    add(bytes, 8);
}

static void tell(const char *name)
{
    printf("%s%s %016llx\n", kind, name, (unsigned long long)sum);
    sum = 0;
}

#endif
