cdef extern from "canal_fast/cpu.h" nogil:
    ctypedef enum cf_level:
        CF_PORTABLE
        CF_AVX2
        CF_AVX512

    cf_level cf_cpu_level()
