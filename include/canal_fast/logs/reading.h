/* canal_fast/logs/reading.h - what the readers of all formats share: give a frame, skip the rest, tell the time. */
#ifndef CANAL_FAST_LOGS_READING_H
#define CANAL_FAST_LOGS_READING_H

#include "../error_frame.h"
#include "format.h"

/* Kinds that occur in several formats: frames that no controller could have sent, or that have no channel of ours. */
#define CF_LOG_KIND_CHANNEL "frame of a channel above 256"
#define CF_LOG_KIND_IDENTIFIER "frame with an identifier above its limit"
#define CF_LOG_KIND_DLC "frame with a dlc above 15"
#define CF_LOG_KIND_FLAGS "frame with flags that are not known"
#define CF_LOG_KIND_DATE "date that is not understood"

/* Counts something that is no frame; its name is copied, and cut to CF_LOG_KIND_MAX bytes. */
CF_INLINE void cf_log_skip_many(cf_log_reader *reader, const char *kind, uint64_t count)
{
    cf_log_kind *row = reader->kinds;
    const size_t size = strlen(kind);
    const size_t length = size < sizeof row->name ? size : sizeof row->name - 1;
    size_t i;
    for (i = 0; i < reader->kind_count; i++, row++)
        if (memcmp(row->name, kind, length) == 0 && row->name[length] == 0)
            break;
    if (i == reader->kind_count) {
        if (i == CF_LOG_KINDS) {
            memcpy((--row)->name, "others", sizeof "others");
        } else {
            memcpy(row->name, kind, length);
            row->name[length] = 0;
            reader->kind_count++;
        }
    }
    row->count += count;
    reader->skipped += count;
}

CF_INLINE void cf_log_skip(cf_log_reader *reader, const char *kind)
{
    cf_log_skip_many(reader, kind, 1);
}

/* The same, with a number behind the name: "object type" 72. */
CF_INLINE void cf_log_skip_numbered(cf_log_reader *reader, const char *kind, uint32_t number)
{
    char name[CF_LOG_KIND_MAX + 1], digits[10];
    size_t length = strlen(kind), count = 0;
    if (length > CF_LOG_KIND_MAX - 11)
        length = CF_LOG_KIND_MAX - 11;
    memcpy(name, kind, length);
    name[length++] = ' ';
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0)
        name[length++] = digits[--count];
    name[length] = 0;
    cf_log_skip(reader, name);
}

/* Channel of a record for a file that counts from 1: 1..256 give 0..255, 0 (not known) gives 0; -1 above. */
CF_INLINE int cf_log_channel_number(uint64_t number)
{
    return number > CF_LOG_INTERFACES ? -1 : number == 0 ? 0 : (int)number - 1;
}

/* Frames of this channel were lost here: its next one gets GAP. */
CF_INLINE void cf_log_gap(cf_log_reader *reader, unsigned channel)
{
    reader->gap[channel & 255u] = 1;
}

/* Row of a channel that has no name of its own in the file, made if it is new. */
CF_INLINE cf_log_interface *cf_log_row(cf_log_reader *reader, unsigned channel)
{
    uint16_t *known = &reader->channel_rows[channel & 255u];
    cf_log_interface *row;
    if (CF_LIKELY(*known))
        return &reader->interfaces[*known - 1];
    row = &reader->interfaces[reader->count++]; /* at most one for each of the 256 channels */
    memset(row, 0, sizeof *row);
    row->channel = (uint8_t)channel;
    *known = (uint16_t)reader->count;
    return row;
}

/* Gives a name to a channel of cf_log_row. */
CF_INLINE void cf_log_name(cf_log_reader *reader, unsigned channel, const char *name, size_t length)
{
    cf_log_interface *row = cf_log_row(reader, channel);
    if (length > CF_LOG_NAME_MAX)
        length = CF_LOG_NAME_MAX;
    memset(row->name, 0, sizeof row->name);
    memcpy(row->name, name, length);
}

/* Stores one record of *row's interface; needs made < capacity.
 * CF_FD_IN_CLASSICAL: nothing was changed. */
CF_INLINE cf_status cf_log_put_row(cf_log_reader *reader, cf_log_call *call, cf_log_interface *row,
                                   const cf_fd_frame *frame)
{
    char *out = (char *)call->frames + call->made * call->stride;
    if (call->stride == sizeof(cf_fd_frame)) {
        memcpy(out, frame, sizeof(cf_fd_frame));
    } else {
        if (CF_UNLIKELY(frame->flags & CF_FLAG_FD))
            return CF_FD_IN_CLASSICAL;
        memcpy(out, frame, sizeof(cf_frame));
    }
    if (CF_UNLIKELY(reader->gap[frame->channel])) {
        reader->gap[frame->channel] = 0;
        ((cf_frame_head *)out)->flags |= CF_FLAG_GAP;
    }
    row->frames++;
    call->made++;
    return CF_OK;
}

/* The same for formats whose channels are numbers. */
CF_INLINE cf_status cf_log_put(cf_log_reader *reader, cf_log_call *call, const cf_fd_frame *frame)
{
    return cf_log_put_row(reader, call, cf_log_row(reader, frame->channel), frame);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, year 1 and later. */
CF_INLINE int64_t cf_log_days(int64_t year, unsigned month, unsigned day)
{
    static const uint16_t before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const int64_t past = month > 2 ? year : year - 1; /* a leap day of this year has gone by in March */
    return 365 * year + past / 4 - past / 100 + past / 400 + before[month - 1] + (int64_t)day - 1 - 719527;
}

/* A wall-clock start was read. 1, with start_ns, has_start and epoch_ns set: return CF_LOG_START. 0 for a date that is
 * none or that nanoseconds in 64 bits do not reach: the start stays unknown and times begin at 0. */
CF_INLINE int cf_log_begin(cf_log_reader *reader, int64_t year, unsigned month, unsigned day, unsigned hour,
                           unsigned minute, unsigned second, uint32_t ns)
{
    static const uint8_t days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1678 || year > 2261 || month - 1 > 11 || day - 1 >= days[month - 1] || hour > 23 || minute > 59 ||
        second > 60 || ns > 999999999 ||
        (month == 2 && day == 29 && cf_log_days(year, 2, 29) == cf_log_days(year, 3, 1)))
        return 0;
    reader->start_ns = (cf_log_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * 1000000000 + ns;
    reader->epoch_ns = reader->start_ns;
    reader->has_start = 1;
    return 1;
}

/* The record's time for an offset from the start into *ns; 0 when 64 bits do not hold it. */
CF_INLINE int cf_log_stamp(const cf_log_reader *reader, int64_t offset_ns, int64_t *ns)
{
    const int64_t epoch = reader->epoch_ns;
    if (epoch > 0 ? offset_ns > INT64_MAX - epoch : offset_ns < INT64_MIN - epoch)
        return 0;
    *ns = epoch + offset_ns;
    return 1;
}

#endif
