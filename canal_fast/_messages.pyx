"""Glue of frame.h, seconds.h and consumer.h: records to python-can's messages and back. Its loops are here because
each turn makes or reads a Python object."""

from cpython.buffer cimport PyBuffer_Release
from cpython.bytearray cimport PyByteArray_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy, memset

from canal_fast._gate cimport borrow_frames
from canal_fast.capi.frame cimport (
    CF_FLAG_BITRATE_SWITCH,
    CF_FLAG_ERROR_FRAME,
    CF_FLAG_ERROR_STATE_INDICATOR,
    CF_FLAG_EXTENDED_ID,
    CF_FLAG_FD,
    CF_FLAG_REMOTE,
    CF_FLAG_STATUS,
    CF_FLAG_TX,
    cf_fd_dlc,
    cf_fd_frame,
    cf_frame_head,
    cf_nanoseconds,
    cf_payload_length,
    cf_seconds,
)
from canal_fast.capi.live cimport cf_channel, cf_consumer_take, cf_consumer_take_at_once

from canal_fast.errors import FrameError


cdef object message_of(const cf_frame_head *head, object message, object label):
    cdef unsigned flags = head.flags
    cdef unsigned length = cf_payload_length(flags, head.dlc)
    cdef bint error = (flags & (CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME)) != 0
    cdef bint remote = not error and (flags & CF_FLAG_REMOTE) != 0
    data = PyByteArray_FromStringAndSize(<const char *>head + sizeof(cf_frame_head), length)
    return message(cf_seconds(head.timestamp_ns), head.arbitration_id, (flags & CF_FLAG_EXTENDED_ID) != 0, remote,
                   error, label, min(head.dlc, 8) if remote else length, data, (flags & CF_FLAG_FD) != 0,
                   (flags & CF_FLAG_TX) == 0, (flags & CF_FLAG_BITRATE_SWITCH) != 0,
                   (flags & CF_FLAG_ERROR_STATE_INDICATOR) != 0)


def messages(frames, message, dict labels):
    """A list of `message`, python-can's class; a channel's label is labels[number], or else the number."""
    cdef Py_buffer view
    cdef Py_ssize_t count = borrow_frames(frames, "frames", False, &view)
    cdef Py_ssize_t i
    cdef const cf_frame_head *head
    made = []
    try:
        for i in range(count):
            head = <const cf_frame_head *>(<const char *>view.buf + i * view.itemsize)
            made.append(message_of(head, message, labels.get(head.channel, head.channel)))
    finally:
        PyBuffer_Release(&view)
    return made


def receive(handle, message, label, int64_t timeout_ns):
    """The next record of a channel as a `message`; None when none came in time (negative: any time), or another
    thread or the filters took it."""
    cdef cf_fd_frame record
    cdef size_t got
    cdef cf_channel *channel = <cf_channel *>PyCapsule_GetPointer(handle.capsule(), "canal_fast.channel")
    PyErr_CheckSignals()
    got = cf_consumer_take_at_once(&channel.consumer, 1, &record, 1)
    if got == 0 and handle.wait(1, timeout_ns):
        with nogil:
            got = cf_consumer_take(&channel.consumer, &record, 1)
    return message_of(<const cf_frame_head *>&record, message, label) if got else None


cdef unsigned flags_of(message) except? 0xFFFF:
    return ((CF_FLAG_EXTENDED_ID if message.is_extended_id else 0) | (CF_FLAG_REMOTE if message.is_remote_frame else 0)
            | (CF_FLAG_ERROR_FRAME if message.is_error_frame else 0) | (CF_FLAG_FD if message.is_fd else 0)
            | (CF_FLAG_BITRATE_SWITCH if message.bitrate_switch else 0)
            | (CF_FLAG_ERROR_STATE_INDICATOR if message.error_state_indicator else 0)
            | (0 if message.is_rx else CF_FLAG_TX))


cdef int fill(cf_frame_head *head, Py_ssize_t room, Py_ssize_t index, message) except -1:
    cdef unsigned flags = flags_of(message)
    cdef const uint8_t[::1] data = message.data
    cdef Py_ssize_t length = message.dlc, carried = len(data), most = room if flags & CF_FLAG_FD else 8
    if not 0 <= length <= most:
        raise FrameError(f"messages[{index}]: dlc = {length}, allowed 0..{most}", index=index)
    if carried != (0 if flags & CF_FLAG_REMOTE else length):
        raise FrameError(f"messages[{index}]: data has {carried} bytes, but dlc is {length}"
                         f"{' and the frame remote' if flags & CF_FLAG_REMOTE else ''}", index=index)
    if not 0 <= message.arbitration_id <= 0x1FFFFFFF:
        raise FrameError(f"messages[{index}]: arbitration_id = {message.arbitration_id:#x}, allowed 0..0x1fffffff",
                         index=index)
    if not cf_nanoseconds(message.timestamp, &head.timestamp_ns):
        raise FrameError(f"messages[{index}]: timestamp = {message.timestamp} s, allowed -9.2e9..9.2e9", index=index)
    head.arbitration_id = message.arbitration_id
    head.flags = flags
    head.dlc = cf_fd_dlc(length) if flags & CF_FLAG_FD else length
    if carried:
        memcpy(<char *>head + sizeof(cf_frame_head), &data[0], carried)
    return 0


def write_frames(list messages, frames, dict numbers):
    """Write messages into `frames`, as many records; numbers[message.channel] is the channel's number, or else 0.

    Checks what does not fit a record, not what no controller could send.
    """
    cdef Py_buffer view
    cdef Py_ssize_t count = borrow_frames(frames, "frames", True, &view)
    cdef Py_ssize_t i
    cdef cf_frame_head *head
    try:
        if count != len(messages):
            raise ValueError("messages and frames differ in length")
        memset(view.buf, 0, view.len)
        for i in range(count):
            head = <cf_frame_head *>(<char *>view.buf + i * view.itemsize)
            fill(head, view.itemsize - sizeof(cf_frame_head), i, messages[i])
            if numbers:
                head.channel = numbers.get(messages[i].channel, 0)
    finally:
        PyBuffer_Release(&view)
