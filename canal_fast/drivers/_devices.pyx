"""Glue of devnodes.h: what Windows' device manager knows."""

from libc.stdint cimport uint8_t, uint16_t
from libc.stdlib cimport free

from canal_fast.capi.base cimport CF_NOT_SUPPORTED, CF_NO_MEMORY, CF_OK, cf_status
from canal_fast.capi.system cimport CF_DEVNODE_TEXT, cf_devnode, cf_devnode_list, cf_devnode_read


cdef object failure(cf_status status, unsigned long code, str operation):
    if status == CF_NO_MEMORY:
        return MemoryError()
    if status == CF_NOT_SUPPORTED:
        return NotImplementedError(f"{operation} is a function of Windows")
    return OSError(f"{operation} failed: code {code} of the configuration manager")


cdef list strings(const uint8_t *guid, bytes enumerator, str operation):
    cdef const uint16_t *name = <const uint16_t *><const char *>enumerator
    cdef uint16_t *found
    cdef size_t length
    cdef unsigned long code
    cdef cf_status status
    with nogil:
        status = cf_devnode_list(guid, name, &found, &length, &code)
    text = (<char *>found)[:2 * length].decode("utf-16-le") if status == CF_OK else ""
    free(found)
    if status != CF_OK:
        raise failure(status, code, operation)
    return [one for one in text.split("\0") if one]


def interfaces(bytes guid):
    """Paths of the present interfaces of a class, given as the 16 bytes of uuid.UUID.bytes_le."""
    if len(guid) != 16:
        raise ValueError(f"guid has {len(guid)} bytes, allowed 16")
    return strings(guid, b"\0\0", "CM_Get_Device_Interface_List")


def identifiers(str enumerator):
    """Instance identifiers of the present devices below an enumerator, e.g. "USB\\\\VID_0483&PID_1234"."""
    return strings(NULL, (enumerator + "\0").encode("utf-16-le"), "CM_Get_Device_ID_List")


cdef str text_of(const uint16_t *text):
    return (<const char *>text)[:2 * CF_DEVNODE_TEXT].decode("utf-16-le", "replace").partition("\0")[0]


def read(str identifier):
    """(problem code, service, description, location) of the device with this instance identifier."""
    cdef bytes encoded = (identifier + "\0").encode("utf-16-le")
    cdef const uint16_t *name = <const uint16_t *><const char *>encoded
    cdef cf_devnode node
    cdef unsigned long code
    cdef cf_status status
    with nogil:
        status = cf_devnode_read(name, &node, &code)
    if status != CF_OK:
        raise failure(status, code, "CM_Locate_DevNode")
    return node.problem, text_of(node.service), text_of(node.description), text_of(node.location)
