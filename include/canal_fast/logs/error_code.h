/* canal_fast/logs/error_code.h - error frames' records from the codes that controllers and recordings give. */
#ifndef CANAL_FAST_LOGS_ERROR_CODE_H
#define CANAL_FAST_LOGS_ERROR_CODE_H

#include "reading.h"

/* A bus error of which nothing more is known. time and channel stay as they are. */
CF_INLINE void cf_log_error(cf_fd_frame *frame)
{
    frame->flags = CF_FLAG_ERROR_FRAME;
    frame->arbitration_id = CF_ERROR_PROTOCOL | CF_ERROR_BUS;
    frame->dlc = 8;
    memset(frame->data, 0, sizeof frame->data);
}

CF_INLINE void cf_log_overload(cf_fd_frame *frame)
{
    cf_log_error(frame);
    frame->arbitration_id = CF_ERROR_PROTOCOL;
    frame->data[CF_ERROR_KIND] = CF_ERROR_KIND_OVERLOAD;
}

/* SJA1000's error code capture: bits 6, 7 kind, bit 5 receiving, bits 0..4 segment. */
CF_INLINE void cf_log_error_ecc(cf_fd_frame *frame, unsigned ecc)
{
    static const uint8_t kinds[4] = {CF_ERROR_KIND_BIT, CF_ERROR_KIND_FORM, CF_ERROR_KIND_STUFF, 0};
    cf_log_error(frame);
    frame->data[CF_ERROR_KIND] = (uint8_t)(kinds[ecc >> 6 & 3] | (ecc & 0x20 ? 0 : CF_ERROR_KIND_TX));
    frame->data[CF_ERROR_PLACE] = (uint8_t)(ecc & 31);
}

/* Vector's extended code: bits 6..11 kind, 0x1000 seen by the sender, bits 0..4 segment. */
CF_INLINE void cf_log_error_code(cf_fd_frame *frame, unsigned code)
{
    static const uint8_t kinds[4] = {CF_ERROR_KIND_BIT, CF_ERROR_KIND_FORM, CF_ERROR_KIND_STUFF, 0};
    const unsigned kind = code >> 6 & 63;
    cf_log_error(frame);
    if (kind == 8) {
        cf_log_overload(frame);
        return;
    }
    if (kind == 7)
        frame->arbitration_id |= CF_ERROR_NO_ACK;
    frame->data[CF_ERROR_KIND] = (uint8_t)((kind < 4 ? kinds[kind] : 0) | (code & 0x1000 ? CF_ERROR_KIND_TX : 0));
    frame->data[CF_ERROR_PLACE] = (uint8_t)(code & 31);
}

#endif
