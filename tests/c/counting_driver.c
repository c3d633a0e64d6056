/* A CANAL driver on a silent bus whose count of lost frames, of 32 bits as CANAL has it, grows by a third of its range
 * with each question. */
#include <stdint.h>
#include <string.h>

typedef struct statistics {
    unsigned long rx_frames, tx_frames, rx_bytes, tx_bytes, overruns, warnings, bus_off;
} statistics;

int questions;

static uint32_t overruns;

long CanalOpen(char *config, unsigned long flags)
{
    (void)config;
    (void)flags;
    return 1;
}

int CanalClose(long handle)
{
    return handle == 1 ? 0 : 33;
}

int CanalReceive(long handle, void *message)
{
    (void)message;
    return handle == 1 ? 8 : 33;
}

int CanalSend(long handle, const void *message)
{
    (void)message;
    return handle == 1 ? 0 : 33;
}

int CanalDataAvailable(long handle)
{
    (void)handle;
    return 0;
}

int CanalGetStatus(long handle, void *status)
{
    (void)status;
    return handle == 1 ? 0 : 33;
}

int CanalGetStatistics(long handle, statistics *counters)
{
    memset(counters, 0, sizeof *counters);
    questions++;
    counters->overruns = overruns += 0x55555555;
    return handle == 1 ? 0 : 33;
}
