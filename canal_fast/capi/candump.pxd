from libc.stdint cimport uint8_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.frame cimport cf_fd_frame
from canal_fast.capi.recording cimport cf_log_reader, cf_log_writer


cdef extern from "canal_fast/logs/candump_line.h" nogil:
    enum:
        CF_CANDUMP_NAME_MAX
        CF_CANDUMP_LINE_MAX

    cf_status cf_candump_parse(
        const char *line, size_t length, cf_fd_frame *frame, const char **iface, size_t *iface_length, size_t *column
    )
    size_t cf_candump_format(const void *record, size_t stride, const char *iface, char *out)


cdef extern from "canal_fast/logs/candump.h" nogil:
    cf_status cf_candump_read(
        cf_log_reader *reader, const uint8_t *text, size_t size, int final, void *frames, size_t capacity,
        size_t stride, size_t *consumed, size_t *made
    )
    size_t cf_candump_write(
        cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out, size_t capacity,
        size_t *used
    )
