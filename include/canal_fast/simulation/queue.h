/* canal_fast/simulation/queue.h - what a node has to send: requests that wait for their time, and a heap of those whose
 * time has come, by priority on the bus or first come, first served.
 */
#ifndef CANAL_FAST_SIMULATION_QUEUE_H
#define CANAL_FAST_SIMULATION_QUEUE_H

#include "../frame.h"

#define CF_BUS_QUEUE_NONE UINT32_MAX
#define CF_BUS_QUEUE_NEVER INT64_MAX

enum { CF_REQUEST_ONE_SHOT = 1, CF_REQUEST_SELF_RECEPTION = 2 };

typedef struct cf_bus_request {
    cf_fd_frame frame;
    int64_t bit; /* the first that may be its SOF */
    uint64_t sequence; /* order in which their time came */
    uint32_t key; /* its arbitration field: the lowest wins */
    uint32_t next; /* row of the waiting or the free list */
    uint32_t options; /* CF_REQUEST_... */
} cf_bus_request;

typedef struct cf_bus_queue {
    cf_bus_request *rows; /* the caller's, `room` of them */
    uint32_t *heap; /* the same */
    uint32_t room, ready; /* ready: in the heap */
    uint32_t used; /* rows that hold a request */
    uint32_t free, waiting, last; /* last: of the waiting */
    uint32_t first_come; /* 1: not by priority */
    int64_t next_bit; /* when the first of the waiting is due */
    uint64_t sequence;
} cf_bus_queue;

/* Arbitration field, its first bit on top: a base frame's RTR stands where an extended one has SRR. */
CF_INLINE uint32_t cf_arbitration_key(const cf_frame_head *head)
{
    const uint32_t id = head->arbitration_id, remote = (head->flags & CF_FLAG_REMOTE) != 0;
    if (head->flags & CF_FLAG_EXTENDED_ID)
        return (id >> 18) << 21 | UINT32_C(3) << 19 | (id & 0x3FFFF) << 1 | remote;
    return id << 21 | remote << 20;
}

CF_INLINE void cf_bus_queue_init(cf_bus_queue *q, cf_bus_request *rows, uint32_t *heap, uint32_t room,
                                 unsigned first_come)
{
    uint32_t i;
    memset(q, 0, sizeof *q);
    q->rows = rows;
    q->heap = heap;
    q->room = room;
    q->first_come = first_come;
    q->waiting = CF_BUS_QUEUE_NONE;
    q->next_bit = CF_BUS_QUEUE_NEVER;
    q->free = room ? 0 : CF_BUS_QUEUE_NONE;
    for (i = 0; i < room; i++)
        rows[i].next = i + 1 < room ? i + 1 : CF_BUS_QUEUE_NONE;
}

/* Moves to larger arrays; the old ones are the caller's to free. */
CF_INLINE void cf_bus_queue_grow(cf_bus_queue *q, cf_bus_request *rows, uint32_t *heap, uint32_t room)
{
    uint32_t i;
    if (q->room) {
        memcpy(rows, q->rows, q->room * sizeof *rows);
        memcpy(heap, q->heap, q->ready * sizeof *heap);
    }
    for (i = room; i-- > q->room;) {
        rows[i].next = q->free;
        q->free = i;
    }
    q->rows = rows;
    q->heap = heap;
    q->room = room;
}

CF_INLINE int cf_bus_queue_before(const cf_bus_queue *q, uint32_t a, uint32_t b)
{
    const cf_bus_request *x = &q->rows[a], *y = &q->rows[b];
    if (!q->first_come && x->key != y->key)
        return x->key < y->key;
    return x->sequence < y->sequence;
}

/* Puts row `row` among the ready ones. */
CF_INLINE void cf_bus_queue_ready(cf_bus_queue *q, uint32_t row)
{
    uint32_t at = q->ready++;
    while (at > 0 && cf_bus_queue_before(q, row, q->heap[(at - 1) / 2])) {
        q->heap[at] = q->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    q->heap[at] = row;
}

/* Takes the first of the ready ones, of which there is one; cf_bus_queue_ready or cf_bus_queue_drop give it back. */
CF_INLINE uint32_t cf_bus_queue_take(cf_bus_queue *q)
{
    const uint32_t first = q->heap[0], last = q->heap[--q->ready];
    uint32_t at = 0, child;
    while ((child = 2 * at + 1) < q->ready) {
        if (child + 1 < q->ready && cf_bus_queue_before(q, q->heap[child + 1], q->heap[child]))
            child++;
        if (!cf_bus_queue_before(q, q->heap[child], last))
            break;
        q->heap[at] = q->heap[child];
        at = child;
    }
    q->heap[at] = last;
    return first;
}

CF_INLINE void cf_bus_queue_drop(cf_bus_queue *q, uint32_t row)
{
    q->rows[row].next = q->free;
    q->free = row;
    q->used--;
}

/* Moves what is due in `bit` to the ready ones. */
CF_INLINE void cf_bus_queue_due(cf_bus_queue *q, int64_t bit)
{
    while (q->waiting != CF_BUS_QUEUE_NONE && q->rows[q->waiting].bit <= bit) {
        const uint32_t row = q->waiting;
        q->waiting = q->rows[row].next;
        q->rows[row].sequence = q->sequence++;
        cf_bus_queue_ready(q, row);
    }
    q->next_bit = q->waiting == CF_BUS_QUEUE_NONE ? CF_BUS_QUEUE_NEVER : q->rows[q->waiting].bit;
}

/* Adds a frame that cf_frame_check accepts, to be sent from `bit` on. CF_NO_ROOM when all rows are taken. */
CF_INLINE cf_status cf_bus_queue_add(cf_bus_queue *q, const cf_fd_frame *frame, int64_t bit, unsigned options)
{
    const uint32_t row = q->free;
    uint32_t *link = &q->waiting;
    cf_bus_request *r;
    if (row == CF_BUS_QUEUE_NONE)
        return CF_NO_ROOM;
    r = &q->rows[row];
    q->free = r->next;
    q->used++;
    r->frame = *frame;
    r->bit = bit;
    r->sequence = 0;
    r->key = cf_arbitration_key((const cf_frame_head *)frame);
    r->options = options;
    if (q->waiting != CF_BUS_QUEUE_NONE && q->rows[q->last].bit <= bit)
        link = &q->rows[q->last].next;
    while (*link != CF_BUS_QUEUE_NONE && q->rows[*link].bit <= bit)
        link = &q->rows[*link].next;
    r->next = *link;
    if (r->next == CF_BUS_QUEUE_NONE)
        q->last = row;
    *link = row;
    q->next_bit = q->rows[q->waiting].bit;
    return CF_OK;
}

/* The same for `count` frames, for which there is room. */
CF_INLINE void cf_bus_queue_add_many(cf_bus_queue *q, const cf_fd_frame *frames, const int64_t *bits, size_t count,
                                     unsigned options)
{
    size_t i;
    for (i = 0; i < count; i++)
        cf_bus_queue_add(q, &frames[i], bits[i], options);
}

#endif
