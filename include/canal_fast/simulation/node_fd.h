/* canal_fast/simulation/node_fd.h - one controller in what only FD frames have: stuff count and CRC with fixed stuff
 * bits.
 */
#ifndef CANAL_FAST_SIMULATION_NODE_FD_H
#define CANAL_FAST_SIMULATION_NODE_FD_H

#include "node_frame.h"

/* Is the sequence read, stuff count and CRC, that of the bits before it? */
CF_INLINE unsigned cf_node_fd_good(const cf_node *n)
{
    const cf_crc crc = n->size > CF_FD_CRC17_BYTES ? cf_crc21() : cf_crc17();
    const unsigned count = (unsigned)(n->plain >> crc.width) & 15;
    return count == cf_stuff_count_field(n->stuffed) &&
           (n->plain & ((UINT32_C(1) << crc.width) - 1)) == cf_crc_some(crc, n->crc, count, 4);
}

/* One bit of stuff count and CRC sequence: each four have a fixed stuff bit before them, unlike the bit before it. */
CF_INLINE void cf_node_fixed_bit(cf_node *n, unsigned level, int64_t bit)
{
    const unsigned crc_bits = n->size > CF_FD_CRC17_BYTES ? 21 : 17;
    if (CF_UNLIKELY(n->sending && level != n->drive)) {
        cf_node_error(n, CF_BUS_EVENT_BIT_ERROR, 0, bit);
        return;
    }
    if (n->group == 0) {
        if (CF_UNLIKELY((n->raw & 1) == level)) {
            cf_node_error(n, CF_BUS_EVENT_FORM_ERROR, 0, bit);
            return;
        }
        n->group = 4;
    } else {
        n->group--;
        n->plain = n->plain << 1 | level;
        if (--n->left == crc_bits)
            n->field = CF_BUS_PLACE_CRC;
    }
    n->raw = n->raw << 1 | level;
    if (n->left == 0) {
        n->good = (uint8_t)cf_node_fd_good(n);
        cf_node_enter_tail(n);
        return;
    }
    if (n->sending)
        cf_node_drive_next(n);
}

#endif
