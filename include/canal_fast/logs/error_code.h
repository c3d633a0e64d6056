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

/* Is this the record that cf_log_overload makes? */
CF_INLINE int cf_log_is_overload(const cf_frame_head *head)
{
    const uint8_t *data = cf_record_data(head);
    return head->arbitration_id == CF_ERROR_PROTOCOL && data[CF_ERROR_KIND] == CF_ERROR_KIND_OVERLOAD;
}

/* The number of an error's kind in either code: 0 bit, 1 form, 2 stuff, 3 other. */
CF_INLINE unsigned cf_log_kind_number(const cf_frame_head *head)
{
    const unsigned kind = cf_record_data(head)[CF_ERROR_KIND];
    return kind & CF_ERROR_KIND_BIT ? 0 : kind & CF_ERROR_KIND_FORM ? 1 : kind & CF_ERROR_KIND_STUFF ? 2 : 3;
}

/* SJA1000's error code capture of a record, as far as it says one. */
CF_INLINE unsigned cf_log_ecc_of(const cf_frame_head *head)
{
    const uint8_t *data = cf_record_data(head);
    return cf_log_kind_number(head) << 6 | (data[CF_ERROR_KIND] & CF_ERROR_KIND_TX ? 0 : 0x20u) |
           (data[CF_ERROR_PLACE] & 31u);
}

/* Vector's extended code of a record, as far as it says one; 0x2000: acknowledged. */
CF_INLINE unsigned cf_log_code_of(const cf_frame_head *head)
{
    const uint8_t *data = cf_record_data(head);
    const int nak = (head->arbitration_id & CF_ERROR_NO_ACK) != 0;
    const unsigned kind = cf_log_is_overload(head) ? 8 : nak ? 7 : cf_log_kind_number(head);
    return kind << 6 | (data[CF_ERROR_KIND] & CF_ERROR_KIND_TX ? 0x1000u : 0) | (nak ? 0 : 0x2000u) |
           (data[CF_ERROR_PLACE] & 31u);
}

/* CF_LOG_HELD_WHOLE where an ERROR_FRAME record is the same as what is read back, apart from time and channel. */
CF_INLINE int cf_log_held(const cf_frame_head *head, const cf_fd_frame *back)
{
    const unsigned said = CF_FLAG_GAP | CF_FLAG_CLOCK_STEP; /* kept or lost apart from the frame */
    return (head->flags & ~said) == CF_FLAG_ERROR_FRAME && head->arbitration_id == back->arbitration_id &&
                   head->dlc == back->dlc && memcmp(cf_record_data(head), back->data, CF_CLASSICAL_DATA) == 0
               ? CF_LOG_HELD_WHOLE
               : CF_LOG_HELD_PART;
}

/* A target's `holds`: error frames as their extended code tells them. */
CF_INLINE int cf_log_holds_code(const cf_frame_head *head)
{
    cf_fd_frame back;
    if (head->flags & CF_FLAG_STATUS)
        return CF_LOG_HELD_NOT;
    cf_log_error_code(&back, cf_log_code_of(head));
    return cf_log_held(head, &back);
}

#endif
