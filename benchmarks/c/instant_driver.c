/* instant_driver.c - a CANAL driver that hands out prepared messages at once: what is left of a
 * receive call when the driver costs next to nothing. Native message layout.
 */
#include <canal_fast/canal.h>

#include <stdlib.h>

enum { HANDLE = 1, TABLE = 1024 };

static cf_canal_msg table[TABLE];
static uint32_t remaining, at, sent;

/* The next `count` receives succeed. */
CF_CANAL_EXPORT void InstantLoad(uint32_t count)
{
    __atomic_store_n(&remaining, count, __ATOMIC_RELEASE);
}

/* Traffic of many kinds: base and extended identifiers, all lengths, some remote frames. The configuration is the
 * number of receives that succeed until InstantLoad. */
CF_CANAL_EXPORT long CanalOpen(const char *config, unsigned long flags)
{
    uint32_t random = 1, i, k;
    (void)flags;
    for (i = 0; i < TABLE; i++) {
        cf_canal_msg *message = &table[i];
        random = random * 1664525u + 1013904223u;
        message->flags = (random >> 30 == 0 ? CF_MSG_EXTENDED : 0) | ((random & 31) == 0 ? CF_MSG_REMOTE : 0);
        message->id = message->flags & CF_MSG_EXTENDED ? random >> 3 : random >> 21;
        message->sizeData = (unsigned char)((random >> 8 & 3) == 0 ? random >> 10 & 7 : 8);
        for (k = 0; k < message->sizeData; k++)
            message->data[k] = (unsigned char)(random >> k);
        message->timestamp = i * 114;
    }
    InstantLoad((uint32_t)strtoul(config, NULL, 10));
    return HANDLE;
}

CF_CANAL_EXPORT int CanalClose(long handle)
{
    return handle == HANDLE ? CF_CANAL_SUCCESS : CF_CANAL_NOT_OPEN;
}

CF_CANAL_EXPORT int CanalReceive(long handle, void *message)
{
    const uint32_t left = __atomic_load_n(&remaining, __ATOMIC_ACQUIRE);
    if (handle != HANDLE)
        return CF_CANAL_NOT_OPEN;
    if (left == 0)
        return CF_CANAL_FIFO_EMPTY;
    *(cf_canal_msg *)message = table[at++ % TABLE];
    __atomic_store_n(&remaining, left - 1, __ATOMIC_RELAXED);
    return CF_CANAL_SUCCESS;
}

CF_CANAL_EXPORT int CanalSend(long handle, const void *message)
{
    (void)message;
    sent++;
    return handle == HANDLE ? CF_CANAL_SUCCESS : CF_CANAL_NOT_OPEN;
}
