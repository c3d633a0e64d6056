/* The bare loop for signals: mixed classical base frames of up to 2,048 identifiers to columns, with nothing of what
 * the library checks, keeps or offers: no validity, no multiplexers, no short frames, no FD, memory given once.
 * Same memory layout and column types as the library's, so that both write the same bytes. */
#include <canal_fast/frame.h>
#include <stdint.h>
#include <string.h>

typedef struct bare_signal {
    int64_t message, big, is_signed, left, right, width, real; /* width 8 and real: double */
    double scale, offset;
    int64_t whole_scale, whole_offset;
    int64_t column; /* offset in memory */
} bare_signal;

typedef struct bare_message {
    int64_t time, source, window; /* offsets in memory, memory, scratch */
    int64_t rows;
} bare_message;

#define BLOCK 512
#define LOOP(type, value)                              \
    do {                                               \
        type *out = (type *)(memory + s->column) + at; \
        for (i = 0; i < some; i++)                     \
            out[i] = (type)(value);                    \
    } while (0)
#define WHOLE ((s->is_signed ? (uint64_t)RAW_S : RAW_U) * whole + more)
#define RAW_U (words[i] << left >> right)
#define RAW_S ((int64_t)(words[i] << left) >> right)

static void bare_columns(const bare_signal *s, const uint64_t *plain, const uint64_t *swapped, size_t at, size_t some,
                         char *memory)
{
    const uint64_t *words = s->big ? swapped : plain;
    const unsigned left = (unsigned)s->left, right = (unsigned)s->right;
    const double scale = s->scale, offset = s->offset;
    const uint64_t whole = (uint64_t)s->whole_scale, more = (uint64_t)s->whole_offset;
    const int linear = !s->real && (whole != 1 || more != 0);
    size_t i;
    if (linear && s->width == 1)
        LOOP(uint8_t, WHOLE);
    else if (linear && s->width == 2)
        LOOP(uint16_t, WHOLE);
    else if (linear && s->width == 4)
        LOOP(uint32_t, WHOLE);
    else if (s->real && s->is_signed)
        LOOP(double, (double)(int32_t)RAW_S *scale + offset);
    else if (s->real)
        LOOP(double, (double)(int32_t)RAW_U *scale + offset);
    else if (s->width == 1)
        LOOP(uint8_t, s->is_signed ? (uint64_t)RAW_S : RAW_U);
    else if (s->width == 2)
        LOOP(uint16_t, s->is_signed ? (uint64_t)RAW_S : RAW_U);
    else if (s->width == 4)
        LOOP(uint32_t, s->is_signed ? (uint64_t)RAW_S : RAW_U);
    else
        LOOP(uint64_t, s->is_signed ? (uint64_t)RAW_S : RAW_U);
}

void bare_decode(const cf_frame *frames, size_t count, const uint16_t *message_of, const bare_message *messages,
                 size_t message_count, const bare_signal *signals, const int64_t *first_signal, uint16_t *which,
                 int64_t *place, char *memory, char *scratch)
{
    size_t i, m, at;
    memset(place, 0, message_count * sizeof *place);
    for (i = 0; i < count; i++) {
        which[i] = message_of[frames[i].arbitration_id];
        place[which[i]]++;
    }
    memset(place, 0, message_count * sizeof *place);
    for (i = 0; i < count; i++) {
        const bare_message *to = &messages[which[i]];
        const int64_t row = place[which[i]]++;
        ((int64_t *)(memory + to->time))[row] = frames[i].timestamp_ns;
        ((int64_t *)(memory + to->source))[row] = (int64_t)i;
        memcpy(scratch + to->window + 8 * row, frames[i].data, 8);
    }
    for (m = 0; m < message_count; m++) {
        const size_t rows = (size_t)place[m];
        for (at = 0; at < rows; at += BLOCK) {
            const size_t some = rows - at < BLOCK ? rows - at : BLOCK;
            const uint64_t *plain = (const uint64_t *)(scratch + messages[m].window) + at;
            uint64_t swapped[BLOCK];
            int64_t k;
            for (i = 0; i < some; i++)
                swapped[i] = __builtin_bswap64(plain[i]);
            for (k = first_signal[m]; k < first_signal[m + 1]; k++)
                bare_columns(&signals[k], plain, swapped, at, some, memory);
        }
    }
}
