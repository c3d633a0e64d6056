from __future__ import annotations
def detect_rates(wave, bitrate, data_bitrate):
    return bitrate or 500000, data_bitrate
