/* A CANAL driver whose adapter is pulled out: CanalOpen("FRAMES;FAILURES") gives FRAMES frames, one each
 * millisecond, stamped in microseconds since that open; then, once `plugged` is 0, every receive returns
 * 37, and after CanalClose the next FAILURES opens return -1. Writes into the configuration it is given. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct message {
    unsigned long flags, obid, id;
    unsigned char size, data[8];
    unsigned long timestamp;
} message;

int opens, failures, closes, wrong_handles;
int plugged; /* set by who wants to look around before the adapter is pulled out */

static long handle, frames, given, failing, left;
static unsigned char session;
static struct timespec opened;

static long microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - opened.tv_sec) * 1000000 + (now.tv_nsec - opened.tv_nsec) / 1000;
}

static int dead(long number)
{
    wrong_handles += number != handle || handle == 0;
    return number != handle || handle == 0;
}

long CanalOpen(char *config, unsigned long flags)
{
    (void)flags;
    if (left > 0) {
        left--;
        failures++;
        return -1;
    }
    frames = atol(strtok(config, ";"));
    failing = atol(strtok(NULL, ";"));
    clock_gettime(CLOCK_MONOTONIC, &opened);
    given = 0;
    session++;
    handle = 100 + ++opens;
    return handle;
}

int CanalClose(long number)
{
    if (dead(number))
        return 33;
    closes++;
    if (given >= frames)
        left = failing;
    handle = 0;
    return 0;
}

int CanalReceive(long number, message *m)
{
    if (dead(number))
        return 33;
    if (given >= frames)
        return plugged ? 8 : 37;
    if (microseconds() < given * 1000)
        return 8;
    memset(m, 0, sizeof *m);
    m->id = (unsigned long)given;
    m->size = 1;
    m->data[0] = session;
    m->timestamp = (unsigned long)(given++ * 1000);
    return 0;
}

int CanalSend(long number, const message *m)
{
    (void)m;
    return dead(number) ? 33 : 0;
}

int CanalDataAvailable(long number)
{
    return dead(number) ? 0 : given < frames;
}

int CanalGetStatus(long number, void *status)
{
    (void)status;
    return dead(number) ? 33 : 0;
}
