/* canal_fast/live/periodic.h - cyclic sending: one native thread for all tasks of a channel.
 *
 * A task is due at its start and at every whole period after it, on the monotonic clock, so that no
 * delay adds up. What is overdue is sent at once, one time after the other; times that lie more than
 * CF_PERIODIC_BEHIND_NS back, when the machine slept or the driver hung, are left out and counted.
 */
#ifndef CANAL_FAST_LIVE_PERIODIC_H
#define CANAL_FAST_LIVE_PERIODIC_H

#include "../canal.h"
#include "port.h"

#define CF_PERIODIC_BEHIND_NS INT64_C(250000000)

/* X(name, meaning) */
/* clang-format off */
#define CF_TASK_COUNTERS(X)                                                   \
    X(periods, "times that the frames were handed to the driver")             \
    X(sent, "frames that the driver took")                                    \
    X(rejected, "frames that it did not take")                                \
    X(late, "times that it was done more than half a period after it was due") \
    X(missed, "times that were left out")                                     \
    X(jitter_sum_ns, "how late all of the times were")                        \
    X(jitter_max_ns, "how late the latest was")

typedef struct cf_task_counters {
#define CF_TASK_MEMBER(name, meaning) uint64_t name;
    CF_TASK_COUNTERS(CF_TASK_MEMBER)
} cf_task_counters;
/* clang-format on */

typedef struct cf_task {
    struct cf_task *next;
    void *frames; /* malloc'ed; all accepted by cf_frame_check, none FD */
    size_t count, stride;
    int64_t period_ns, due_ns;
    int in_turn;         /* one frame at each time instead of all */
    size_t turn;         /* the one that is next */
    uint64_t times_left; /* the task ends after so many; 0: not by itself */
    int active; /* in the list */
    long failure_code; /* the last one from the driver other than success; 0: none */
    cf_task_counters counters;
} cf_task;

/* `lock` guards the list and the tasks in it, and is held while a task's frames are sent. */
typedef struct cf_periodic {
    cf_port *port;
    cf_mutex lock;
    cf_cond changed;
    cf_sleeper sleeper;
    cf_thread thread;
    int started, stop;
    cf_task *tasks;
} cf_periodic;

/* NULL when there is no memory. */
CF_INLINE cf_periodic *cf_periodic_new(cf_port *port)
{
    cf_periodic *periodic = (cf_periodic *)calloc(1, sizeof *periodic);
    if (periodic == NULL)
        return NULL;
    periodic->port = port;
    if (cf_mutex_init(&periodic->lock) != CF_OK || cf_cond_init(&periodic->changed) != CF_OK ||
        cf_sleeper_init(&periodic->sleeper) != CF_OK) {
        free(periodic);
        return NULL;
    }
    return periodic;
}

CF_INLINE cf_task *cf_periodic_earliest(const cf_periodic *periodic)
{
    cf_task *task, *earliest = periodic->tasks;
    for (task = earliest; task != NULL; task = task->next)
        if (task->due_ns < earliest->due_ns)
            earliest = task;
    return earliest;
}

/* Takes a task out of the list, if it is there; needs the lock. */
CF_INLINE void cf_periodic_unlink(cf_periodic *periodic, cf_task *task)
{
    cf_task **link;
    for (link = &periodic->tasks; *link != NULL && *link != task; link = &(*link)->next)
        ;
    if (*link == task)
        *link = task->next;
    task->active = 0;
}

/* Sends a task's frames, now_ns being at or after its time. 0 when the channel is closed. */
CF_INLINE int cf_periodic_send(cf_periodic *periodic, cf_task *task, int64_t now_ns)
{
    cf_task_counters *counters = &task->counters;
    const int64_t jitter_ns = now_ns - task->due_ns;
    const char *frames = (const char *)task->frames + task->turn * task->stride;
    const size_t count = task->in_turn && task->count > 0 ? 1 : task->count;
    uint64_t passed = 0;
    size_t accepted = 0;
    long code = CF_CANAL_SUCCESS;
    const cf_status status = cf_port_send(periodic->port, frames, count, task->stride, 0, &accepted, &code);
    if (status == CF_CLOSED)
        return 0;
    if (status != CF_OK)
        task->failure_code = code;
    cf_port_reject(periodic->port, count - accepted);
    counters->periods++;
    counters->sent += accepted;
    counters->rejected += count - accepted;
    counters->late += jitter_ns > task->period_ns / 2;
    counters->jitter_sum_ns += (uint64_t)jitter_ns;
    if ((uint64_t)jitter_ns > counters->jitter_max_ns)
        counters->jitter_max_ns = (uint64_t)jitter_ns;
    if (jitter_ns > CF_PERIODIC_BEHIND_NS)
        passed = (uint64_t)(jitter_ns / task->period_ns);
    counters->missed += passed;
    task->due_ns += (int64_t)(passed + 1) * task->period_ns;
    if (task->in_turn && ++task->turn >= task->count)
        task->turn = 0;
    if (task->times_left > passed + 1)
        task->times_left -= passed + 1;
    else if (task->times_left != 0)
        cf_periodic_unlink(periodic, task);
    return 1;
}

/* Waits until due_ns or a change; needs the lock. Waits of conditions end late on some systems: the
 * last part is slept there. */
CF_INLINE void cf_periodic_wait(cf_periodic *periodic, int64_t due_ns, int64_t now_ns)
{
    if (due_ns - now_ns > CF_COND_COARSE_NS) {
        cf_cond_wait_until(&periodic->changed, &periodic->lock, (uint64_t)(due_ns - CF_COND_COARSE_NS));
    } else {
        cf_mutex_unlock(&periodic->lock);
        cf_sleeper_sleep(&periodic->sleeper, (uint64_t)(due_ns - now_ns));
        cf_mutex_lock(&periodic->lock);
    }
}

CF_INLINE void cf_periodic_main(void *argument)
{
    cf_periodic *periodic = (cf_periodic *)argument;
    int open = 1;
    cf_thread_urgent(); /* granted or not */
    cf_mutex_lock(&periodic->lock);
    while (open && !periodic->stop) {
        cf_task *task = cf_periodic_earliest(periodic);
        const int64_t now_ns = cf_now_ns();
        if (task == NULL)
            cf_cond_wait(&periodic->changed, &periodic->lock);
        else if (task->due_ns > now_ns)
            cf_periodic_wait(periodic, task->due_ns, now_ns);
        else
            open = cf_periodic_send(periodic, task, now_ns);
    }
    cf_mutex_unlock(&periodic->lock);
}

/* Begins to send at once and then every period_ns (above 0). The task stays the caller's, who frees it and
 * its frames once it was removed or all have stopped. CF_OK, CF_CLOSED, CF_THREAD_FAILED. */
CF_INLINE cf_status cf_periodic_add(cf_periodic *periodic, cf_task *task)
{
    cf_status status = CF_OK;
    cf_mutex_lock(&periodic->lock);
    if (periodic->stop || cf_atomic_u32_load_acquire(&periodic->port->closing))
        status = CF_CLOSED;
    else if (!periodic->started)
        status = cf_thread_start(&periodic->thread, cf_periodic_main, periodic, "canal_periodic");
    if (status == CF_OK) {
        periodic->started = 1;
        task->due_ns = cf_now_ns();
        task->active = 1;
        task->next = periodic->tasks;
        periodic->tasks = task;
        cf_cond_signal(&periodic->changed);
    }
    cf_mutex_unlock(&periodic->lock);
    return status;
}

/* Nothing of the task is sent after this returned. May be repeated. */
CF_INLINE void cf_periodic_remove(cf_periodic *periodic, cf_task *task)
{
    cf_mutex_lock(&periodic->lock);
    cf_periodic_unlink(periodic, task);
    cf_mutex_unlock(&periodic->lock);
}

/* Other frames, as many and of the same kind, from the next period on. */
CF_INLINE void cf_periodic_modify(cf_periodic *periodic, cf_task *task, const void *frames)
{
    cf_mutex_lock(&periodic->lock);
    memcpy(task->frames, frames, task->count * task->stride);
    cf_mutex_unlock(&periodic->lock);
}

CF_INLINE void cf_periodic_counters(cf_periodic *periodic, const cf_task *task, cf_task_counters *counters, int *active,
                                    long *failure_code)
{
    cf_mutex_lock(&periodic->lock);
    *counters = task->counters;
    *active = task->active && !periodic->stop;
    *failure_code = task->failure_code;
    cf_mutex_unlock(&periodic->lock);
}

/* Ends the thread and with it all tasks. Not to be called by two threads at once. May be repeated. */
CF_INLINE void cf_periodic_stop(cf_periodic *periodic)
{
    int running;
    cf_mutex_lock(&periodic->lock);
    running = periodic->started && !periodic->stop;
    periodic->stop = 1;
    cf_cond_signal(&periodic->changed);
    cf_mutex_unlock(&periodic->lock);
    if (running)
        cf_thread_join(&periodic->thread);
}

/* Needs a stopped one. */
CF_INLINE void cf_periodic_free(cf_periodic *periodic)
{
    cf_sleeper_destroy(&periodic->sleeper);
    cf_cond_destroy(&periodic->changed);
    cf_mutex_destroy(&periodic->lock);
    free(periodic);
}

#endif
