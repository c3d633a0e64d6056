from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint64_t, uint8_t

from canal_fast.capi.base cimport cf_code, cf_status
from canal_fast.capi.frame cimport cf_fd_frame, cf_filter
from canal_fast.capi.live cimport cf_port


cdef extern from "canal_fast/logger/lateness.h" nogil:
    enum:
        CF_LATENESS_CLASSES

    ctypedef struct cf_lateness:
        uint64_t classes[17]
        uint64_t frames
        int64_t sum_ns
        int64_t max_ns

    int64_t cf_lateness_edge_ns(size_t index)

cdef extern from "canal_fast/logger/schedule.h" nogil:
    ctypedef struct cf_schedule:
        double speed
        int64_t gap_max_ns
        int64_t elapsed_ns
        uint64_t gaps
        uint64_t steps

    int64_t cf_schedule_next(cf_schedule *schedule, int64_t time_ns)
    void cf_schedule_again(cf_schedule *schedule)

cdef extern from "canal_fast/logger/selection.h" nogil:
    enum:
        CF_PLAY_LANES
        CF_PLAY_NO_LANE
        CF_LANE_NO_FD
        CF_LANE_NO_REMOTE
        CF_LANE_NO_EMPTY
        CF_PLAY_KIND_COUNT

    ctypedef struct cf_play_selection:
        uint8_t lane[256]
        uint8_t refuses[256]
        const cf_filter *filters
        size_t filter_count
        int64_t first_ns
        int64_t end_ns
        int64_t shift_ns
        int without_tx
        uint64_t counts[11]
        uint64_t frames[256]
        int64_t earliest_ns
        int64_t latest_ns
        uint64_t read
        uint64_t first_refused

    const cf_code *cf_play_kind_row(size_t index)
    size_t cf_play_select(cf_play_selection *selection, void *records, size_t count, size_t stride)

cdef extern from "canal_fast/logger/play.h" nogil:
    ctypedef struct cf_play_lane:
        cf_port *port

    ctypedef struct cf_play:
        cf_schedule schedule
        int timed
        int stop
        int begun
        int64_t begin_ns
        int64_t end_ns
        cf_play_lane lanes[1]

    cf_play *cf_play_new(size_t count)
    cf_status cf_play_start(cf_play *play)
    size_t cf_play_push(cf_play *play, const cf_fd_frame *frames, size_t count, int64_t timeout_ns)
    void cf_play_again(cf_play *play)
    void cf_play_end(cf_play *play)
    int cf_play_finish(cf_play *play, int64_t timeout_ns)
    void cf_play_halt(cf_play *play)
    void cf_play_stop(cf_play *play)
    void cf_play_books(cf_play *play, size_t index, cf_lateness *lateness, uint64_t *sent, cf_status *status,
                       long *code)
    void cf_play_free(cf_play *play)
