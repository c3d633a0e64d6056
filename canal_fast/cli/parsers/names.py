"""Names of tables that are in C or need numpy, for help and completion; `tests/ground/test_start.py` compares them."""

from __future__ import annotations

from canal_fast.chips import aliases_of

TIMING_CONTROLLERS = {  # bittiming.CONTROLLERS: name, title
    "usb_8dev": "8devices USB2CAN, Korlan USB2CAN",
    "sja1000": "NXP SJA1000, PCA82C200 and their many copies",
    "mscan": "Freescale MSCAN (MPC5200, MPC5121, HCS12)",
    "at91": "Atmel AT91SAM9263 CAN",
    "flexcan": "Freescale/NXP FlexCAN, classical registers",
    "mcp251x": "Microchip MCP2510, MCP2515, MCP25625",
    "ti_hecc": "TI HECC (AM35xx)",
    "rcar_can": "Renesas R-Car CAN",
    "rcar_canfd": "Renesas R-Car CAN FD, generation 3",
    "mcp251xfd": "Microchip MCP2517FD, MCP2518FD, MCP251863",
    "bxcan": "ST bxCAN (STM32F0, F1, F2, F3, F4, F7, L4)",
    "m_can": "Bosch M_CAN 3.1 and later (TCAN4x5x, AM62, SAMA5D2)",
    "stm32_fdcan": "ST FDCAN (STM32G0, G4, H5, H7, L5, U5)",
    "flexcan_fd": "NXP FlexCAN with CBT registers (i.MX8, LX2160, S32)",
    "c_can": "Bosch C_CAN, D_CAN (AM335x, SPEAr)",
    "esp32_twai": "Espressif ESP32 TWAI, revisions 0 and 1 (later ones, too)",
    "esp32_twai_v2": "Espressif ESP32 TWAI, revision 2 and later",
    "esp32s2_twai": "Espressif ESP32-S2 TWAI",
    "esp32s3_twai": "Espressif ESP32-S3, ESP32-C3 TWAI",
    "esp32c6_twai": "Espressif ESP32-C6 TWAI",
    "pcan_usb_fd": "PEAK PCAN-USB FD, PCAN-USB Pro FD",
    "gs_usb": "candleLight and other gs_usb adapters on bxCAN",
    "kvaser_usb_kcan": "Kvaser KCAN (Leaf Pro HS v2, Memorator 2xHS v2, USBcan Pro)",
    "toucan": "Rusoku TouCAN",
}
FILTER_CONTROLLERS = {  # analysis.design_controllers
    "sja1000": "SJA1000",
    "bxcan": "bxCAN",
    "mcp2515": "MCP2515",
    "mcp2517fd": "MCP2517FD",
    "m_can": "M_CAN",
    "stm32_fdcan": "FDCAN of STM32",
    "mailboxes": "mailboxes",
    "socketcan": "SocketCAN",
}
FILTER_ALIASES = tuple(aliases_of(FILTER_CONTROLLERS))
FORMATS_READ = ("pcapng", "pcap", "blf", "asc", "trc", "csv", "csv-gvret", "candump", "candump-delta", "mf4", "parquet")
FORMATS_WRITTEN = ("pcapng", "pcap", "blf", "asc", "trc", "trc-1.1", "csv", "csv-gvret", "candump", "mf4")
PROFILES = (
    "generic",
    "virtual",
    "socketcan",
    "usb2can-korlan",
    "usb2can-winusb",
    "usb2can",
    "toucan",
    "canusb",
    "vscp-socketcan",
    "can4vscp",
    "can232",
    "logger",
    "peak",
    "ixxat",
    "vector",
    "xap",
    "zanthic",
    "apox",
    "tellstick",
    "generation-1",
)
SOURCE_KINDS = ("virtual:", "socketcan:", "usb2can:", "library=")
STAT_SORTS = ("id", "count", "load", "period", "jitter", "gaps")
MONITOR_SORTS = ("id", "count", "period", "jitter")
USUAL_BITRATE = 500_000  # bit/s: analysis.recordings.USUAL
LOOP_DELAY_NS = 250  # bittiming.numbers.DEFAULT_LOOP_DELAY_NS
