"""Glue of profile.h, message.h, binary.h, library.h: what is known of drivers, and loading one to look at it."""

from libc.stdint cimport uint32_t, uint64_t

from canal_fast.capi.base cimport CF_OK, cf_status
from canal_fast.capi.canal cimport (
    CF_CANAL_EXTENSION_COUNT, CF_CANAL_FUNCTION_COUNT, CF_CANAL_SENDS_ERRORS, cf_canal_extension,
)
from canal_fast.capi.drivers cimport (
    CF_STATUS_TELLS,
    CF_CONFIG_FILE,
    CF_CONFIG_INTERFACE,
    CF_CONFIG_PORT,
    CF_MESSAGE_MALFORMED,
    CF_MESSAGE_UNTOUCHED,
    CF_NO_EMPTY,
    CF_NO_REMOTE,
    CF_TELLS_SENDS_ERRORS,
    CF_POISON,
    CF_SEND_ONLY,
    CF_SLOT_BYTES,
    CF_SLOW_OPEN,
    CF_TABLE_RATES,
    CF_TRUST_COUNTERS,
    CF_TRUST_STATISTICS,
    CF_TRUST_STOPPED,
    CF_VENDOR_UNSAFE,
    cf_function,
    cf_layout,
    cf_layout_native,
    cf_layout_of_size,
    cf_layout_probe,
    cf_layout_row,
    cf_library,
    cf_library_inspect,
    cf_library_load,
    cf_message_decode,
    cf_profile,
    cf_profile_choose,
    cf_profile_row,
)
from canal_fast.capi.frame cimport cf_frame
from canal_fast.capi.system cimport cf_convention, cf_machine, cf_system_symbol

SLOT_BYTES = CF_SLOT_BYTES
POISON = CF_POISON

cdef cf_layout nothing  # marks "no layout"


def layout_sizes():
    """Sizes of the known message layouts; a layout is named by its size."""
    sizes = []
    while cf_layout_row(len(sizes)) != NULL:
        sizes.append(cf_layout_row(len(sizes)).size)
    return sizes


def native_layout():
    """Size and word size of the layout that this platform's CANAL headers give."""
    return cf_layout_native().size, cf_layout_native().word


cdef dict profile_row(const cf_profile *row):
    return {
        "name": row.name.decode(), "title": row.title.decode(), "verified": row.verified.decode(),
        "tick_num": row.tick_num, "tick_den": row.tick_den, "wrap_bits": row.wrap_bits,
        "queue_depth": row.queue_depth or None,
        "statistics": bool(row.trust & CF_TRUST_STATISTICS),
        "stopped": bool(row.trust & CF_TRUST_STOPPED),
        "counters": bool(row.trust & CF_TRUST_COUNTERS),
        "vendor_unsafe": bool(row.trust & CF_VENDOR_UNSAFE),
        "asks_status": bool(row.trust & CF_STATUS_TELLS),
        "sends_errors": CF_CANAL_SENDS_ERRORS if row.trust & CF_TELLS_SENDS_ERRORS else 0,
        "no_remote": bool(row.trust & CF_NO_REMOTE),
        "no_empty": bool(row.trust & CF_NO_EMPTY),
        "table_rates": bool(row.trust & CF_TABLE_RATES),
        "slow_open": bool(row.trust & CF_SLOW_OPEN),
        "send_only": bool(row.trust & CF_SEND_ONLY),
        "config_port": bool(row.trust & CF_CONFIG_PORT),
        "config_file": bool(row.trust & CF_CONFIG_FILE),
        "config_interface": bool(row.trust & CF_CONFIG_INTERFACE),
        "blocking_flag": row.blocking_flag,
        "empty": [code for code in range(64) if row.empty >> code & 1],
        "vendor": "" if row.vendor == NULL else row.vendor.decode(),
        "config": "" if row.config == NULL else row.config.decode(),
        "no_handle": "" if row.no_handle == NULL else row.no_handle.decode(),
    }


def profiles():
    """All driver profiles, as dicts."""
    rows = []
    while cf_profile_row(len(rows)) != NULL:
        rows.append(profile_row(cf_profile_row(len(rows))))
    return rows


def machine(bytes path):
    """(status, name of the machine or None) of a library file, from its first bytes."""
    cdef const char *text = path
    cdef const cf_machine *found = NULL
    cdef cf_status status
    with nogil:
        status = cf_library_inspect(text, &found)
    return int(status), None if found == NULL else found.name.decode()


def function_table():
    """Rows (name, mandatory) of all CANAL functions."""
    return [(cf_function(i).name.decode(), bool(cf_function(i).mandatory)) for i in range(CF_CANAL_FUNCTION_COUNT)]


def exported(uint64_t functions):
    """Names of the CANAL functions in cf_library's `functions`."""
    return [cf_function(i).name.decode() for i in range(CF_CANAL_FUNCTION_COUNT) if functions >> i & 1]


def extensions(uint64_t functions):
    """Names of the functions beyond CANAL in it, as far as they are known."""
    return [cf_canal_extension(i).decode() for i in range(CF_CANAL_EXTENSION_COUNT) if functions >> (32 + i) & 1]


def choose(str name, uint64_t functions):
    """Name of the profile for a file of this name with these functions."""
    cdef bytes lower = name.lower().encode()
    return cf_profile_choose(lower, functions).name.decode()


cdef class Library:
    """A loaded driver library; never unloaded."""

    cdef cf_library library

    @staticmethod
    def load(bytes path, int convention):
        """(status, detail, library); the library is None unless status is 0. `convention`: see convention.h."""
        cdef Library self = Library()
        cdef const char *text = path
        cdef cf_status status
        with nogil:
            status = cf_library_load(&self.library, text, <cf_convention>convention)
        return int(status), self.library.detail.decode("utf-8", "replace"), self if status == CF_OK else None

    @property
    def functions(self):
        return self.library.functions

    @property
    def convention(self):
        """Number of the convention, which matters on 32-bit Windows only."""
        return int(self.library.cdecl_calls != 0)

    def address(self, size_t index):
        """Where function `index` of the table is, or 0."""
        cdef int decorated
        return <size_t>cf_system_symbol(self.library.system_handle, cf_function(index), &decorated)


def decode_slot(bytes slot, size_t layout):
    """The message in a slot of SLOT_BYTES that held POISON everywhere before the driver was given it.

    None: nothing was written. Otherwise (size of the layout, frame, ticks); `layout` 0 finds it out, 0 comes
    back when it is none of the known ones. The frame is (arbitration_id, flags, dlc, data), or None when
    there is no such frame.
    """
    cdef const cf_layout *none = <const cf_layout *>&nothing
    cdef const cf_layout *found = cf_layout_of_size(layout)
    cdef cf_frame frame
    cdef uint32_t ticks = 0
    if len(slot) != CF_SLOT_BYTES:
        raise ValueError(f"a slot has {CF_SLOT_BYTES} bytes, not {len(slot)}")
    if found == NULL:
        found = cf_layout_probe(slot, none)
    if found == NULL:
        return 0, None, 0
    if found == none:
        return None
    kind = cf_message_decode(slot, found, 0, &frame, &ticks)
    if kind == CF_MESSAGE_UNTOUCHED:
        return None
    if kind == CF_MESSAGE_MALFORMED:
        return found.size, None, ticks
    return found.size, (frame.arbitration_id, frame.flags, frame.dlc, (<char *>frame.data)[:8]), ticks
