from libc.stdint cimport uint8_t, uint16_t, uint32_t

from canal_fast.capi.base cimport cf_status


cdef extern from "canal_fast/system/devnodes.h" nogil:
    enum:
        CF_DEVNODE_TEXT

    ctypedef struct cf_devnode:
        uint32_t problem
        uint16_t *service
        uint16_t *description
        uint16_t *location

    cf_status cf_devnode_list(const uint8_t *guid, const uint16_t *enumerator, uint16_t **list, size_t *length,
                              unsigned long *code)
    cf_status cf_devnode_read(const uint16_t *identifier, cf_devnode *result, unsigned long *code)
