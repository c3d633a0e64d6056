/* canal_fast/logs/csv_write.h - records into comma-separated values as python-can and GVRET (SavvyCAN) write them. */
#ifndef CANAL_FAST_LOGS_CSV_WRITE_H
#define CANAL_FAST_LOGS_CSV_WRITE_H

#include "base64.h"
#include "screen.h"
#include "writing.h"

enum { CF_CSV_WRITE_MAX = 192 };

CF_INLINE size_t cf_csv_begin(cf_log_writer *writer, const char *application, uint8_t *out)
{
    (void)writer;
    (void)application;
    return (size_t)(cf_put_text(out, "timestamp,arbitration_id,extended,remote,error,dlc,data\n") - out);
}

CF_INLINE size_t cf_gvret_begin(cf_log_writer *writer, const char *application, uint8_t *out)
{
    (void)writer;
    (void)application;
    return (size_t)(cf_put_text(out, "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n") - out);
}

/* Seconds with one to nine decimals, as many as there are. */
CF_INLINE size_t cf_csv_put(const cf_log_writer *writer, const cf_frame_head *head, size_t stride, uint8_t *out)
{
    const unsigned flags = head->flags, error = flags & CF_FLAG_ERROR_FRAME;
    const unsigned length = cf_log_length(head, stride);
    uint8_t *p = cf_put_fixed(out, head->timestamp_ns, 9, 9, 1);
    (void)writer;
    while (p[-1] == '0' && p[-2] != '.')
        p--;
    p = cf_put_hexadecimal(cf_put_text(p, ",0x"), head->arbitration_id, 1);
    *p++ = ',';
    *p++ = (uint8_t)(flags & CF_FLAG_EXTENDED_ID && !error ? '1' : '0');
    *p++ = ',';
    *p++ = (uint8_t)(flags & CF_FLAG_REMOTE && !error ? '1' : '0');
    *p++ = ',';
    *p++ = (uint8_t)(error ? '1' : '0');
    *p++ = ',';
    p = cf_put_padded(p, flags & CF_FLAG_REMOTE && !error ? (head->dlc < 8 ? head->dlc : 8) : length, 0, 1);
    *p++ = ',';
    p = cf_csv_put_base64(p, cf_record_data(head), length);
    *p++ = '\n';
    return (size_t)(p - out);
}

CF_INLINE size_t cf_gvret_put(const cf_log_writer *writer, const cf_frame_head *head, size_t stride, uint8_t *out)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned length = cf_log_length(head, sizeof(cf_frame)); /* of a CAN FD record, which it cannot hold, too */
    const uint8_t *data = cf_record_data(head);
    const int64_t ns = head->timestamp_ns;
    const int negative = ns < 0;
    const uint64_t magnitude = negative ? 0u - (uint64_t)ns : (uint64_t)ns;
    uint8_t *p = cf_put_padded(out, (magnitude + (negative ? 999u : 0u)) / 1000u, negative, 1);
    unsigned i;
    (void)writer;
    (void)stride;
    *p++ = ',';
    p = cf_put_hexadecimal(p, head->arbitration_id & CF_MAX_EXTENDED_ID, 8);
    p = cf_put_text(p, head->flags & CF_FLAG_EXTENDED_ID ? ",true," : ",false,");
    p = cf_put_text(p, head->flags & CF_FLAG_TX ? "Tx," : "Rx,");
    p = cf_put_padded(p, head->channel, 0, 1);
    *p++ = ',';
    *p++ = (uint8_t)('0' + length);
    *p++ = ',';
    for (i = 0; i < length; i++) {
        *p++ = (uint8_t)digits[data[i] >> 4];
        *p++ = (uint8_t)digits[data[i] & 15];
        *p++ = ',';
    }
    *p++ = '\n';
    return (size_t)(p - out);
}

CF_INLINE size_t cf_csv_write(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                              size_t capacity, size_t *used)
{
    return cf_log_write_each(writer, frames, count, stride, out, capacity, used, CF_CSV_WRITE_MAX, cf_csv_put);
}

CF_INLINE size_t cf_gvret_write(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                                size_t capacity, size_t *used)
{
    return cf_log_write_each(writer, frames, count, stride, out, capacity, used, CF_CSV_WRITE_MAX, cf_gvret_put);
}

#endif
