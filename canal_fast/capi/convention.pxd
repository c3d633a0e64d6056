cdef extern from "canal_fast/system/convention.h" nogil:
    ctypedef enum cf_convention:
        CF_STDCALL
        CF_CDECL
        CF_CONVENTION_AUTO
