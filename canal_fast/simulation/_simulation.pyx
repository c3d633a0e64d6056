"""Glue of the simulation headers."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc

from canal_fast._gate cimport Loan, codes, dtype_of, lend
from canal_fast.capi.base cimport CF_OK, cf_status
from canal_fast.capi.frame cimport cf_fd_frame, cf_filter, cf_frames_check
from canal_fast.capi.simulation cimport (
    CF_BUS_NODES_MAX,
    CF_WHEN_BIT,
    CF_WHEN_TIME,
    cf_bus,
    cf_bus_connect,
    cf_bus_end,
    cf_bus_init,
    cf_bus_ns,
    cf_bus_request,
    cf_bus_run,
    cf_bus_watch,
    cf_counters_make,
    cf_bus_event,
    cf_bus_event_field,
    cf_bus_event_row,
    cf_edge,
    cf_edge_begin,
    cf_edge_bus,
    cf_edge_clock_init,
    cf_edge_connect,
    cf_edge_field,
    cf_edge_last_level,
    cf_edge_plan,
    cf_edge_plan_faults,
    cf_edge_run,
    cf_edge_timing,
    cf_fault,
    cf_fault_error,
    cf_fault_names,
    cf_fault_parse,
    cf_node,
    cf_node_init,
    cf_node_options,
    cf_node_recover,
    cf_node_state_of,
    cf_node_state_row,
    cf_bus_place_of,
    cf_bus_place_row,
    cf_bus_queue_add_many,
    cf_bus_queue_grow,
    cf_bus_queue_init,
    cf_sink,
)

import numpy

from canal_fast._gate import FD_FRAME_DTYPE

I8 = numpy.dtype("i8")
U1 = numpy.dtype("u1")
U8 = numpy.dtype("u8")


EVENT_DTYPE = dtype_of(cf_bus_event_field, sizeof(cf_bus_event))
EDGE_DTYPE = dtype_of(cf_edge_field, sizeof(cf_edge))
NODES_MAX = CF_BUS_NODES_MAX


def event_table():
    """Rows (number, name, sentence) of the kinds of events."""
    return codes(cf_bus_event_row)


def state_table():
    """Rows (number, name, sentence) of a node's error states."""
    return codes(cf_node_state_row)


def place_table():
    """Rows (name, bits) of the fields that a bit may belong to; 0 bits: as many as it takes."""
    rows = []
    cdef const cf_bus_place_row *at = cf_bus_place_of(0)
    while at != NULL:
        rows.append((at.name.decode(), at.bits))
        at = cf_bus_place_of(<unsigned>len(rows))
    return rows


cdef class Bus:
    """A cf_bus with the memory it needs. Not for two threads at once: the facade holds a lock."""

    cdef cf_bus bus
    cdef cf_sink sink
    cdef cf_node *nodes
    cdef cf_fault *faults
    cdef size_t fault_room
    cdef list filters
    cdef cf_edge_bus *edges
    cdef unsigned clocked

    def __cinit__(self, uint32_t bitrate, uint32_t data_bitrate, bint whole_frames):
        self.nodes = <cf_node *>calloc(CF_BUS_NODES_MAX, sizeof(cf_node))
        if self.nodes == NULL:
            raise MemoryError
        cf_bus_init(&self.bus, self.nodes, 0, bitrate, data_bitrate)
        self.bus.whole_frames = whole_frames
        self.filters = []

    def __dealloc__(self):
        cdef unsigned i
        for i in range(self.bus.count):
            free(self.nodes[i].queue.rows)
            free(self.nodes[i].queue.heap)
        free(self.nodes)
        free(self.faults)
        if self.edges != NULL:
            free(self.edges.plans)
        free(self.edges)

    def add_node(self, int mode, int fd, int fd_ack_bits, bint protocol_exception, bint on_request, bint integrate,
                 bint first_come, unsigned tec, unsigned rec, filters):
        """The node's number. `filters`: u4 array of can_id, can_mask, extended in turn, which must stay as it is."""
        cdef cf_node_options options
        if self.bus.count == CF_BUS_NODES_MAX:
            raise ValueError(f"the bus has {CF_BUS_NODES_MAX} nodes and no room for more")
        cdef cf_node *node = &self.nodes[self.bus.count]
        cdef uint32_t[::1] rows = filters
        options.mode = mode
        options.fd = fd
        options.fd_ack_bits = fd_ack_bits
        options.protocol_exception = protocol_exception
        options.on_request = on_request
        options.integrate = integrate
        cf_node_init(node, self.bus.count, options, cf_counters_make(tec, rec))
        cf_bus_queue_init(&node.queue, NULL, NULL, 0, first_come)
        self.filters.append(filters)
        node.filter_count = rows.shape[0] // 3
        node.filters = <const cf_filter *>&rows[0] if rows.shape[0] else NULL
        self.bus.count += 1
        cf_bus_connect(&self.bus)
        return self.bus.count - 1

    cdef int room(self, cf_node *node, size_t wanted) except -1:
        cdef size_t size = wanted + node.queue.used
        cdef cf_bus_request *rows
        cdef uint32_t *heap
        if size <= node.queue.room:
            return 0
        size = max(size, 2 * <size_t>node.queue.room)
        rows = <cf_bus_request *>malloc(size * sizeof(cf_bus_request))
        heap = <uint32_t *>malloc(size * sizeof(uint32_t))
        if rows == NULL or heap == NULL:
            free(rows)
            free(heap)
            raise MemoryError
        cdef cf_bus_request *old_rows = node.queue.rows
        cdef uint32_t *old_heap = node.queue.heap
        cf_bus_queue_grow(&node.queue, rows, heap, <uint32_t>size)
        free(old_rows)
        free(old_heap)
        return 0

    def send(self, unsigned number, frames, bits, unsigned options):
        """Queues FD records at node `number`, each from its bit in `bits` (i8) on. (status, index of a bad one)."""
        cdef Loan frame = lend(frames, FD_FRAME_DTYPE, "frames", False)
        cdef Loan due = lend(bits, I8, "bits", False)
        cdef size_t index = frame.count
        cdef cf_status status
        if due.count != frame.count:
            raise ValueError(f"{due.count} bits for {frame.count} frames")
        status = cf_frames_check(frame.at, frame.count, sizeof(cf_fd_frame), &index)
        if status == CF_OK:
            self.room(&self.nodes[number], frame.count)
            cf_bus_queue_add_many(&self.nodes[number].queue, <const cf_fd_frame *>frame.at,
                              <const int64_t *>due.at, frame.count, options)
        return int(status), index

    def recover(self, unsigned number):
        cf_node_recover(&self.nodes[number])

    def inject(self, bytes line, list names):
        """Adds the fault of one line. None, False (nothing on the line), or (reason, column) of a bad one."""
        cdef const char *pointers[CF_BUS_NODES_MAX]
        cdef cf_fault_names known
        cdef cf_fault fault
        cdef cf_fault_error error
        cdef cf_fault *more
        cdef size_t i, count = len(names)
        cdef int found
        if count > CF_BUS_NODES_MAX:
            raise ValueError(f"{count} names, allowed 0..{CF_BUS_NODES_MAX}")
        for i in range(count):
            pointers[i] = names[i]
        known.names = pointers
        known.count = <unsigned>count
        found = cf_fault_parse(line, len(line), known, &fault, &error)
        if found < 0:
            return error.reason.decode(), error.column
        if found == 0:
            return False
        if self.bus.fault_count == self.fault_room:
            more = <cf_fault *>realloc(self.faults, (2 * self.fault_room + 8) * sizeof(cf_fault))
            if more == NULL:
                raise MemoryError
            self.fault_room = 2 * self.fault_room + 8
            self.faults = self.bus.faults = more
        self.faults[self.bus.fault_count] = fault
        self.bus.fault_count += 1
        if self.edges != NULL:
            self.plan(self.bus.fault_count - 1)
        return None

    def fault_at(self, Py_ssize_t index):
        """(bit or None, ns or None, how often it began): where fault `index` (-1: the last) is to begin."""
        cdef cf_fault *fault = &self.faults[<Py_ssize_t>self.bus.fault_count + index if index < 0 else index]
        return (fault.at if fault.when == CF_WHEN_BIT else None, fault.at if fault.when == CF_WHEN_TIME else None,
                fault.fired)

    def fault_is_fine(self, Py_ssize_t index):
        """Whether fault `index` (-1: the last) is told in parts of a bit."""
        cdef cf_fault *fault = &self.faults[<Py_ssize_t>self.bus.fault_count + index if index < 0 else index]
        return bool(fault.after_fs or fault.lasts_fs or fault.step_fs)

    def ns(self, int64_t bit):
        """Nanoseconds from the beginning to where `bit`, at or after the present one, begins at the nominal rate."""
        return cf_bus_ns(&self.bus, bit, self.bus.data_bits)

    @property
    def bit(self):
        return self.bus.bit

    @property
    def frames(self):
        return self.bus.starts.frames

    def counters(self, unsigned number):
        """(TEC, REC, state, field, frames sent, received, requests waiting) of a node."""
        cdef cf_node *node = &self.nodes[number]
        return (node.counters.tec, node.counters.rec, cf_node_state_of(node), node.field, node.sent, node.received,
                node.queue.used)

    @property
    def lost(self):
        """Events and records that found no room: more came in one bit than a recorder is emptied for."""
        return self.sink.lost

    def run(self, int64_t until, events, frames, bits, driven, places):
        """Runs to bit `until`, or until an array is full. (cf_bus_end, events written, frames written).

        Arrays of EVENT_DTYPE, FD records, u1, u8 and u1, empty for what is not to be recorded. Bit bus.bit goes to
        element 0; `places` has as many elements for each bit as there are nodes.
        """
        cdef Loan event = lend(events, EVENT_DTYPE, "events", True)
        cdef Loan frame = lend(frames, FD_FRAME_DTYPE, "frames", True)
        cdef Loan level = lend(bits, U1, "bits", True)
        cdef Loan mask = lend(driven, U8, "driven", True)
        cdef Loan place = lend(places, U1, "places", True)
        cdef cf_bus_end end
        if mask.count not in (0, level.count) or place.count not in (0, mask.count * self.bus.count):
            raise ValueError(f"{level.count} bits, {mask.count} driven, {place.count} places: not as many of each")
        self.sink.events = <cf_bus_event *>event.at
        self.sink.event_room = event.count
        self.sink.frames = <cf_fd_frame *>frame.at
        self.sink.frame_room = frame.count
        self.sink.event_count = self.sink.frame_count = 0
        self.bus.bits = <uint8_t *>level.at if level.count else NULL
        self.bus.driven = <uint64_t *>mask.at if mask.count else NULL
        self.bus.places = <uint8_t *>place.at if place.count else NULL
        self.bus.bits_from = self.bus.bit
        self.bus.bits_room = level.count
        self.bus.sink = &self.sink if event.count or frame.count else NULL
        cf_bus_connect(&self.bus)
        cf_bus_watch(&self.bus)
        with nogil:
            end = cf_bus_run(&self.bus, until)
        return int(end), self.sink.event_count, self.sink.frame_count

    cdef int plan(self, size_t begin) except -1:
        cdef cf_edge_plan *plans = <cf_edge_plan *>realloc(self.edges.plans,
                                                           (self.fault_room + 1) * sizeof(cf_edge_plan))
        if plans == NULL:
            raise MemoryError
        self.edges.plans = plans
        cf_edge_plan_faults(self.edges, begin)
        return 0

    def start_edges(self, int64_t bit_fs, int64_t now_fs):
        """From here on each node has its own clock; the bus stands before bit `bit` at the time `now_fs`."""
        self.edges = <cf_edge_bus *>malloc(sizeof(cf_edge_bus))
        if self.edges == NULL:
            raise MemoryError
        cf_edge_begin(self.edges, &self.bus, bit_fs, now_fs)
        self.clocked = 0
        self.plan(0)

    def connect_edges(self, timings, delays, int64_t begin_fs):
        """Timings of all nodes, of which new ones begin their first bit at `begin_fs`; delays from each to each.

        `timings`: i8 (nodes, 11): quantum (fs), tseg1, tseg2, sjw of both rates, clock period (fs), offset of the
        secondary sample point or -1, triple sampling. `delays`: i8 (nodes, nodes), fs.
        """
        cdef int64_t[:, ::1] rows = timings
        cdef int64_t[:, ::1] between = delays
        cdef cf_edge_timing timing
        cdef unsigned i, k, count = self.bus.count, level
        cdef Py_ssize_t nodes = count
        if self.edges == NULL or rows.shape[0] != nodes or rows.shape[1] != 11 or between.shape[0] != nodes \
                or between.shape[1] != nodes:
            raise ValueError(f"timings {timings.shape} and delays {delays.shape} for {count} nodes")
        level = cf_edge_last_level(&self.bus)
        for i in range(self.clocked, count):
            timing.nominal.quantum, timing.nominal.tseg1 = rows[i, 0], rows[i, 1]
            timing.nominal.tseg2, timing.nominal.sjw = rows[i, 2], rows[i, 3]
            timing.data.quantum, timing.data.tseg1 = rows[i, 4], rows[i, 5]
            timing.data.tseg2, timing.data.sjw = rows[i, 6], rows[i, 7]
            timing.clock, timing.tdc_offset, timing.triple = rows[i, 8], rows[i, 9], rows[i, 10]
            cf_edge_clock_init(&self.edges.clocks[i], timing, begin_fs, self.nodes[i].fast, level)
        for i in range(count):
            for k in range(count):
                self.edges.delays[i][k] = between[i, k]
        self.clocked = count
        cf_edge_connect(self.edges)

    @property
    def now_fs(self):
        """Time of the edge gear, or -1."""
        return self.edges.now if self.edges != NULL else -1

    @property
    def lost_edges(self):
        return self.edges.lost if self.edges != NULL else 0

    def tdc_delay(self, unsigned number):
        """The last transmitter delay that a node measured, in clock periods, or -1."""
        return self.edges.clocks[number].measured if self.edges != NULL and number < self.clocked else -1

    def run_edges(self, int64_t until_fs, events, frames, edges, bits, unsigned bits_node):
        """Runs to the time `until_fs`, or until an array is full. (cf_bus_end, events, frames, edges, bits written).

        Arrays of EVENT_DTYPE, FD records, EDGE_DTYPE and u1 (what node `bits_node` samples), empty for what is not to
        be recorded.
        """
        cdef Loan event = lend(events, EVENT_DTYPE, "events", True)
        cdef Loan frame = lend(frames, FD_FRAME_DTYPE, "frames", True)
        cdef Loan edge = lend(edges, EDGE_DTYPE, "edges", True)
        cdef Loan level = lend(bits, U1, "bits", True)
        cdef cf_bus_end end
        if self.edges == NULL or self.clocked != self.bus.count:
            raise ValueError(f"{self.clocked} of {self.bus.count} nodes have clocks")
        self.sink.events = <cf_bus_event *>event.at
        self.sink.event_room = event.count
        self.sink.frames = <cf_fd_frame *>frame.at
        self.sink.frame_room = frame.count
        self.sink.event_count = self.sink.frame_count = 0
        self.bus.sink = &self.sink if event.count or frame.count else NULL
        self.edges.tape = <cf_edge *>edge.at if edge.count else NULL
        self.edges.tape_room = edge.count
        self.edges.bits = <uint8_t *>level.at if level.count else NULL
        self.edges.bit_room = level.count
        self.edges.bits_node = bits_node
        self.edges.tape_count = self.edges.bit_count = 0
        cf_bus_connect(&self.bus)
        with nogil:
            end = cf_edge_run(self.edges, until_fs)
        return (int(end), self.sink.event_count, self.sink.frame_count, self.edges.tape_count,
                self.edges.bit_count)
