/* fd_driver.c - a CANAL driver with CAN FD and no batches: the messages that a test pushed, and those it was sent. */
#include <canal_fast/canal.h>

enum { ROOM = 64 };

static cf_canal_msg_fd queue[ROOM];
static int head, tail, full_once;

CF_CANAL_EXPORT long CanalOpen(const char *config, unsigned long flags)
{
    (void)config;
    (void)flags;
    return 7;
}

CF_CANAL_EXPORT int CanalClose(long handle)
{
    (void)handle;
    return 0;
}

CF_CANAL_EXPORT int CanalReceiveFD(long handle, void *message)
{
    (void)handle;
    if (head == tail)
        return CF_CANAL_FIFO_EMPTY;
    memcpy(message, &queue[head++ % ROOM], sizeof queue[0]);
    return 0;
}

CF_CANAL_EXPORT int CanalReceive(long handle, void *message)
{
    (void)handle;
    (void)message;
    return CF_CANAL_INTERNAL; /* an FD channel has no business here */
}

/* For the test, and what is sent comes back. */
CF_CANAL_EXPORT int CanalSendFD(long handle, void *message)
{
    (void)handle;
    full_once = !full_once;
    if (full_once)
        return CF_CANAL_TRM_FULL; /* every other time */
    memcpy(&queue[tail++ % ROOM], message, sizeof queue[0]);
    return 0;
}

CF_CANAL_EXPORT int CanalSend(long handle, void *message)
{
    const cf_canal_msg *m = (const cf_canal_msg *)message;
    cf_canal_msg_fd *out = &queue[tail % ROOM];
    (void)handle;
    memset(out, 0, sizeof *out);
    out->flags = (uint32_t)m->flags;
    out->id = (uint32_t)m->id;
    out->sizeData = m->sizeData;
    memcpy(out->data, m->data, sizeof m->data);
    tail++;
    return 0;
}
