from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t

from canal_fast.capi.base cimport cf_status


cdef extern from "canal_fast/system/binary.h" nogil:
    ctypedef struct cf_machine:
        char format
        uint8_t bits
        uint16_t number
        const char *name

    cf_status cf_binary_check(const uint8_t *bytes, size_t size, uint64_t file_size, const cf_machine **found)

cdef extern from "canal_fast/system/convention.h" nogil:
    ctypedef enum cf_convention:
        CF_STDCALL
        CF_CDECL
        CF_CONVENTION_AUTO

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

cdef extern from "canal_fast/system/loader.h" nogil:
    ctypedef struct cf_function_row:
        const char *name
        unsigned bytes
        int mandatory

    void *cf_system_symbol(void *handle, const cf_function_row *row, int *decorated)
