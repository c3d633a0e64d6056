from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from canal_fast.capi.base cimport cf_code, cf_status
from canal_fast.capi.frame cimport cf_fd_frame, cf_field, cf_filter


cdef extern from "canal_fast/simulation/confinement.h" nogil:
    ctypedef struct cf_error_counters:
        uint16_t tec
        uint16_t rec

    cf_error_counters cf_counters_make(unsigned tec, unsigned rec)

cdef extern from "canal_fast/simulation/event.h" nogil:
    ctypedef struct cf_bus_place_row:
        const char *name
        unsigned bits

    ctypedef struct cf_bus_event:
        int64_t timestamp_ns
        int64_t bit
        uint32_t arbitration_id
        uint16_t field_bit
        uint16_t tec
        uint16_t rec
        uint8_t node
        uint8_t event
        uint8_t field
        uint8_t state
        uint8_t transmitter
        uint8_t driven

    ctypedef struct cf_sink:
        cf_bus_event *events
        size_t event_count
        size_t event_room
        cf_fd_frame *frames
        size_t frame_count
        size_t frame_room
        uint64_t lost
        int64_t bit

    const cf_bus_place_row *cf_bus_place_of(unsigned number)
    const cf_code *cf_bus_event_row(size_t index)
    const cf_code *cf_node_state_row(size_t index)
    const cf_field *cf_bus_event_field(size_t index)

cdef extern from "canal_fast/simulation/queue.h" nogil:
    ctypedef struct cf_bus_request:
        pass

    ctypedef struct cf_bus_queue:
        cf_bus_request *rows
        uint32_t *heap
        uint32_t room
        uint32_t used
        int64_t next_bit

    enum:
        CF_REQUEST_ONE_SHOT
        CF_REQUEST_SELF_RECEPTION

    void cf_bus_queue_init(cf_bus_queue *q, cf_bus_request *rows, uint32_t *heap, uint32_t room, unsigned first_come)
    void cf_bus_queue_grow(cf_bus_queue *q, cf_bus_request *rows, uint32_t *heap, uint32_t room)
    void cf_bus_queue_add_many(cf_bus_queue *q, const cf_fd_frame *frames, const int64_t *bits, size_t count,
                               unsigned options)
    cf_status cf_bus_queue_add(cf_bus_queue *q, const cf_fd_frame *frame, int64_t bit, unsigned options)

cdef extern from "canal_fast/simulation/node.h" nogil:
    ctypedef struct cf_node_options:
        uint8_t mode
        uint8_t fd
        uint8_t fd_ack_bits
        uint8_t protocol_exception
        uint8_t on_request
        uint8_t integrate

    ctypedef struct cf_node:
        uint8_t field
        uint8_t fast
        cf_error_counters counters
        cf_bus_queue queue
        cf_node_options options
        uint32_t request
        const cf_filter *filters
        size_t filter_count
        uint64_t sent
        uint64_t received

    void cf_node_init(cf_node *n, unsigned id, cf_node_options options, cf_error_counters counters)
    void cf_node_recover(cf_node *n)
    unsigned cf_node_is_off(const cf_node *n)
    int cf_node_state_of(const cf_node *n)

cdef extern from "canal_fast/simulation/fault.h" nogil:
    ctypedef struct cf_fault:
        int64_t at
        int64_t after_fs
        int64_t lasts_fs
        int64_t step_fs
        uint32_t times
        uint32_t fired
        uint8_t when

    enum:
        CF_WHEN_BIT
        CF_WHEN_TIME

cdef extern from "canal_fast/simulation/fault_text.h" nogil:
    ctypedef struct cf_fault_names:
        const char *const *names
        unsigned count

    ctypedef struct cf_fault_error:
        const char *reason
        size_t column

    int cf_fault_parse(const char *text, size_t size, cf_fault_names names, cf_fault *f, cf_fault_error *error)

cdef extern from "canal_fast/simulation/bus.h" nogil:
    enum:
        CF_BUS_NODES_MAX

    ctypedef struct cf_starts:
        int64_t bit
        uint64_t frames

    ctypedef struct cf_bus:
        cf_node *nodes
        unsigned count
        int64_t bit
        int64_t data_bits
        cf_starts starts
        cf_fault *faults
        size_t fault_count
        unsigned whole_frames
        cf_sink *sink
        uint8_t *bits
        uint64_t *driven
        uint8_t *places
        int64_t bits_from
        int64_t bits_room

    void cf_bus_init(cf_bus *b, cf_node *nodes, unsigned count, uint32_t bitrate, uint32_t data_bitrate)
    void cf_bus_connect(cf_bus *b)
    void cf_bus_watch(cf_bus *b)
    int64_t cf_bus_ns(const cf_bus *b, int64_t bit, int64_t data_bits)

cdef extern from "canal_fast/simulation/bus_run.h" nogil:
    ctypedef enum cf_bus_end:
        CF_BUS_DONE
        CF_BUS_NEEDS_ROOM
        CF_BUS_NEEDS_EDGES

    cf_bus_end cf_bus_run(cf_bus *b, int64_t until)

cdef extern from "canal_fast/simulation/edge_clock.h" nogil:
    ctypedef struct cf_edge_segments:
        int64_t quantum
        uint32_t tseg1
        uint32_t tseg2
        uint32_t sjw

    ctypedef struct cf_edge_timing:
        cf_edge_segments nominal
        cf_edge_segments data
        int64_t clock
        int32_t tdc_offset
        uint8_t triple

    ctypedef struct cf_edge_clock:
        int32_t measured

    void cf_edge_clock_init(cf_edge_clock *c, cf_edge_timing timing, int64_t now, unsigned fast, unsigned level)

cdef extern from "canal_fast/simulation/edge_bus.h" nogil:
    ctypedef struct cf_edge:
        int64_t time_fs

    ctypedef struct cf_edge_plan:
        pass

    ctypedef struct cf_edge_bus:
        int64_t now
        int64_t bit_fs
        cf_edge_plan *plans
        cf_edge *tape
        size_t tape_count
        size_t tape_room
        uint8_t *bits
        size_t bit_count
        size_t bit_room
        unsigned bits_node
        uint64_t lost
        cf_edge_clock clocks[64]
        int64_t delays[64][64]

    const cf_field *cf_edge_field(size_t index)

cdef extern from "canal_fast/simulation/edge_fault.h" nogil:
    void cf_edge_plan_faults(cf_edge_bus *e, size_t begin)

cdef extern from "canal_fast/simulation/edge_run.h" nogil:
    void cf_edge_begin(cf_edge_bus *e, cf_bus *bus, int64_t bit_fs, int64_t now)
    unsigned cf_edge_last_level(const cf_bus *b)
    void cf_edge_connect(cf_edge_bus *e)
    cf_bus_end cf_edge_run(cf_edge_bus *e, int64_t until)
