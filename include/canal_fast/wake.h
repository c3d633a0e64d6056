/* canal_fast/wake.h - a descriptor that event loops wait on: readable while it is raised.
 *
 * An eventfd on Linux, a pipe on other POSIX systems. Windows' loops wait on no such thing: there
 * cf_wake_open says CF_NOT_SUPPORTED and programs wait in a thread.
 */
#ifndef CANAL_FAST_WAKE_H
#define CANAL_FAST_WAKE_H

#include "ring.h"

#if defined(__linux__)
#include <sys/eventfd.h>
#include <unistd.h>
#elif !defined(_WIN32)
#include <fcntl.h>
#include <unistd.h>
#endif

/* All zero: not open. */
typedef struct cf_wake {
    cf_atomic_u32 wanted; /* raised from so many records on; 0 = not in use */
    cf_atomic_u32 raised;
    int open;
    int read_fd, write_fd; /* the same on Linux */
} cf_wake;

CF_INLINE cf_status cf_wake_open(cf_wake *wake)
{
#if defined(__linux__)
    wake->read_fd = wake->write_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wake->open = wake->read_fd >= 0;
    return wake->open ? CF_OK : CF_NO_MEMORY;
#elif !defined(_WIN32)
    int ends[2], i;
    if (pipe(ends) != 0)
        return CF_NO_MEMORY;
    for (i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    wake->read_fd = ends[0];
    wake->write_fd = ends[1];
    wake->open = 1;
    return CF_OK;
#else
    (void)wake;
    return CF_NOT_SUPPORTED;
#endif
}

CF_INLINE void cf_wake_close(cf_wake *wake)
{
#if !defined(_WIN32)
    if (wake->open && wake->write_fd != wake->read_fd)
        close(wake->write_fd);
    if (wake->open)
        close(wake->read_fd);
#endif
    wake->open = 0;
}

/* Makes it readable until cf_wake_clear. */
CF_INLINE void cf_wake_raise(cf_wake *wake)
{
#if !defined(_WIN32)
    const uint64_t one = 1;
    if (write(wake->write_fd, &one, sizeof one) < 0)
        return; /* full: readable as it is */
#else
    (void)wake;
#endif
}

CF_INLINE void cf_wake_clear(cf_wake *wake)
{
#if !defined(_WIN32)
    uint64_t raised;
    while (read(wake->read_fd, &raised, sizeof raised) > 0 && wake->write_fd != wake->read_fd)
        ;
#else
    (void)wake;
#endif
}

/* Whether cf_wake_settle would raise it, for the producer after publishing and a full fence. */
CF_INLINE int cf_wake_is_due(const cf_wake *wake, const cf_ring *ring, const cf_atomic_u32 *ended)
{
    const uint32_t wanted = cf_atomic_u32_load_relaxed(&wake->wanted);
    return wanted != 0 && !cf_atomic_u32_load_relaxed(&wake->raised) &&
           (cf_atomic_u32_load_acquire(ended) != 0 || cf_ring_pending(ring) >= wanted);
}

/* Clears it when fewer records wait than wanted, raises it when enough do or no more will come (*ended is
 * not 0). Needs the lock under which consumers take from the ring. */
CF_INLINE void cf_wake_settle(cf_wake *wake, const cf_ring *ring, const cf_atomic_u32 *ended)
{
    if (cf_atomic_u32_load_relaxed(&wake->raised) && cf_atomic_u32_load_acquire(ended) == 0 &&
        cf_ring_pending(ring) < cf_atomic_u32_load_relaxed(&wake->wanted)) {
        cf_wake_clear(wake);
        cf_atomic_u32_store_relaxed(&wake->raised, 0);
    }
    cf_atomic_fence(); /* what is published from here on finds it cleared */
    if (cf_wake_is_due(wake, ring, ended)) {
        cf_atomic_u32_store_relaxed(&wake->raised, 1);
        cf_wake_raise(wake);
    }
}

#endif
