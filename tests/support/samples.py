"""What the recordings of tests/data/recordings hold, each value fixed by the script that wrote them."""

from __future__ import annotations

FRAMES = {  # file: (format, records, of them error frames, skipped, start)
    "asc_absolute_hex.asc": ("asc", 12, 4, 4, "2017-09-30 22:06:13.191000"),
    "asc_decimal.asc": ("asc", 2, 0, 0, "2022-04-04 01:02:03"),
    "asc_german_no_trigger.asc": ("asc", 2, 0, 0, "2016-10-05 15:06:13.191000"),
    "asc_no_header.asc": ("asc", 2, 0, 0, None),
    "asc_relative.asc": ("asc", 3, 0, 2, "2017-09-30 15:06:13.191000"),
    "blf_cut_in_container.blf": ("blf", 4, 0, 0, "2024-05-01 12:30:15.250000"),
    "blf_errors_overrun_padding.blf": ("blf", 6, 4, 3, "2024-05-01 12:30:15.250000"),
    "blf_fd.blf": ("blf", 6, 0, 0, "2024-05-01 12:30:15.250000"),
    "blf_negative_time.blf": ("blf", 2, 0, 0, "2024-05-01 12:30:15.250000"),
    "blf_no_start_time.blf": ("blf", 4, 0, 0, None),
    "blf_plain.blf": ("blf", 4, 0, 0, "2024-05-01 12:30:15.250000"),
    "blf_split_mixed_methods.blf": ("blf", 4, 0, 0, "2024-05-01 12:30:15.250000"),
    "blf_split_over_containers.blf": ("blf", 4, 0, 0, "2024-05-01 12:30:15.250000"),
    "blf_without_containers.blf": ("blf", 4, 0, 0, "2024-05-01 12:30:15.250000"),
    "gvret_v2.csv": ("csv-gvret", 2, 0, 0, None),
    "pcap_cooked_any.pcap": ("pcap", 5, 1, 0, None),
    "pcap_ns_be.pcap": ("pcap", 5, 1, 0, None),
    "pcap_ns_le.pcap": ("pcap", 5, 1, 0, None),
    "pcap_us_be.pcap": ("pcap", 5, 1, 0, None),
    "pcap_us_le.pcap": ("pcap", 5, 1, 0, None),
    "python_can.csv": ("csv", 4, 1, 0, None),
    "trc_1_0.trc": ("trc", 3, 1, 1, "2021-12-18 14:28:07.062000"),
    "trc_1_1.trc": ("trc", 3, 1, 1, "2021-12-18 14:28:07.062000"),
    "trc_1_2.trc": ("trc", 2, 0, 0, "2021-12-18 14:28:07.062000"),
    "trc_1_3.trc": ("trc", 2, 0, 1, "2021-12-18 14:28:07.062000"),
    "trc_2_0.trc": ("trc", 3, 0, 1, "2021-12-18 14:28:07.062000"),
    "trc_2_1.trc": ("trc", 7, 1, 2, "2021-12-18 14:28:07.062000"),
    "GVRET_Log.csv.gz": ("csv-gvret", 12_974, 0, 0, None),
    "17BD1DB7_00000170.MF4": ("mf4", 2010, 0, 0, "2020-12-14 19:58:34+00:00"),
    "FCBF0606_00000001.MF4": ("mf4", 1815, 0, 0, "2021-06-01 11:43:49+00:00"),
}
PIECES = {  # file: records of (offset from the start in ns, identifier, flags, channel, dlc, data)
    "blf_plain.blf": [
        (0, 0x100, 0, 0, 8, "0102030405060708"),
        (1_000_000, 0x101, 0x41, 1, 8, "0102030405060708"),
        (2_000_000, 0x102, 2, 0, 4, ""),
        (2_500_000, 0x7FF, 0, 0, 13, "0102030405060708"),
    ],
    "blf_negative_time.blf": [
        (-60_000_000_000, 0x100, 0, 0, 8, "0102030405060708"),
        (5, 0x101, 0, 0, 8, "0102030405060708"),
    ],
    "blf_fd.blf": [
        (10, 0x1ABCDE, 0x79, 0, 9, bytes(range(12)).hex()),
        (20, 0x123, 0x58, 2, 15, bytes(range(64)).hex()),
        (30, 0x123, 0x08, 2, 9, bytes(range(9)).hex() + "000000"),
        (40, 0x123, 0, 2, 4, "01020304"),
        (50, 0x123, 2, 2, 2, ""),
        (60, 0x123, 0x28, 2, 10, bytes(range(16)).hex()),
    ],
    "blf_errors_overrun_padding.blf": [
        (10, 0x88, 0x80, 0, 8, "0000000000000000"),
        (20, 0x88, 0x80, 1, 8, "0000020000000000"),
        (40, 0x200, 0x100, 0, 8, "0102030405060708"),
        (50, 0x88, 0x80, 0, 8, "0000020000000000"),
        (60, 0x08, 0x80, 0, 8, "0000200000000000"),
        (80, 0x201, 0, 0, 8, "0102030405060708"),
    ],
    "pcap_ns_be.pcap": [
        (1_700_000_000_000_000_111, 0x123, 0, 0, 2, "0102"),
        (1_700_000_000_000_000_222, 0x12345, 1, 0, 13, "0001020304050607"),
        (1_700_000_001_000_000_000, 0x100, 2, 0, 4, ""),
        (1_700_000_001_000_000_005, 0x123, 0x18, 0, 9, "000102030405060708090a0b"),
        (1_700_000_002_000_000_006, 0x4, 0x80, 0, 8, "0000000000000000"),
    ],
    "pcap_us_le.pcap": [
        (1_700_000_000_000_111_000, 0x123, 0, 0, 2, "0102"),
        (1_700_000_000_000_222_000, 0x12345, 1, 0, 13, "0001020304050607"),
        (1_700_000_001_000_000_000, 0x100, 2, 0, 4, ""),
        (1_700_000_001_000_005_000, 0x123, 0x18, 0, 9, "000102030405060708090a0b"),
        (1_700_000_002_000_006_000, 0x4, 0x80, 0, 8, "0000000000000000"),
    ],
}
for _name in ("blf_split_over_containers", "blf_split_mixed_methods", "blf_without_containers", "blf_no_start_time"):
    PIECES[f"{_name}.blf"] = PIECES["blf_plain.blf"]
PIECES["blf_cut_in_container.blf"] = PIECES["blf_plain.blf"]
PIECES["pcap_ns_le.pcap"] = PIECES["pcap_ns_be.pcap"]
PIECES["pcap_us_be.pcap"] = PIECES["pcap_us_le.pcap"]
PIECES["pcap_cooked_any.pcap"] = [
    (t, i, f | (0x40 if n == 1 else 0), *rest) for n, (t, i, f, *rest) in enumerate(PIECES["pcap_us_le.pcap"])
]
