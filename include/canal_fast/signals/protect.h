/* canal_fast/signals/protect.h - checksums that senders put into payloads, computed over many rows. */
#ifndef CANAL_FAST_SIGNALS_PROTECT_H
#define CANAL_FAST_SIGNALS_PROTECT_H

#include "../base.h"

/* The 256 remainders of an 8-bit CRC, most significant bit first. */
CF_INLINE void cf_crc8_table(unsigned polynomial, uint8_t *table)
{
    unsigned byte, bit;
    for (byte = 0; byte < 256; byte++) {
        unsigned crc = byte;
        for (bit = 0; bit < 8; bit++)
            crc = crc << 1 ^ (crc & 0x80 ? polynomial | 0x100 : 0);
        table[byte] = (uint8_t)crc;
    }
}

/* CRC of each of `count` rows, `step` bytes apart: of its bytes first .. last - 1 without byte `skip`, then of the
 * `suffix_size` bytes after them. Rows whose `length` does not reach `last` are read up to it. */
CF_INLINE void cf_rows_crc8(const uint8_t *rows, size_t step, const uint8_t *length, size_t count, size_t first,
                            size_t last, size_t skip, const uint8_t *suffix, size_t suffix_size, const uint8_t *table,
                            unsigned initial, unsigned final_xor, uint8_t *CF_RESTRICT results)
{
    size_t i, k;
    for (i = 0; i < count; i++, rows += step) {
        const size_t end = length[i] < last ? length[i] : last;
        unsigned crc = initial;
        for (k = first; k < end; k++) {
            if (k != skip)
                crc = table[crc ^ rows[k]];
        }
        for (k = 0; k < suffix_size; k++)
            crc = table[crc ^ suffix[k]];
        results[i] = (uint8_t)(crc ^ final_xor);
    }
}

/* The exclusive or of the same bytes. */
CF_INLINE void cf_rows_xor(const uint8_t *rows, size_t step, const uint8_t *length, size_t count, size_t first,
                           size_t last, size_t skip, const uint8_t *suffix, size_t suffix_size, unsigned initial,
                           uint8_t *CF_RESTRICT results)
{
    size_t i, k;
    for (i = 0; i < count; i++, rows += step) {
        const size_t end = length[i] < last ? length[i] : last;
        unsigned sum = initial;
        for (k = first; k < end; k++)
            sum ^= k != skip ? rows[k] : 0u;
        for (k = 0; k < suffix_size; k++)
            sum ^= suffix[k];
        results[i] = (uint8_t)sum;
    }
}

#endif
