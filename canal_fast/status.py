"""What the C functions return, by name."""

from __future__ import annotations

import enum

from canal_fast._gate import SENTENCES

__all__ = ["Status"]


class Status(enum.IntEnum):
    """Rows of base.h's status list, in which each has a sentence, too."""

    OK = 0
    ID_RANGE = 1
    DLC_RANGE = 2
    REMOTE_FD = 3
    FD_IN_CLASSICAL = 4
    FD_FLAG_MISSING = 5
    NOT_A_FRAME = 6
    FLAGS_UNKNOWN = 7
    NO_MEMORY = 20
    FILE_MISSING = 21
    NOT_A_LIBRARY = 22
    WRONG_ARCHITECTURE = 23
    LOAD_FAILED = 24
    SYMBOL_MISSING = 25
    OPEN_FAILED = 26
    CLOSED = 27
    TIMED_OUT = 28
    DRIVER_FAILED = 29
    NOT_SUPPORTED = 30
    THREAD_FAILED = 31
    LAYOUT_UNKNOWN = 32
    TRUNCATED = 33
    DISCONNECTED = 34
    TOO_MANY_FILTERS = 35
    OTHER_CONVENTION = 38
    HOST_FAILED = 40
    HOST_VERSION = 41
    HOST_ENDED = 42
    HOST_SILENT = 43
    DRIVER_HANGS = 44
    INTERRUPTED = 45
    LOG_BLANK = 50
    LOG_TIME = 51
    LOG_INTERFACE = 52
    LOG_IDENTIFIER = 53
    LOG_DATA = 54
    LOG_TRAILING = 55
    LOG_CHANNELS = 56
    PCAPNG_MAGIC = 60
    PCAPNG_VERSION = 61
    PCAPNG_LENGTH = 62
    PCAPNG_TRAILER = 63
    PCAPNG_SHORT = 64
    PCAPNG_OPTION = 65
    PCAPNG_NO_INTERFACE = 66
    NO_ROOM = 70
    OTHER_CRC = 71
    OFFSET_ORDER = 72
    OFFSET_RANGE = 73
    STREAM_END = 74
    TIMING_NONE = 90
    TIMING_LIMITS = 91
    TIMING_RATE = 92
    TIMING_SAMPLE_POINT = 93
    TIMING_CONSTRAINT = 94
    TIMING_KERNEL_REFUSES = 95
    SIGNALS_PLAN = 120
    SIGNALS_RANGE = 121
    LOG_START = 150
    LOG_PACKED = 151
    LOG_CUT = 152
    LOG_LONG = 153
    BLF_MAGIC = 154
    BLF_HEADER = 155
    BLF_METHOD = 156
    PCAP_MAGIC = 157
    PCAP_VERSION = 158
    PCAP_RECORD = 159
    LOG_START_HERE = 170
    TEXT_TIME = 171
    TEXT_IDENTIFIER = 172
    TEXT_LENGTH = 173
    TEXT_DATA = 174
    TEXT_FIELD = 175
    TEXT_BINARY = 176
    TRC_VERSION = 177
    TRC_COLUMNS = 178
    TRC_NUMBER = 179
    TRC_TYPE = 180
    CSV_HEADER = 181

    @property
    def sentence(self) -> str:
        return SENTENCES[self.value]
