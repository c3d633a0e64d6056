"""Glue of profile.h, message.h, binary.h: what is known of drivers before one is loaded."""

from libc.stdint cimport uint32_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.canal cimport CF_CANAL_FUNCTION_COUNT
from canal_fast.capi.drivers cimport (
    CF_ASK_STATUS,
    CF_CONFIG_FILE,
    CF_CONFIG_INTERFACE,
    CF_CONFIG_PORT,
    CF_MESSAGE_MALFORMED,
    CF_MESSAGE_UNTOUCHED,
    CF_NO_EMPTY,
    CF_NO_REMOTE,
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
    cf_library_inspect,
    cf_message_decode,
    cf_profile,
    cf_profile_row,
)
from canal_fast.capi.frame cimport cf_frame
from canal_fast.capi.system cimport cf_machine

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
        "asks_status": bool(row.trust & CF_ASK_STATUS),
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
