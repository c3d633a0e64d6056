/* canal_fast/waveform/edges.h - samples to edges: where the level changes, and nothing else. */
#ifndef CANAL_FAST_WAVEFORM_EDGES_H
#define CANAL_FAST_WAVEFORM_EDGES_H

#include "../bits.h"

/* Where a run of samples stands: the next sample's number, and the level of the one before it. A first sample of the
 * other level than `level` is an edge. */
typedef struct cf_edge_finder {
    int64_t at;
    unsigned level;
} cf_edge_finder;

/* Packed samples, MSB first: numbers of those that differ from the one before, into `edges`, which has room for
 * `room` (at least 64). Returns how many; *used tells how many samples were looked at, less than `count` when room
 * ran out. Reads (count + 7) / 8 bytes. */
CF_INLINE size_t cf_edges_packed(cf_edge_finder *f, const uint8_t *bytes, int64_t count, int64_t *CF_RESTRICT edges,
                                 size_t room, int64_t *used)
{
    const cf_packed bits = {bytes, count};
    const int64_t base = f->at, whole = count >> 6 << 6;
    size_t found = 0;
    int64_t at = 0;
    const uint64_t top = (uint64_t)1 << 63;
    uint64_t last = f->level ? top : 0;
    int k;
    while (at < count && found + 64 <= room) {
        const unsigned valid = at < whole ? 64 : (unsigned)(count - at);
        const uint64_t word = at < whole ? cf_load_be64(bytes + (at >> 3)) : cf_window(bits, at);
        uint64_t change = word ^ (word >> 1 | last);
        last = word >> (64 - valid) << 63;
        if (valid < 64)
            change = change >> (64 - valid) << (64 - valid);
        for (k = 0; k < 3; k++) { /* mostly all, without a branch for each */
            edges[found] = base + at + (int64_t)cf_leading_zeros(change | 1);
            found += change != 0;
            change &= ~(top >> cf_leading_zeros(change | 1));
        }
        for (; change; change &= ~(top >> cf_leading_zeros(change)))
            edges[found++] = base + at + (int64_t)cf_leading_zeros(change);
        at += valid;
        if (!(word ^ (last ? ~(uint64_t)0 : 0))) { /* an idle line: four words at a time */
            const uint64_t same = word;
            while (at + 256 <= whole) {
                const uint8_t *next = bytes + (at >> 3);
                if (((cf_load_be64(next) ^ same) | (cf_load_be64(next + 8) ^ same) | (cf_load_be64(next + 16) ^ same) |
                     (cf_load_be64(next + 24) ^ same)))
                    break;
                at += 256;
            }
        }
    }
    f->at = base + at;
    f->level = last != 0;
    *used = at;
    return found;
}

/* The same for samples of `size` (1..8) bytes, little-endian, of which bit `bit` (0..8 * size - 1) counts; room for
 * at least 32. */
CF_INLINE size_t cf_edges_units(cf_edge_finder *f, const uint8_t *bytes, int64_t count, unsigned size, unsigned bit,
                                int64_t *CF_RESTRICT edges, size_t room, int64_t *used)
{
    const uint8_t *at = bytes + (bit >> 3);
    const unsigned mask = 1u << (bit & 7);
    const int64_t base = f->at;
    size_t found = 0;
    int64_t i = 0, k;
    unsigned level = f->level ? mask : 0;
    while (i < count && found + 32 <= room) {
        const int64_t block = count - i < 32 ? count - i : 32;
        const uint8_t *first = at + i * size;
        unsigned seen = 0;
        for (k = 0; k < block; k++)
            seen |= first[k * size] ^ level;
        if (seen & mask) {
            for (k = 0; k < block; k++) {
                const unsigned now = first[k * size] & mask;
                edges[found] = base + i + k;
                found += now != level;
                level = now;
            }
        }
        i += block;
    }
    f->at = base + i;
    f->level = level != 0;
    *used = i;
    return found;
}

/* Volts with hysteresis: at or above `high` the level becomes 1, at or below `low` 0. Not a number: no change, and
 * *bad counts it. Needs low <= high; room for at least 1. */
#define CF_EDGES_VOLTS(name, type)                                                                  \
    CF_INLINE size_t name(cf_edge_finder *f, const type *volts, int64_t count, type low, type high, \
                          int64_t *CF_RESTRICT edges, size_t room, int64_t *used, int64_t *bad)     \
    {                                                                                               \
        size_t found = 0;                                                                           \
        int64_t i;                                                                                  \
        for (i = 0; i < count && found < room; i++) {                                               \
            const type now = volts[i];                                                              \
            *bad += now != now;                                                                     \
            if (f->level ? now <= low : now >= high) {                                              \
                f->level ^= 1;                                                                      \
                edges[found++] = f->at + i;                                                         \
            }                                                                                       \
        }                                                                                           \
        f->at += i;                                                                                 \
        *used = i;                                                                                  \
        return found;                                                                               \
    }
CF_EDGES_VOLTS(cf_edges_float, float)
CF_EDGES_VOLTS(cf_edges_double, double)
#undef CF_EDGES_VOLTS

#endif
