/* canal_fast/logs/pcapng_interface.h - what a pcapng file says about its interfaces, and their time.
 *
 * Used by pcapng_read.h; here are its byte order, options, time stamps, Interface Description and
 * Interface Statistics Blocks.
 */
#ifndef CANAL_FAST_LOGS_PCAPNG_INTERFACE_H
#define CANAL_FAST_LOGS_PCAPNG_INTERFACE_H

#include "packet.h"

/* Ticks of if_tsresol `resolution` (power of ten, or of two where bit 7 is set) as nanoseconds,
 * rounded down; times past what 63 bits hold stay at that limit. `offset` is in seconds. */
CF_INLINE int64_t cf_pcapng_time(uint64_t ticks, unsigned resolution, int64_t offset)
{
    const unsigned power = resolution & 0x7F;
    uint64_t seconds, ns, whole;
    if (resolution == 9 && offset == 0)
        return (int64_t)ticks; /* ours: also times before zero, as two's complement */
    if (resolution & 0x80) {
        const uint64_t part = power >= 64 ? ticks : ticks & (((uint64_t)1 << power) - 1);
        const uint64_t low = (part & 0xFFFFFFFFu) * 1000000000u;
        const uint64_t high = (part >> 32) * 1000000000u + (low >> 32); /* part * 1e9 >> 32 */
        seconds = power >= 64 ? 0 : ticks >> power;
        if (power <= 32)
            ns = (high << (32 - power)) | ((low & 0xFFFFFFFFu) >> power);
        else
            ns = power - 32 >= 64 ? 0 : high >> (power - 32);
    } else {
        uint64_t scale = 1;
        unsigned i;
        for (i = power < 9 ? power : 9; i < power && i < 28; i++)
            scale *= 10; /* ticks in a nanosecond */
        for (i = power; i < 9; i++)
            scale *= 10; /* nanoseconds in a tick */
        seconds = power < 9 ? ticks / (1000000000u / scale) : 0;
        ns = power < 9 ? ticks % (1000000000u / scale) * scale : power < 29 ? ticks / scale : 0;
    }
    whole = seconds > 9223372035u ? 9223372036854775807u : seconds * 1000000000u + ns;
    if (offset >= -9223372036 && offset <= 9223372036) {
        const int64_t shift = offset * 1000000000;
        if (shift <= 0 || whole <= 9223372036854775807u - (uint64_t)shift)
            return (int64_t)whole + shift;
    }
    return offset < 0 ? INT64_MIN : INT64_MAX;
}

/* Walks options: the next one's value, with its code and length; NULL after the last. *p moves on.
 * An option that reaches past the end sets *bad. */
CF_INLINE const uint8_t *cf_pcapng_next_option(const uint8_t **p, const uint8_t *end, int big, unsigned *code,
                                               unsigned *length, int *bad)
{
    const uint8_t *value = *p + 4;
    size_t padded;
    if (end - *p < 4)
        return NULL;
    *code = cf_get16(*p, big);
    *length = cf_get16(*p + 2, big);
    if (*code == CF_PCAPNG_OPT_END)
        return NULL;
    padded = ((size_t)*length + 3) & ~(size_t)3;
    if ((size_t)(end - value) < padded) {
        *bad = 1;
        return NULL;
    }
    *p = value + padded;
    return value;
}

/* Is this option value one of ours with this tag? */
CF_INLINE int cf_pcapng_is_tagged(const uint8_t *value, unsigned length, int big, uint32_t tag)
{
    return length >= 8 && cf_get32(value, big) == CF_PCAPNG_PEN && cf_get32(value + 4, 0) == tag;
}

/* Row in reader->interfaces that says the same as *found, made if there is none; -1: no room. Counters begin anew in
 * each section: what a row has of earlier ones is kept beside. */
CF_INLINE int cf_pcapng_row(cf_log_reader *reader, const cf_log_interface *found)
{
    size_t i;
    for (i = 0; i < reader->count; i++) {
        cf_log_interface *row = &reader->interfaces[i];
        if (row->link == found->link && row->channel == found->channel && row->speed == found->speed &&
            row->offset == found->offset && row->resolution == found->resolution &&
            strcmp(row->name, found->name) == 0) {
            row->counted_before = row->counted;
            memcpy(row->counters_before, row->counters, sizeof row->counters_before);
            return (int)i;
        }
    }
    if (reader->count == CF_LOG_INTERFACES)
        return -1;
    reader->interfaces[reader->count] = *found;
    return (int)reader->count++;
}

/* Channel of a section's interface *found that states none: its number in the section. Behind other sections (files one
 * after the other) one with a name keeps the channel that it had there, and takes none that another name has. */
CF_INLINE unsigned cf_pcapng_choose_channel(const cf_log_reader *reader, const cf_log_interface *found)
{
    const unsigned number = (unsigned)reader->section_interfaces;
    const cf_log_interface *row, *end = reader->interfaces + reader->count;
    uint8_t taken[CF_LOG_INTERFACES] = {0};
    unsigned channel;
    size_t i;
    if (found->foreign || found->name[0] == 0)
        return number;
    for (i = 0; i < reader->section_interfaces; i++)
        taken[reader->interfaces[reader->rows[i]].channel] = 1;
    for (row = reader->interfaces; row < end; row++)
        if (!row->foreign && row->name[0] != 0 && strcmp(row->name, found->name) != 0)
            taken[row->channel] = 1;
    for (row = reader->interfaces; row < end; row++)
        if (!row->foreign && !taken[row->channel] && strcmp(row->name, found->name) == 0)
            return row->channel;
    for (channel = number; channel < number + CF_LOG_INTERFACES; channel++)
        if (!taken[channel % CF_LOG_INTERFACES])
            return channel % CF_LOG_INTERFACES;
    return number;
}

/* Body of an Interface Description Block. */
CF_INLINE cf_status cf_pcapng_read_interface(cf_log_reader *reader, const uint8_t *p, const uint8_t *end)
{
    const int big = reader->big_endian;
    const uint8_t *value;
    unsigned code, length;
    int bad = 0, row, stated = 0;
    cf_log_interface found;
    if (end - p < 8)
        return CF_PCAPNG_SHORT;
    if (reader->section_interfaces == CF_LOG_INTERFACES)
        return CF_LOG_CHANNELS;
    memset(&found, 0, sizeof found);
    found.link = (uint16_t)cf_get16(p, big);
    found.foreign = !cf_packet_is_can(found.link);
    found.resolution = 6;
    p += 8;
    while ((value = cf_pcapng_next_option(&p, end, big, &code, &length, &bad)) != NULL) {
        if (code == CF_PCAPNG_OPT_IF_NAME) {
            memcpy(found.name, value, length < sizeof found.name ? length : sizeof found.name - 1);
        } else if (code == CF_PCAPNG_OPT_IF_SPEED && length == 8) {
            found.speed = cf_get64(value, big);
        } else if (code == CF_PCAPNG_OPT_IF_RESOLUTION && length == 1) {
            found.resolution = *value;
        } else if (code == CF_PCAPNG_OPT_IF_OFFSET && length == 8) {
            found.offset = (int64_t)cf_get64(value, big);
        } else if (code == CF_PCAPNG_OPT_CUSTOM && length == 12 &&
                   cf_pcapng_is_tagged(value, length, big, CF_PCAPNG_TAG_CHANNEL)) {
            found.channel = (uint8_t)cf_get32(value + 8, 0);
            stated = 1;
        }
    }
    if (bad)
        return CF_PCAPNG_OPTION;
    if (!stated)
        found.channel = (uint8_t)cf_pcapng_choose_channel(reader, &found);
    row = cf_pcapng_row(reader, &found);
    if (row < 0)
        return CF_LOG_CHANNELS;
    reader->rows[reader->section_interfaces++] = (uint8_t)row;
    return CF_OK;
}

/* Body of an Interface Statistics Block: the last one of an interface wins, and adds to those of earlier sections; what
 * these did not count is not counted. */
CF_INLINE cf_status cf_pcapng_read_statistics(cf_log_reader *reader, const uint8_t *p, const uint8_t *end)
{
    const int big = reader->big_endian;
    const uint8_t *value;
    unsigned code, length, counted = 0;
    int bad = 0;
    uint64_t counters[CF_LOG_COUNTERS] = {0, 0, 0, 0, 0};
    uint32_t id;
    cf_log_interface *row;
    size_t i;
    if (end - p < 12)
        return CF_PCAPNG_SHORT;
    id = cf_get32(p, big);
    if (id >= reader->section_interfaces)
        return CF_PCAPNG_NO_INTERFACE;
    p += 12;
    while ((value = cf_pcapng_next_option(&p, end, big, &code, &length, &bad)) != NULL) {
        const unsigned index = code - CF_PCAPNG_OPT_FIRST_COUNTER;
        if (index < CF_LOG_COUNTERS && length == 8) {
            counters[index] = cf_get64(value, big);
            counted |= 1u << index;
        }
    }
    if (bad)
        return CF_PCAPNG_OPTION;
    row = &reader->interfaces[reader->rows[id]];
    row->counted = (uint8_t)(row->counted_before ? counted & row->counted_before : counted);
    for (i = 0; i < CF_LOG_COUNTERS; i++)
        row->counters[i] = counters[i] + row->counters_before[i];
    return CF_OK;
}

#endif
