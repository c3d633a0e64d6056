"""Cython declarations of the C headers, one file each: `from canal_fast.capi.frame cimport cf_frame`."""
