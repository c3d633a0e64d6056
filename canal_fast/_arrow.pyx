"""Glue of arrow.h: a table of borrowed arrays as an Arrow stream of one batch.

A column is (name, format, metadata, nullable, length, null_count, buffers, children, dictionary): `buffers` are arrays
or None, `children` columns, `dictionary` a column or None. Consumers release from any thread.
"""

from canal_fast._gate cimport Loan, lend
from canal_fast.capi.arrow cimport ARROW_FLAG_NULLABLE, ArrowArray, ArrowArrayStream, ArrowSchema, cf_arrow_validity
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

import numpy

cdef object U1 = numpy.dtype("u1")
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


cdef void release_schema(ArrowSchema *schema) noexcept nogil:
    cdef int i
    for i in range(schema.n_children):
        if schema.children[i] != NULL:
            if schema.children[i].release != NULL:
                schema.children[i].release(schema.children[i])
            free(schema.children[i])
    free(schema.children)
    if schema.dictionary != NULL:
        if schema.dictionary.release != NULL:
            schema.dictionary.release(schema.dictionary)
        free(schema.dictionary)
    drop(schema.private_data)
    schema.release = NULL


cdef void release_array(ArrowArray *array) noexcept nogil:
    cdef int i
    for i in range(array.n_children):
        if array.children[i] != NULL:
            if array.children[i].release != NULL:
                array.children[i].release(array.children[i])
            free(array.children[i])
    free(array.children)
    free(array.buffers)
    if array.dictionary != NULL:
        if array.dictionary.release != NULL:
            array.dictionary.release(array.dictionary)
        free(array.dictionary)
    drop(array.private_data)
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


cdef int get_schema(ArrowArrayStream *stream, ArrowSchema *out) noexcept with gil:
    try:
        fill_schema((<list><PyObject *>stream.private_data)[0], out)
    except BaseException:
        return FAILED
    return 0


cdef int get_next(ArrowArrayStream *stream, ArrowArray *out) noexcept with gil:
    state = <list><PyObject *>stream.private_data
    memset(out, 0, sizeof(ArrowArray))
    if state[1]:
        return 0
    try:
        fill_array(state[0], out)
    except BaseException:
        return FAILED
    state[1] = True
    return 0


cdef const char *get_last_error(ArrowArrayStream *stream) noexcept nogil:
    return NULL


cdef void release_stream(ArrowArrayStream *stream) noexcept nogil:
    drop(stream.private_data)
    stream.private_data = NULL
    stream.release = NULL


cdef void release_capsule(object capsule) noexcept:
    cdef ArrowArrayStream *stream = <ArrowArrayStream *>PyCapsule_GetPointer(capsule, b"arrow_array_stream")
    if stream.release != NULL:
        stream.release(stream)
    free(stream)


def stream_capsule(tuple table):
    """An `arrow_array_stream` capsule that gives the struct column `table` once."""
    cdef ArrowArrayStream *stream = <ArrowArrayStream *>room(1, sizeof(ArrowArrayStream))
    state = [table, False]
    Py_INCREF(state)
    stream.private_data = <void *><PyObject *>state
    stream.get_schema = get_schema
    stream.get_next = get_next
    stream.get_last_error = get_last_error
    stream.release = release_stream
    return PyCapsule_New(stream, b"arrow_array_stream", release_capsule)
