"""Glue of arrow.h and arrow_frames.h: tables of borrowed arrays as Arrow streams, batch by batch.

A column is (name, format, metadata, nullable, length, null_count, buffers, children, dictionary): `buffers` are arrays
or None, `children` columns, `dictionary` a column or None. Consumers release from any thread.
"""

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi.arrow cimport (
    ARROW_FLAG_NULLABLE,
    ArrowArray,
    ArrowArrayStream,
    ArrowSchema,
    cf_arrow_validity,
    cf_frame_columns,
    cf_frames_join,
    cf_frames_split,
)
from canal_fast.capi.frame cimport cf_frame_head
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

cimport cython
import numpy

cdef object U1 = numpy.dtype("u1")
cdef object U2 = numpy.dtype("u2")
cdef object U4 = numpy.dtype("u4")
cdef object I4 = numpy.dtype("i4")
cdef object I8 = numpy.dtype("i8")
cdef Py_ssize_t HEAD_BYTES = sizeof(cf_frame_head)
cdef int FAILED = 5  # EIO


def pack_validity(valid, bitmap):
    """Bytes of 0 or 1 to a bitmap, both u1 arrays; how many are 0."""
    cdef Loan source = lend(valid, U1, "valid", False, 0)
    cdef Loan target = lend(bitmap, U1, "bitmap", True, (source.count + 7) // 8)
    cdef size_t zeros
    with nogil:
        zeros = cf_arrow_validity(<const uint8_t *>source.at, source.count, <uint8_t *>target.at)
    return zeros


cdef void *room(size_t count, size_t size) except NULL:
    cdef void *got = calloc(count if count else 1, size)
    if got == NULL:
        raise MemoryError
    return got


cdef void drop(void *owner) noexcept with gil:
    if owner != NULL:
        Py_DECREF(<object><PyObject *>owner)


ctypedef fused Exported:
    ArrowSchema
    ArrowArray
    ArrowArrayStream


ctypedef fused Nested:
    ArrowSchema
    ArrowArray


cdef void release_one(Exported *one) noexcept nogil:
    if one != NULL:
        if one.release != NULL:
            one.release(one)
        free(one)


cdef void release_inner(Nested *outer) noexcept nogil:
    cdef int i
    for i in range(outer.n_children):
        release_one(outer.children[i])
    free(outer.children)
    release_one(outer.dictionary)
    drop(outer.private_data)


cdef void release_schema(ArrowSchema *schema) noexcept nogil:
    release_inner(schema)
    schema.release = NULL


cdef void release_array(ArrowArray *array) noexcept nogil:
    free(array.buffers)
    release_inner(array)
    array.release = NULL


cdef int fill_schema(tuple column, ArrowSchema *schema) except -1:
    name, form, metadata, nullable, _, _, _, children, dictionary = column
    memset(schema, 0, sizeof(ArrowSchema))
    owner = (name.encode(), form.encode(), metadata)
    Py_INCREF(owner)
    schema.private_data = <void *><PyObject *>owner
    schema.release = release_schema
    try:
        schema.name, schema.format = owner[0], owner[1]
        if metadata is not None:
            schema.metadata = owner[2]
        schema.flags = ARROW_FLAG_NULLABLE if nullable else 0
        schema.children = <ArrowSchema **>room(len(children), sizeof(void *))
        schema.n_children = len(children)
        for i, child in enumerate(children):
            schema.children[<int>i] = <ArrowSchema *>room(1, sizeof(ArrowSchema))
            fill_schema(child, schema.children[<int>i])
        if dictionary is not None:
            schema.dictionary = <ArrowSchema *>room(1, sizeof(ArrowSchema))
            fill_schema(dictionary, schema.dictionary)
    except:
        release_schema(schema)
        raise
    return 0


cdef int fill_array(tuple column, ArrowArray *array) except -1:
    _, _, _, _, length, null_count, buffers, children, dictionary = column
    cdef Loan loan
    memset(array, 0, sizeof(ArrowArray))
    owner = []
    Py_INCREF(owner)
    array.private_data = <void *><PyObject *>owner
    array.release = release_array
    try:
        array.length, array.null_count = length, null_count
        array.buffers = <const void **>room(len(buffers), sizeof(void *))
        array.n_buffers = len(buffers)
        for i, buffer in enumerate(buffers):
            if buffer is not None:
                loan = lend(buffer, buffer.dtype, "buffer", False, 0)
                owner.append(loan)
                array.buffers[<int>i] = loan.at
        array.children = <ArrowArray **>room(len(children), sizeof(void *))
        array.n_children = len(children)
        for i, child in enumerate(children):
            array.children[<int>i] = <ArrowArray *>room(1, sizeof(ArrowArray))
            fill_array(child, array.children[<int>i])
        if dictionary is not None:
            array.dictionary = <ArrowArray *>room(1, sizeof(ArrowArray))
            fill_array(dictionary, array.dictionary)
    except:
        release_array(array)
        raise
    return 0


# A stream's state: a list of the struct column that says its schema, an iterator of struct columns, and the last error.
cdef int fail(list state, error):
    state[2] = (str(error) or type(error).__name__).encode()
    return FAILED


cdef int get_schema(ArrowArrayStream *stream, ArrowSchema *out) noexcept with gil:
    state = <list><PyObject *>stream.private_data
    try:
        fill_schema(state[0], out)
    except BaseException as error:
        return fail(state, error)
    return 0


cdef int get_next(ArrowArrayStream *stream, ArrowArray *out) noexcept with gil:
    state = <list><PyObject *>stream.private_data
    memset(out, 0, sizeof(ArrowArray))
    try:
        batch = next(state[1], None)
        if batch is not None:
            fill_array(batch, out)
    except BaseException as error:
        return fail(state, error)
    return 0


cdef const char *get_last_error(ArrowArrayStream *stream) noexcept with gil:
    error = (<list><PyObject *>stream.private_data)[2]
    if error is None:
        return NULL
    return <const char *><bytes>error


cdef void release_stream(ArrowArrayStream *stream) noexcept nogil:
    drop(stream.private_data)
    stream.private_data = NULL
    stream.release = NULL


cdef void release_capsule(object capsule) noexcept:
    release_one(<ArrowArrayStream *>PyCapsule_GetPointer(capsule, b"arrow_array_stream"))


cdef void release_schema_capsule(object capsule) noexcept:
    release_one(<ArrowSchema *>PyCapsule_GetPointer(capsule, b"arrow_schema"))


cdef void release_array_capsule(object capsule) noexcept:
    release_one(<ArrowArray *>PyCapsule_GetPointer(capsule, b"arrow_array"))


def stream_capsule(tuple table, batches):
    """An `arrow_array_stream` capsule: the schema is that of the struct column `table`, `batches` iterates columns."""
    state = [table, iter(batches), None]
    cdef ArrowArrayStream *stream = <ArrowArrayStream *>room(1, sizeof(ArrowArrayStream))
    Py_INCREF(state)
    stream.private_data = <void *><PyObject *>state
    stream.get_schema = get_schema
    stream.get_next = get_next
    stream.get_last_error = get_last_error
    stream.release = release_stream
    return PyCapsule_New(stream, b"arrow_array_stream", release_capsule)


def schema_capsule(tuple table):
    """An `arrow_schema` capsule of a column."""
    cdef ArrowSchema *schema = <ArrowSchema *>room(1, sizeof(ArrowSchema))
    try:
        fill_schema(table, schema)
    except:
        free(schema)
        raise
    return PyCapsule_New(schema, b"arrow_schema", release_schema_capsule)


def array_capsule(tuple table):
    """An `arrow_array` capsule of a column."""
    cdef ArrowArray *array = <ArrowArray *>room(1, sizeof(ArrowArray))
    try:
        fill_array(table, array)
    except:
        free(array)
        raise
    return PyCapsule_New(array, b"arrow_array", release_array_capsule)


@cython.final
cdef class Columns:
    """The arrays of a cf_frame_columns with at least `rows` rows, lent."""
    cdef cf_frame_columns at
    cdef tuple loans
    cdef Py_ssize_t data_bytes

    def __cinit__(self, tuple arrays, Py_ssize_t rows, bint writable):
        cdef Loan times, ids, flags, channels, dlcs, offsets, data
        times = lend(arrays[0], I8, "timestamp_ns", writable, rows)
        ids = lend(arrays[1], U4, "arbitration_id", writable, rows)
        flags = lend(arrays[2], U2, "flags", writable, rows)
        channels = lend(arrays[3], U1, "channel", writable, rows)
        dlcs = lend(arrays[4], U1, "dlc", writable, rows)
        offsets = lend(arrays[5], I4, "offsets", writable, rows + 1)
        data = lend(arrays[6], U1, "data", writable, 0)
        self.loans = (times, ids, flags, channels, dlcs, offsets, data)
        self.data_bytes = data.count
        self.at.timestamp_ns = <int64_t *>times.at
        self.at.arbitration_id = <uint32_t *>ids.at
        self.at.flags = <uint16_t *>flags.at
        self.at.channel = <uint8_t *>channels.at
        self.at.dlc = <uint8_t *>dlcs.at
        self.at.offsets = <int32_t *>offsets.at
        self.at.data = <uint8_t *>data.at


def split(frames, Py_ssize_t limit, tuple arrays):
    """Frames to new columns; (records done, their highest channel)."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Columns to = Columns(arrays, source.count, True)
    cdef unsigned channel = 0
    cdef size_t done
    if to.data_bytes < source.count * (source.stride - HEAD_BYTES):
        raise ValueError("data is too short")
    with nogil:
        done = cf_frames_split(source.at, source.count, source.stride, limit, to.at, &channel)
    return done, channel


def join(tuple arrays, frames):
    """Columns to frames; how many rows, or the number of the first that is none."""
    cdef Loan target = lend_frames(frames, "frames", True, 0)
    cdef Columns source = Columns(arrays, target.count, False)
    cdef size_t done
    with nogil:
        done = cf_frames_join(source.at, source.data_bytes, target.count, target.at, target.stride)
    return done
