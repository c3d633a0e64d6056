/* canal_fast/system/bell.h - what wakes a thread of another process, and what event loops wait on.
 *
 * An eventfd on Linux, a pipe on other POSIX systems, an auto-reset event on Windows. Ringing it again before
 * anybody looked changes nothing. Ringing orders no memory of ours: who rings and who waits have a fence each between
 * what they write and what they read (live/consumer.h, live/host_link.h), so that one of the two sees the other.
 */
#ifndef CANAL_FAST_SYSTEM_BELL_H
#define CANAL_FAST_SYSTEM_BELL_H

#include "../base.h"

#if defined(_WIN32)
#include "windows_api.h"
#else
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/eventfd.h>
#endif
#endif

/* All zero: not open. */
typedef struct cf_bell {
    int open;
#if defined(_WIN32)
    HANDLE event;
#else
    int read_fd, write_fd; /* the same on Linux */
#endif
} cf_bell;

/* CF_OK or CF_NO_MEMORY. */
CF_INLINE cf_status cf_bell_open(cf_bell *bell)
{
#if defined(_WIN32)
    bell->event = CreateEventW(NULL, FALSE, FALSE, NULL);
    bell->open = bell->event != NULL;
#elif defined(__linux__)
    bell->read_fd = bell->write_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bell->open = bell->read_fd >= 0;
#else
    int ends[2], i;
    if (pipe(ends) != 0)
        return CF_NO_MEMORY;
    for (i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    bell->read_fd = ends[0];
    bell->write_fd = ends[1];
    bell->open = 1;
#endif
    return bell->open ? CF_OK : CF_NO_MEMORY;
}

CF_INLINE void cf_bell_close(cf_bell *bell)
{
    if (!bell->open)
        return;
#if defined(_WIN32)
    CloseHandle(bell->event);
#else
    if (bell->write_fd != bell->read_fd)
        close(bell->write_fd);
    close(bell->read_fd);
#endif
    bell->open = 0;
}

/* Who waits for it is woken; rung until then, or until cf_bell_clear. */
CF_INLINE void cf_bell_ring(cf_bell *bell)
{
#if defined(_WIN32)
    SetEvent(bell->event);
#else
    const uint64_t one = 1;
    if (write(bell->write_fd, &one, sizeof one) < 0)
        return; /* full: rung as it is */
#endif
}

CF_INLINE void cf_bell_clear(cf_bell *bell)
{
#if defined(_WIN32)
    ResetEvent(bell->event);
#else
    uint64_t rung;
    while (read(bell->read_fd, &rung, sizeof rung) > 0 && bell->write_fd != bell->read_fd)
        ;
#endif
}

/* Waits until it is rung, at most timeout_ms, and clears it. 0: the time was over. */
CF_INLINE int cf_bell_wait(cf_bell *bell, unsigned timeout_ms)
{
#if defined(_WIN32)
    return WaitForSingleObject(bell->event, timeout_ms) == WAIT_OBJECT_0;
#else
    struct pollfd waiting;
    waiting.fd = bell->read_fd;
    waiting.events = POLLIN;
    waiting.revents = 0;
    if (poll(&waiting, 1, (int)timeout_ms) <= 0)
        return 0;
    cf_bell_clear(bell);
    return 1;
#endif
}

/* The descriptor that is readable while it is rung, for event loops; -1 where they wait on no such thing. */
CF_INLINE int cf_bell_descriptor(const cf_bell *bell)
{
#if defined(_WIN32)
    (void)bell;
    return -1;
#else
    return bell->read_fd;
#endif
}

#endif
