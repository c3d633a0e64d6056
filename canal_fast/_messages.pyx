"""Glue of frame.h and seconds.h: records to python-can's messages and back. Its loops are here because
each turn makes or reads a Python object."""

from cpython.bytearray cimport PyByteArray_FromStringAndSize
from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from canal_fast._gate cimport Loan, lend_frames
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


# message_of for the glue of other wings, which asks for one message at a time: (const cf_frame_head *, class, label).
converter = PyCapsule_New(<void *>message_of, "canal_fast.converter", NULL)


def messages(frames, message, dict labels):
    """A list of `message`, python-can's class; a channel's label is labels[number], or else the number."""
    cdef Loan loan = lend_frames(frames, "frames", False)
    cdef Py_ssize_t i
    cdef const cf_frame_head *head
    made = []
    for i in range(loan.count):
        head = <const cf_frame_head *>(<const char *>loan.at + i * loan.stride)
        made.append(message_of(head, message, labels.get(head.channel, head.channel)))
    return made


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
    cdef Loan loan = lend_frames(frames, "frames", True)
    cdef Py_ssize_t i
    cdef cf_frame_head *head
    if loan.count != len(messages):
        raise ValueError("messages and frames differ in length")
    memset(loan.at, 0, loan.count * loan.stride)
    for i in range(loan.count):
        head = <cf_frame_head *>(<char *>loan.at + i * loan.stride)
        fill(head, loan.stride - sizeof(cf_frame_head), i, messages[i])
        if numbers:
            head.channel = numbers.get(messages[i].channel, 0)
