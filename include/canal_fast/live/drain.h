/* canal_fast/live/drain.h - what the driver has taken and not yet sent, where it tells. */
#ifndef CANAL_FAST_LIVE_DRAIN_H
#define CANAL_FAST_LIVE_DRAIN_H

#include "port.h"

/* Frames that the driver has accepted and that are not yet on the bus, by CanalTransmitPending; *moving is 0 when they
 * will not go by themselves. CF_OK, CF_CLOSED, CF_NOT_SUPPORTED, or CF_DRIVER_FAILED with *code. */
CF_INLINE cf_status cf_port_transmit_pending(cf_port *port, uint64_t *waiting, int *moving, long *code)
{
    uint64_t result;
    char nothing;
    const cf_status status = cf_port_inquire(port, CF_ASK_TRANSMIT_PENDING, &nothing, 0, &result, code);
    *waiting = result >> 1;
    *moving = (int)(result & 1);
    return status;
}

#endif
