/* canal_fast/logger/play.h - recordings onto buses: one native thread a channel, one schedule for all.
 *
 * The caller selects and merges records (selection.h, merge.h) and pushes them; each gets its time from the schedule
 * and waits in the queue of its lane. A lane's thread hands it to the driver when it is due, as many at once as are due
 * then. What a driver has no room for stays first in its lane and is late; nothing is left out.
 */
#ifndef CANAL_FAST_LOGGER_PLAY_H
#define CANAL_FAST_LOGGER_PLAY_H

#include "../canal.h"
#include "../live/port.h"
#include "../system/thread.h"
#include "lateness.h"
#include "schedule.h"

enum {
    CF_PLAY_QUEUE = 1 << 15, /* frames that wait in a lane: two seconds of a full bus of 1 Mbit/s at least */
    CF_PLAY_AT_ONCE = 64,    /* frames handed over in one go */
    CF_PLAY_PUSHED = 128     /* frames queued in one go; the threads wait for no more */
};
#define CF_PLAY_SLICE_NS INT64_C(20000000) /* so long a driver without room is waited for before looking for the end */
#define CF_PLAY_LEAD_NS INT64_C(10000000) /* from the beginning to the first frame */

struct cf_play;

typedef struct cf_play_lane {
    cf_port *port;
    struct cf_play *play;
    cf_thread thread;
    cf_cond changed; /* frames came, or the end */
    cf_sleeper sleeper;
    int ready, started, running;
    cf_fd_frame *frames; /* CF_PLAY_QUEUE of them, */
    int64_t *due_ns; /* and their times after begin_ns */
    uint64_t made, taken;
    cf_lateness lateness; /* of frames that the driver took */
    uint64_t sent;
    cf_status status; /* why it ended, CF_OK: by itself; */
    long code; /* and what the driver returned */
} cf_play_lane;

/* The time, and waiting for a time or a change with the lock held: others' in tests. */
typedef struct cf_play_clock {
    int64_t (*now_ns)(void *context);
    void (*wait)(cf_play_lane *lane, int64_t until_ns);
    void *context;
} cf_play_clock;

/* `lock` guards everything but what a thread alone touches. */
typedef struct cf_play {
    cf_mutex lock;
    cf_cond room; /* a lane has room again, or ended */
    cf_play_clock clock;
    cf_schedule schedule;
    int timed; /* 0: as fast as the drivers accept */
    int begun, ended, stop;
    int64_t begin_ns, end_ns; /* end_ns: when the last frame so far was handed over */
    size_t count;
    cf_play_lane lanes[1]; /* as many as count says */
} cf_play;

CF_INLINE int64_t cf_play_now(void *context)
{
    (void)context;
    return cf_now_ns();
}

/* Waits of conditions end late on some systems: the last part is slept there. */
CF_INLINE void cf_play_wait(cf_play_lane *lane, int64_t until_ns)
{
    const int64_t left_ns = until_ns - cf_now_ns();
    if (left_ns > CF_COND_COARSE_NS) {
        cf_cond_wait_until(&lane->changed, &lane->play->lock, (uint64_t)(until_ns - CF_COND_COARSE_NS));
    } else if (left_ns > 0) {
        cf_mutex_unlock(&lane->play->lock);
        cf_sleeper_sleep(&lane->sleeper, (uint64_t)left_ns);
        cf_mutex_lock(&lane->play->lock);
    }
}

/* Frees what cf_play_new made. Needs threads that have ended: cf_play_stop. */
CF_INLINE void cf_play_free(cf_play *play)
{
    size_t i;
    for (i = 0; i < play->count; i++) {
        cf_play_lane *lane = &play->lanes[i];
        free(lane->frames);
        free(lane->due_ns);
        if (lane->ready) {
            cf_cond_destroy(&lane->changed);
            cf_sleeper_destroy(&lane->sleeper);
        }
    }
    cf_cond_destroy(&play->room);
    cf_mutex_destroy(&play->lock);
    free(play);
}

/* `count` (1..CF_PLAY_LANES) lanes, whose `port` the caller sets, as the schedule's and `timed`. NULL: no memory. */
CF_INLINE cf_play *cf_play_new(size_t count)
{
    cf_play *play = (cf_play *)calloc(1, sizeof *play + count * sizeof(cf_play_lane));
    size_t i;
    if (play == NULL || cf_mutex_init(&play->lock) != CF_OK) {
        free(play);
        return NULL;
    }
    if (cf_cond_init(&play->room) != CF_OK) {
        cf_mutex_destroy(&play->lock);
        free(play);
        return NULL;
    }
    play->clock.now_ns = cf_play_now;
    play->clock.wait = cf_play_wait;
    play->count = count;
    for (i = 0; i < count; i++) {
        cf_play_lane *lane = &play->lanes[i];
        lane->play = play;
        lane->frames = (cf_fd_frame *)malloc(CF_PLAY_QUEUE * sizeof *lane->frames);
        lane->due_ns = (int64_t *)malloc(CF_PLAY_QUEUE * sizeof *lane->due_ns);
        if (lane->frames != NULL && lane->due_ns != NULL && cf_sleeper_init(&lane->sleeper) == CF_OK) {
            lane->ready = cf_cond_init(&lane->changed) == CF_OK;
            if (!lane->ready)
                cf_sleeper_destroy(&lane->sleeper);
        }
        if (!lane->ready) {
            cf_play_free(play);
            return NULL;
        }
    }
    return play;
}

CF_INLINE int64_t cf_play_time(cf_play *play)
{
    return play->clock.now_ns(play->clock.context);
}

/* Tells all threads of a change; needs the lock. */
CF_INLINE void cf_play_tell(cf_play *play)
{
    size_t i;
    for (i = 0; i < play->count; i++)
        cf_cond_signal(&play->lanes[i].changed);
    cf_cond_broadcast(&play->room);
}

/* When the frame of this number is to be handed over; needs a begun play. */
CF_INLINE int64_t cf_play_due(const cf_play_lane *lane, uint64_t number)
{
    return lane->play->begin_ns + lane->due_ns[number % CF_PLAY_QUEUE];
}

/* Hands over what is due by now_ns; needs the lock, which is released meanwhile. */
CF_INLINE void cf_play_hand_over(cf_play_lane *lane, int64_t now_ns)
{
    cf_play *play = lane->play;
    const uint64_t first = lane->taken, waited = lane->made - first;
    const size_t at = (size_t)(first % CF_PLAY_QUEUE);
    size_t count = 0, most = CF_PLAY_QUEUE - at, accepted = 0, i;
    cf_status status;
    long code = 0;
    if (most > CF_PLAY_AT_ONCE)
        most = CF_PLAY_AT_ONCE;
    if (most > waited)
        most = (size_t)waited;
    while (count < most && (!play->timed || cf_play_due(lane, first + count) <= now_ns))
        count++;
    cf_mutex_unlock(&play->lock);
    status = cf_port_send(lane->port, &lane->frames[at], count, sizeof(cf_fd_frame), CF_PLAY_SLICE_NS, &accepted,
                          &code);
    cf_mutex_lock(&play->lock);
    now_ns = cf_play_time(play);
    for (i = 0; play->timed && i < accepted; i++)
        cf_lateness_add(&lane->lateness, now_ns - cf_play_due(lane, first + i));
    if (accepted > 0)
        play->end_ns = now_ns;
    lane->sent += accepted;
    lane->taken += accepted;
    if (waited > CF_PLAY_QUEUE / 2 && lane->made - lane->taken <= CF_PLAY_QUEUE / 2)
        cf_cond_broadcast(&play->room); /* seldom, so that who fills it up is not woken for every frame */
    if (status == CF_DISCONNECTED) { /* a driver that comes back: what is due waits for it */
        play->clock.wait(lane, now_ns + CF_PLAY_SLICE_NS);
    } else if (status != CF_OK && status != CF_TIMED_OUT) {
        lane->status = status;
        lane->code = code;
        play->stop = 1;
        cf_play_tell(play);
    }
}

CF_INLINE void cf_play_main(void *argument)
{
    cf_play_lane *lane = (cf_play_lane *)argument;
    cf_play *play = lane->play;
    cf_mutex_lock(&play->lock);
    while (!play->stop && !(play->ended && lane->taken == lane->made)) {
        const int64_t now_ns = cf_play_time(play);
        if (!play->begun || lane->taken == lane->made)
            cf_cond_wait(&lane->changed, &play->lock);
        else if (play->timed && cf_play_due(lane, lane->taken) > now_ns)
            play->clock.wait(lane, cf_play_due(lane, lane->taken));
        else
            cf_play_hand_over(lane, now_ns);
    }
    lane->running = 0;
    cf_cond_broadcast(&play->room);
    cf_mutex_unlock(&play->lock);
}

CF_INLINE void cf_play_urgent_main(void *argument)
{
    cf_thread_urgent(); /* granted or not */
    cf_play_main(argument);
}

/* Starts the threads, which wait for the beginning. CF_OK, CF_THREAD_FAILED. */
CF_INLINE cf_status cf_play_start(cf_play *play)
{
    cf_status status = CF_OK;
    size_t i;
    cf_mutex_lock(&play->lock);
    for (i = 0; i < play->count && status == CF_OK; i++) {
        cf_play_lane *lane = &play->lanes[i];
        status = cf_thread_start(&lane->thread, cf_play_urgent_main, lane, "canal_play");
        lane->started = lane->running = status == CF_OK;
    }
    cf_mutex_unlock(&play->lock);
    return status;
}

/* Needs the lock. */
CF_INLINE void cf_play_begin(cf_play *play)
{
    if (play->begun)
        return;
    play->begun = 1;
    play->begin_ns = play->end_ns = cf_play_time(play) + (play->timed ? CF_PLAY_LEAD_NS : 0);
    cf_play_tell(play);
}

/* Queues FD records in the order of time, `channel` being their lane; returns how many, fewer than `count` when a lane
 * had no room for timeout_ns, or at the end. The first frames are due once a queue is full, or cf_play_end was
 * called. */
CF_INLINE size_t cf_play_push(cf_play *play, const cf_fd_frame *frames, size_t count, int64_t timeout_ns)
{
    const int64_t deadline_ns = cf_now_ns() + timeout_ns;
    size_t done = 0, some = 0;
    int waiting = 1;
    cf_mutex_lock(&play->lock);
    while (waiting && done < count && !play->stop) {
        cf_play_lane *lane = &play->lanes[frames[done].channel];
        const size_t at = (size_t)(lane->made % CF_PLAY_QUEUE);
        if (lane->made - lane->taken == CF_PLAY_QUEUE) {
            cf_play_begin(play);
            waiting = cf_cond_wait_until(&play->room, &play->lock, (uint64_t)deadline_ns);
            continue;
        }
        lane->frames[at] = frames[done];
        lane->frames[at].channel = 0;
        lane->due_ns[at] = cf_schedule_next(&play->schedule, frames[done++].timestamp_ns);
        if (lane->made++ == lane->taken)
            cf_cond_signal(&lane->changed);
        if (++some % CF_PLAY_PUSHED == 0) { /* the threads' turn */
            cf_mutex_unlock(&play->lock);
            cf_mutex_lock(&play->lock);
        }
    }
    cf_mutex_unlock(&play->lock);
    return done;
}

/* The recording comes once more from its beginning. */
CF_INLINE void cf_play_again(cf_play *play)
{
    cf_mutex_lock(&play->lock);
    cf_schedule_again(&play->schedule);
    cf_mutex_unlock(&play->lock);
}

/* No more will be pushed. */
CF_INLINE void cf_play_end(cf_play *play)
{
    cf_mutex_lock(&play->lock);
    play->ended = 1;
    cf_play_begin(play);
    cf_play_tell(play);
    cf_mutex_unlock(&play->lock);
}

/* Waits until all lanes have ended, at most timeout_ns. 0: the time was over. */
CF_INLINE int cf_play_finish(cf_play *play, int64_t timeout_ns)
{
    const int64_t deadline_ns = cf_now_ns() + timeout_ns;
    size_t i = 0;
    cf_mutex_lock(&play->lock);
    while (i < play->count)
        if (!play->lanes[i].running)
            i++;
        else if (!cf_cond_wait_until(&play->room, &play->lock, (uint64_t)deadline_ns))
            break;
    cf_mutex_unlock(&play->lock);
    return i == play->count;
}

/* Has the threads end, whatever still waits, and does not wait for that. */
CF_INLINE void cf_play_halt(cf_play *play)
{
    cf_mutex_lock(&play->lock);
    play->stop = 1;
    cf_play_tell(play);
    cf_mutex_unlock(&play->lock);
}

/* The same, and waits. Not to be called by two threads at once. May be repeated. */
CF_INLINE void cf_play_stop(cf_play *play)
{
    size_t i;
    cf_play_halt(play);
    for (i = 0; i < play->count; i++)
        if (play->lanes[i].started) {
            cf_thread_join(&play->lanes[i].thread);
            play->lanes[i].started = 0;
        }
}

/* What a lane has done until now. */
CF_INLINE void cf_play_books(cf_play *play, size_t index, cf_lateness *lateness, uint64_t *sent, cf_status *status,
                             long *code)
{
    const cf_play_lane *lane = &play->lanes[index];
    cf_mutex_lock(&play->lock);
    *lateness = lane->lateness;
    *sent = lane->sent;
    *status = lane->status;
    *code = lane->code;
    cf_mutex_unlock(&play->lock);
}

#endif
