from libc.stdint cimport uint8_t, uint32_t

from canal_fast.capi.frame cimport cf_frame


cdef extern from "canal_fast/drivers/message.h" nogil:
    enum:
        CF_SLOT_BYTES
        CF_POISON

    ctypedef enum cf_message_kind:
        CF_MESSAGE_FRAME
        CF_MESSAGE_UNTOUCHED
        CF_MESSAGE_MALFORMED

    ctypedef struct cf_layout:
        uint8_t size
        uint8_t word
        uint8_t flags
        uint8_t obid
        uint8_t id
        uint8_t length
        uint8_t data
        uint8_t timestamp

    const cf_layout *cf_layout_row(size_t index)
    const cf_layout *cf_layout_of_size(size_t size)
    const cf_layout *cf_layout_native()
    const cf_layout *cf_layout_probe(const uint8_t *slot, const cf_layout *fallback)
    cf_message_kind cf_message_decode(const uint8_t *slot, const cf_layout *layout, unsigned channel, cf_frame *frame,
                                      uint32_t *ticks)
