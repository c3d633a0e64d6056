/* canal_fast/live/errand.h - requests that may never return, done by a thread that can be given up.
 *
 * Who has an errand done waits for it in steps: it looks for signals between two of them, and gives up after the
 * request's limit. Only steps count, not time: a program that was stopped, or a machine that slept, is no hang. Between
 * two errands the thread looks after the one that reads the driver (watch.h).
 */
#ifndef CANAL_FAST_LIVE_ERRAND_H
#define CANAL_FAST_LIVE_ERRAND_H

#include "request.h"
#include "../system/thread.h"

#include <stdlib.h>

enum { CF_STEP_MS = 50 };
#define CF_STEP_NS (CF_STEP_MS * INT64_C(1000000))

typedef enum cf_errand_state { CF_ERRAND_NONE, CF_ERRAND_GIVEN, CF_ERRAND_DONE } cf_errand_state;

typedef struct cf_errand {
    cf_status (*perform)(void *with, cf_request *request); /* by the thread */
    void (*idle)(void *with);                              /* by the thread, every step while there is no errand */
    void *with;
    cf_mutex lock; /* guards what follows */
    cf_cond changed;
    cf_thread thread;
    int started, leave;
    int lost;     /* it did not come back: the thread and all that it uses are left to the driver */
    int orphaned; /* nobody waits for this one */
    cf_errand_state state;
    uint64_t turns; /* errands given so far */
    cf_status status;
    cf_request request; /* a copy, and so are question and answer: who gave it may have gone */
    void *question;
    size_t room; /* of it */
    uint64_t answer[CF_ANSWER_BYTES / 8];
} cf_errand;

CF_INLINE cf_status cf_errand_init(cf_errand *errand, cf_status (*perform)(void *, cf_request *), void (*idle)(void *),
                                   void *with)
{
    errand->perform = perform;
    errand->idle = idle;
    errand->with = with;
    if (cf_mutex_init(&errand->lock) != CF_OK)
        return CF_THREAD_FAILED;
    if (cf_cond_init(&errand->changed) == CF_OK)
        return CF_OK;
    cf_mutex_destroy(&errand->lock);
    return CF_THREAD_FAILED;
}

CF_INLINE void cf_errand_main(void *argument)
{
    cf_errand *errand = (cf_errand *)argument;
    cf_mutex_lock(&errand->lock);
    while (!errand->leave) {
        if (errand->state == CF_ERRAND_GIVEN) {
            cf_status status;
            cf_mutex_unlock(&errand->lock);
            status = errand->perform(errand->with, &errand->request);
            cf_mutex_lock(&errand->lock);
            errand->status = status;
            errand->state = errand->orphaned ? CF_ERRAND_NONE : CF_ERRAND_DONE;
            errand->orphaned = 0;
            cf_cond_broadcast(&errand->changed);
        } else if (!cf_cond_wait_for(&errand->changed, &errand->lock, CF_STEP_NS) && errand->state != CF_ERRAND_GIVEN) {
            cf_mutex_unlock(&errand->lock);
            errand->idle(errand->with);
            cf_mutex_lock(&errand->lock);
        }
    }
    cf_mutex_unlock(&errand->lock);
}

/* Waits a step; needs the lock. 0, or CF_INTERRUPTED, or CF_DRIVER_HANGS once *left_ns are used up. */
CF_INLINE cf_status cf_errand_step(cf_errand *errand, int64_t *left_ns, const cf_waiting *waiting)
{
    const int64_t now_ns = cf_now_ns(), step_ns = *left_ns < CF_STEP_NS ? *left_ns : CF_STEP_NS;
    int64_t took_ns;
    int woken, interrupted = 0;
    if (*left_ns <= 0 || cf_waiting_left_ns(waiting, now_ns) <= 0)
        return CF_DRIVER_HANGS;
    woken = cf_cond_wait_for(&errand->changed, &errand->lock, (uint64_t)step_ns);
    took_ns = cf_now_ns() - now_ns;
    *left_ns -= took_ns < step_ns ? took_ns : step_ns;
    if (!woken && waiting->interrupted != NULL) {
        cf_mutex_unlock(&errand->lock);
        interrupted = waiting->interrupted();
        cf_mutex_lock(&errand->lock);
    }
    return interrupted ? CF_INTERRUPTED : CF_OK;
}

/* Copies the request; needs the lock and no errand under way. CF_NO_MEMORY. */
CF_INLINE cf_status cf_errand_give(cf_errand *errand, const cf_request *request)
{
    if (!errand->started) {
        if (cf_thread_start(&errand->thread, cf_errand_main, errand, "canal_calls") != CF_OK)
            return CF_THREAD_FAILED;
        errand->started = 1;
    }
    if (request->question_bytes > errand->room) {
        void *more = realloc(errand->question, request->question_bytes);
        if (more == NULL)
            return CF_NO_MEMORY;
        errand->question = more;
        errand->room = request->question_bytes;
    }
    if (request->question_bytes > 0)
        memcpy(errand->question, request->question, request->question_bytes);
    errand->request = *request;
    errand->request.question = errand->question;
    errand->request.answer = errand->answer;
    errand->state = CF_ERRAND_GIVEN;
    errand->turns++;
    cf_cond_broadcast(&errand->changed);
    return CF_OK;
}

/* Has `request` done and waits for it at most limit_ns. As `perform`; CF_DRIVER_HANGS, then and ever after, with the
 * operation that hangs in the request; or CF_INTERRUPTED, with the request still under way. */
CF_INLINE cf_status cf_errand_run(cf_errand *errand, cf_request *request, int64_t limit_ns, const cf_waiting *waiting)
{
    cf_status status = CF_OK;
    int64_t left_ns = limit_ns;
    uint64_t turn;
    if (request->answer_bytes > sizeof errand->answer)
        return CF_NOT_SUPPORTED;
    cf_mutex_lock(&errand->lock);
    for (turn = errand->turns; status == CF_OK && !errand->lost && errand->state != CF_ERRAND_NONE;) {
        status = cf_errand_step(errand, &left_ns, waiting);
        if (turn != errand->turns) { /* a driver that serves others is no hanging one */
            turn = errand->turns;
            left_ns = limit_ns;
        }
    }
    if (status == CF_OK && errand->lost)
        status = CF_DRIVER_HANGS;
    if (status == CF_OK)
        status = cf_errand_give(errand, request);
    if (status == CF_OK) {
        left_ns = limit_ns;
        while (status == CF_OK && errand->state != CF_ERRAND_DONE)
            status = cf_errand_step(errand, &left_ns, waiting);
        if (errand->state == CF_ERRAND_DONE && status == CF_INTERRUPTED) {
            errand->state = CF_ERRAND_NONE; /* too late for who asked: an exception is on its way */
        } else if (errand->state == CF_ERRAND_DONE) {
            if (request->answer_bytes > 0)
                memcpy(request->answer, errand->answer, request->answer_bytes);
            request->result = errand->request.result;
            request->code = errand->request.code;
            status = errand->status;
            errand->state = CF_ERRAND_NONE;
        } else {
            errand->orphaned = 1;
        }
    }
    if (status == CF_DRIVER_HANGS)
        request->operation = errand->request.operation;
    errand->lost |= status == CF_DRIVER_HANGS && errand->state == CF_ERRAND_GIVEN;
    cf_cond_broadcast(&errand->changed);
    cf_mutex_unlock(&errand->lock);
    return status;
}

/* Has `request`, which has no answer, done without waiting for it, if no other is under way. */
CF_INLINE void cf_errand_begin(cf_errand *errand, const cf_request *request)
{
    cf_mutex_lock(&errand->lock);
    if (!errand->lost && errand->state == CF_ERRAND_NONE)
        errand->orphaned = cf_errand_give(errand, request) == CF_OK;
    cf_mutex_unlock(&errand->lock);
}

/* Ends the thread. Needs that no errand was lost and nobody calls any more. */
CF_INLINE void cf_errand_destroy(cf_errand *errand)
{
    if (errand->started) {
        cf_mutex_lock(&errand->lock);
        errand->leave = 1;
        cf_cond_broadcast(&errand->changed);
        cf_mutex_unlock(&errand->lock);
        cf_thread_join(&errand->thread);
    }
    cf_cond_destroy(&errand->changed);
    cf_mutex_destroy(&errand->lock);
    free(errand->question);
}

#endif
