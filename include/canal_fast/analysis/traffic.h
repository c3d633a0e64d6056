/* canal_fast/analysis/traffic.h - what is on the buses now: the last frame of each identifier, its periods, and which
 * bytes changed.
 */
#ifndef CANAL_FAST_ANALYSIS_TRAFFIC_H
#define CANAL_FAST_ANALYSIS_TRAFFIC_H

#include "ids.h"

/* X(C type, numpy format, name): of one identifier, before the fields of its last frame */
/* clang-format off */
#define CF_TRAFFIC_ID(X)                                                                                       \
    X(int64_t, "i8", count)                                                                                    \
    X(int64_t, "i8", period_ns)      /* between the last two frames; 0 of the first */                         \
    X(double, "f8", mean_ns)         /* of the periods */                                                      \
    X(double, "f8", square_ns2)      /* sum of the squares of their distances from the mean */                 \
    X(uint64_t, "u8", changed)       /* bit n: byte n was another than in the frame before; the caller clears */

/* X(C type, numpy format, name): of one channel */
#define CF_TRAFFIC_CHANNEL(X)                                                                                  \
    X(int64_t, "i8", frames)         /* that were on the wire */                                               \
    X(int64_t, "i8", error_frames)                                                                             \
    X(int64_t, "i8", status_messages)                                                                          \
    X(int64_t, "i8", gaps)           /* records with GAP */                                                    \
    X(int64_t, "i8", clock_steps)    /* records with CLOCK_STEP */                                             \
    X(int64_t, "i8", unlisted)       /* frames whose identifier found no room */                               \
    X(int64_t, "i8", bits)           /* at the nominal rate and at the data rate */                            \
    X(int64_t, "i8", data_bits)                                                                                \
    X(int64_t, "i8", records)                                                                                  \
    X(int64_t, "i8", first_ns)       /* earliest and latest time stamp; of any record */                       \
    X(int64_t, "i8", latest_ns)
/* clang-format on */

typedef struct cf_traffic_id {
    CF_TRAFFIC_ID(CF_RECORD_MEMBER)
    CF_FRAME_HEAD(CF_RECORD_MEMBER)
    uint8_t data[CF_FD_DATA];
} cf_traffic_id;

typedef struct cf_traffic_channel {
    CF_TRAFFIC_CHANNEL(CF_RECORD_MEMBER)
} cf_traffic_channel;

/* Fields of the two, or NULL past the last. */
CF_INLINE const cf_field *cf_traffic_id_field(size_t index)
{
    typedef cf_traffic_id cf_this_record;
    /* clang-format off */
    static const cf_field rows[] = {CF_TRAFFIC_ID(CF_RECORD_ROW) CF_FRAME_HEAD(CF_RECORD_ROW)
        {"data", "u1", offsetof(cf_traffic_id, data), CF_FD_DATA}};
    /* clang-format on */
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

CF_RECORD_FIELDS(cf_traffic_channel_field, cf_traffic_channel, CF_TRAFFIC_CHANNEL)

/* Which of the bytes differ, bit by byte; those that only the newer payload has, too. */
CF_INLINE uint64_t cf_traffic_changes(const uint8_t *older, unsigned older_length, const uint8_t *newer,
                                      unsigned newer_length)
{
    uint64_t found = 0;
    unsigned i;
    for (i = 0; i < newer_length; i++)
        found |= (uint64_t)(i >= older_length || older[i] != newer[i]) << i;
    return found;
}

/* Makes `head` the last frame of `one`, whose count says whether there was another before. Periods: their mean and
 * squares by Welford's recurrence. */
CF_INLINE void cf_traffic_take(cf_traffic_id *one, const cf_frame_head *head)
{
    const unsigned length = cf_payload_length(head->flags, head->dlc);
    if (one->count) { /* unsigned: the distance of two far apart time stamps wraps */
        const int64_t period = (int64_t)((uint64_t)head->timestamp_ns - (uint64_t)one->timestamp_ns);
        const double distance = (double)period - one->mean_ns;
        one->period_ns = period;
        one->mean_ns += distance / (double)one->count;
        one->square_ns2 += distance * ((double)period - one->mean_ns);
        one->changed |= cf_traffic_changes(one->data, cf_payload_length(one->flags, one->dlc), cf_record_data(head),
                                           length);
    }
    one->count++;
    memcpy(&one->timestamp_ns, head, offsetof(cf_frame, data));
    memset(one->data, 0, sizeof one->data);
    memcpy(one->data, cf_record_data(head), length);
}

/* Adds `count` records to rows[number] (ids->room of them) and channels[channel] (256). bits[i] and data_bits[i] (NULL:
 * none) are their lengths. `whole`: there will be no more room; frames whose identifiers find none count as unlisted.
 * Returns the records done: `count`, or fewer where one needs more room. */
CF_INLINE size_t cf_traffic_add(cf_ids *ids, const void *frames, size_t count, size_t stride,
                                const int32_t *CF_RESTRICT bits, const int32_t *CF_RESTRICT data_bits,
                                cf_traffic_id *CF_RESTRICT rows, cf_traffic_channel *CF_RESTRICT channels, int whole)
{
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        cf_traffic_channel *channel = &channels[head->channel];
        const size_t known = ids->count;
        const uint32_t number = cf_id_of(ids, head);
        if (CF_UNLIKELY(number == CF_IDS_FULL && !whole))
            break;
        if (!channel->records || head->timestamp_ns < channel->first_ns)
            channel->first_ns = head->timestamp_ns;
        if (!channel->records || head->timestamp_ns > channel->latest_ns)
            channel->latest_ns = head->timestamp_ns;
        channel->records++;
        channel->gaps += (head->flags & CF_FLAG_GAP) != 0;
        channel->clock_steps += (head->flags & CF_FLAG_CLOCK_STEP) != 0;
        if (CF_UNLIKELY(number == CF_NO_ID)) {
            channel->error_frames += (head->flags & CF_FLAG_ERROR_FRAME) != 0;
            channel->status_messages += !(head->flags & CF_FLAG_ERROR_FRAME);
            continue;
        }
        channel->frames++;
        channel->bits += bits ? bits[i] : 0;
        channel->data_bits += data_bits ? data_bits[i] : 0;
        if (CF_UNLIKELY(number == CF_IDS_FULL)) {
            channel->unlisted++;
            continue;
        }
        if (number >= known)
            memset(&rows[number], 0, sizeof rows[number]);
        cf_traffic_take(&rows[number], head);
    }
    return i;
}

#endif
