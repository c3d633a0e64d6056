/* socketcan_handles.h - the SocketCAN driver's open handles, and waiting for one's socket.
 *
 * A handle that is closed while other threads use it is freed by the last of them.
 */
#ifndef SOCKETCAN_HANDLES_H
#define SOCKETCAN_HANDLES_H

#include "../../../include/canal_fast/system/thread.h"

#include <poll.h>
#include <stdlib.h>

#include "socketcan_receive.h"

#define FOR_EVER UINT64_MAX

enum { FIRST_HANDLE = 2209, MAX_HANDLES = 256, POLL_SLICE_MS = 500, RETRY_NS = 300000 };

typedef struct sc_handle {
    long number;
    char name[IFNAMSIZ];
    int fd;      /* CAN FD frames, too */
    int sends_errors;
    int wake;    /* readable once the handle is to be closed */
    int closing; /* this and the next under `table` */
    unsigned users;
    unsigned long filter, mask;
    int rcvbuf;
    cf_mutex lock; /* of state, but for the socket itself */
    sc_state state;
} sc_handle;

static cf_mutex table = CF_MUTEX_INITIALIZER;
static sc_handle *handles[MAX_HANDLES]; /* at number % MAX_HANDLES; numbers are not used twice */
static long next_number = FIRST_HANDLE;
/* Needs the table's lock. 0 when it is full. */
static long enlist(sc_handle *h)
{
    int tries;
    for (tries = 0; tries < MAX_HANDLES; tries++) {
        const long number = next_number;
        next_number = number < 0x7FFFFFFF ? number + 1 : FIRST_HANDLE;
        if (handles[number % MAX_HANDLES] == NULL) {
            handles[number % MAX_HANDLES] = h;
            return h->number = number;
        }
    }
    return 0;
}

static void free_handle(sc_handle *h)
{
    if (h->state.socket >= 0)
        close(h->state.socket);
    if (h->wake >= 0)
        close(h->wake);
    cf_mutex_destroy(&h->lock);
    free(h);
}

/* The handle, kept from being freed until `leave`; or NULL. */
static sc_handle *enter(long number)
{
    sc_handle *h;
    cf_mutex_lock(&table);
    h = number > 0 ? handles[number % MAX_HANDLES] : NULL;
    if (h != NULL && h->number == number && !h->closing)
        h->users++;
    else
        h = NULL;
    cf_mutex_unlock(&table);
    return h;
}

/* The last one out of a closed handle frees it. */
static void leave(sc_handle *h)
{
    int last;
    cf_mutex_lock(&table);
    last = --h->users == 0 && h->closing;
    if (last)
        handles[h->number % MAX_HANDLES] = NULL;
    cf_mutex_unlock(&table);
    if (last)
        free_handle(h);
}

/* Host time at which a call gives up. */
static uint64_t deadline(unsigned long timeout_ms)
{
    const uint64_t longest = UINT64_C(1000000000000); /* 31 years: no overflow */
    return cf_monotonic_ns() + (timeout_ms < longest ? timeout_ms : longest) * 1000000;
}

static uint64_t canal_deadline(unsigned long timeout_ms)
{
    return timeout_ms == 0 ? FOR_EVER : deadline(timeout_ms); /* as CANAL says */
}

/* Waits until the socket has `events`, until_ns, or a little while. 0: go on; or the code to return. */
static int await(sc_handle *h, short events, uint64_t until_ns)
{
    const uint64_t now_ns = cf_monotonic_ns();
    const uint64_t left_ms = until_ns > now_ns ? (until_ns - now_ns + 999999) / 1000000 : 0;
    struct pollfd files[2];
    if (left_ms == 0)
        return CF_CANAL_TIMEOUT;
    files[0].fd = h->state.socket;
    files[0].events = events;
    files[1].fd = h->wake;
    files[1].events = POLLIN;
    poll(files, 2, left_ms < POLL_SLICE_MS ? (int)left_ms : POLL_SLICE_MS);
    return files[1].revents != 0 ? CF_CANAL_NOT_OPEN : 0;
}

#endif
