from canal_fast.capi.base cimport cf_code


cdef extern from "canal_fast/canal.h" nogil:
    enum:
        CF_FN_set_filter
        CF_FN_set_mask
        CF_FN_set_baudrate
        CF_CANAL_FUNCTION_COUNT
        CF_CANAL_EXTENSION_COUNT
        CF_CANAL_SUCCESS
        CF_CANAL_BUS_OFF
        CF_CANAL_SENDS_ERRORS

    const char *cf_canal_extension(size_t index)
    const cf_code *cf_canal_code_row(size_t index)
    const cf_code *cf_canal_status_row(size_t index)
    const cf_code *cf_canal_status_message_row(size_t index)
