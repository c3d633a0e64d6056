/* wire_instructions.c - `wire_instructions KERNEL N UNITS`: a kernel over arrays of 1024 frames, N frames in all, with
 * these bits of cf_units; for counting instructions. Exit 4: this machine has not all of them. */
#include <canal_fast/wire.h>

#include <stdio.h>
#include <stdlib.h>

enum { ARRAY = 1024 };

static cf_frame frames[ARRAY], back[ARRAY];
static uint8_t bits[ARRAY * 20], status[ARRAY];
static int64_t offsets[ARRAY + 1], places[ARRAY], starts[ARRAY];
static uint32_t sequences[ARRAY];
static int32_t lengths[ARRAY];

/* Base frames of 8 bytes; every fourth one extended, and as many bytes as it likes, where they are `mixed`. */
static void make(int mixed)
{
    uint64_t x = 88172645463325252u;
    size_t i;
    for (i = 0; i < ARRAY; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        frames[i].dlc = mixed && i % 4 == 0 ? (uint8_t)(x >> 40 & 7) : 8;
        frames[i].flags = mixed && i % 4 == 0 ? CF_FLAG_EXTENDED_ID : 0;
        frames[i].arbitration_id = (uint32_t)(x >> 11) & (frames[i].flags ? CF_MAX_EXTENDED_ID : CF_MAX_STANDARD_ID);
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        memcpy(frames[i].data, &x, frames[i].dlc);
    }
}

int main(int argc, char **argv)
{
    const char *kernel = argc == 4 ? argv[1] : "";
    unsigned long count = argc == 4 ? strtoul(argv[2], NULL, 0) : 0;
    const cf_units units = argc == 4 ? (cf_units)strtoul(argv[3], NULL, 0) : 0;
    const cf_wire_columns columns = {status, places, starts};
    cf_packed view = {bits, 0};
    cf_status good = CF_OK;
    size_t index;
    uint32_t sum = 0;
    if (!cf_units_have(cf_cpu_units(), units))
        return 4;
    make(strstr(kernel, "mixed") != NULL);
    good = cf_frames_encode(frames, ARRAY, sizeof frames[0], 1, 1, bits, sizeof bits, offsets, &index);
    view.bits = offsets[ARRAY];
    for (; count >= ARRAY && good == CF_OK; count -= ARRAY) {
        if (strncmp(kernel, "lengths", 7) == 0)
            good = cf_frames_exact(frames, ARRAY, sizeof frames[0], units, 3, lengths, &index);
        else if (strncmp(kernel, "crc", 3) == 0)
            good = cf_frames_crc_on(units, frames, ARRAY, sizeof frames[0], 15, sequences, &index);
        else if (strncmp(kernel, "decode", 6) == 0)
            good = cf_frames_decode(units, view, offsets, ARRAY, back, sizeof back[0], columns, &index);
        else if (strcmp(kernel, "bulk") == 0)
            sum ^= cf_crc_bytes_on(units, cf_crc15(), sum, (const uint8_t *)frames, sizeof frames);
        else
            return 2;
    }
    return good != CF_OK || sum == 0x8000;
}
