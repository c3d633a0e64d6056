/* canal_fast/live/drain.h - what the driver has taken and not yet sent, where it tells. */
#ifndef CANAL_FAST_LIVE_DRAIN_H
#define CANAL_FAST_LIVE_DRAIN_H

#include "port.h"

/* Frames that the driver has accepted and that are not yet on the bus, by CanalTransmitPending; *moving is 0 when they
 * will not go by themselves. CF_OK, CF_CLOSED, CF_NOT_SUPPORTED (also for a driver in a host process), or
 * CF_DRIVER_FAILED with *code. */
CF_INLINE cf_status cf_channel_transmit_pending(cf_channel *channel, long *waiting, int *moving, long *code)
{
    const cf_reader *reader = &channel->reader;
    unsigned long free = 0;
    cf_status status;
    if (channel->remote != NULL || reader->library->transmit_pending == NULL)
        return CF_NOT_SUPPORTED;
    status = cf_channel_begin(channel);
    if (status != CF_OK)
        return status;
    *waiting = CF_CANAL(reader->library, transmit_pending, (reader->handle, &free));
    cf_channel_end(channel);
    *moving = free != 0;
    *code = *waiting < 0 ? -*waiting : 0;
    return *waiting < 0 ? CF_DRIVER_FAILED : CF_OK;
}

#endif
