from libc.stdint cimport uint64_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.binary cimport cf_machine
from canal_fast.capi.convention cimport cf_convention


cdef extern from "canal_fast/drivers/library.h" nogil:
    ctypedef struct cf_library:
        void *system_handle
        int cdecl_calls
        int decorated
        uint64_t functions
        char detail[512]

    ctypedef struct cf_function_row:
        const char *name
        unsigned bytes
        int mandatory

    const cf_function_row *cf_function(size_t index)
    cf_status cf_library_inspect(const char *path, const cf_machine **machine)
    cf_status cf_library_load(cf_library *library, const char *path, cf_convention convention)
    void *cf_system_symbol(void *handle, const cf_function_row *row, int *decorated)
