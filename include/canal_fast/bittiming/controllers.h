/* canal_fast/bittiming/controllers.h - the bit timing registers of real controllers, one row each.
 *
 * `source` is the document and section that the figures come from, `second` another place that says
 * the same; an empty `second` marks figures that were checked against one place only. The usual clock
 * is what common boards feed the CAN core with (after a fixed divider, where the chip has one).
 */
#ifndef CANAL_FAST_BITTIMING_CONTROLLERS_H
#define CANAL_FAST_BITTIMING_CONTROLLERS_H

#include "timing.h"

typedef struct cf_controller {
    const char *name; /* as can-calc-bit-timing or the Linux driver calls it */
    const char *title;
    uint32_t f_clock;         /* Hz */
    cf_timing_limits nominal; /* tseg1, tseg2: min, max; sjw: max; brp: min, max, increment; fine up to, beyond it */
    cf_timing_limits data;    /* data phase of CAN FD; all zero: the controller has none */
    uint32_t triple_sampling; /* 1: it can sample three times per bit */
    uint32_t btr;             /* 1: it is programmed through the SJA1000's BTR0 and BTR1 */
    const char *source;
    const char *second;
} cf_controller;

#define CF_NO_DATA_PHASE {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/* Row `index` of the table, or NULL past its end. */
CF_INLINE const cf_controller *cf_controller_row(size_t index)
{
    /* clang-format off */
    static const cf_controller rows[] = {
        {"usb_8dev", "8devices USB2CAN, Korlan USB2CAN", 32000000,
         {1, 16, 1, 8, 4, 1, 1024, 1, 0, 0}, CF_NO_DATA_PHASE, 0, 0,
         "Linux drivers/net/can/usb/usb_8dev.c: usb_8dev_bittiming_const, USB_8DEV_ABP_CLOCK",
         "python-can interfaces/usb2can: f_clock 32 MHz"},
        {"sja1000", "NXP SJA1000, PCA82C200 and their many copies", 8000000, {1, 16, 1, 8, 4, 1, 64, 1, 0, 0},
         CF_NO_DATA_PHASE, 1, 1,
         "SJA1000 data sheet (Philips, 2000-01-04), 6.5.1 BTR0 and 6.5.2 BTR1; 16 MHz crystal / 2",
         "Linux drivers/net/can/sja1000/sja1000.c: sja1000_bittiming_const; can-calc-bit-timing sja1000"},
        {"mscan", "Freescale MSCAN (MPC5200, MPC5121, HCS12)", 32000000, {4, 16, 2, 8, 4, 1, 64, 1, 0, 0},
         CF_NO_DATA_PHASE, 1,
         1, "Linux drivers/net/can/mscan/mscan.c: mscan_bittiming_const", "can-calc-bit-timing mscan"},
        {"at91", "Atmel AT91SAM9263 CAN", 100000000, {4, 16, 2, 8, 4, 2, 128, 1, 0, 0}, CF_NO_DATA_PHASE, 1, 0,
         "Linux drivers/net/can/at91_can.c: at91_bittiming_const", "can-calc-bit-timing at91"},
        {"flexcan", "Freescale/NXP FlexCAN, classical registers", 24000000, {4, 16, 2, 8, 4, 1, 256, 1, 0, 0},
         CF_NO_DATA_PHASE,
         1, 0, "Linux drivers/net/can/flexcan/flexcan-core.c: flexcan_bittiming_const", "can-calc-bit-timing flexcan"},
        {"mcp251x", "Microchip MCP2510, MCP2515, MCP25625", 8000000,
         {3, 16, 2, 8, 4, 1, 64, 1, 0, 0}, CF_NO_DATA_PHASE, 1, 0,
         "MCP2515 data sheet DS20001801, section 5 (CNF1..CNF3; phase segment 2 >= 2); 16 MHz crystal / 2",
         "Linux drivers/net/can/spi/mcp251x.c: mcp251x_bittiming_const; can-calc-bit-timing mcp251x"},
        {"ti_hecc", "TI HECC (AM35xx)", 13000000, {1, 16, 1, 8, 4, 1, 256, 1, 0, 0}, CF_NO_DATA_PHASE, 1, 0,
         "Linux drivers/net/can/ti_hecc.c: ti_hecc_bittiming_const", "can-calc-bit-timing ti_hecc"},
        {"rcar_can", "Renesas R-Car CAN", 65000000, {4, 16, 2, 8, 4, 1, 1024, 1, 0, 0}, CF_NO_DATA_PHASE, 0, 0,
         "Linux drivers/net/can/rcar/rcar_can.c: rcar_can_bittiming_const", "can-calc-bit-timing rcar_can"},
        {"rcar_canfd", "Renesas R-Car CAN FD, generation 3", 40000000, {2, 128, 2, 32, 32, 1, 1024, 1, 0, 0},
         {2, 16, 2, 8, 8, 1, 256, 1, 0, 0}, 0, 0,
         "Linux drivers/net/can/rcar/rcar_canfd.c: rcar_canfd_gen3_nom_bittiming_const and ..._data_...", ""},
        {"mcp251xfd", "Microchip MCP2517FD, MCP2518FD, MCP251863", 40000000, {2, 256, 1, 128, 128, 1, 256, 1, 0, 0},
         {1, 32, 1, 16, 16, 1, 256, 1, 0, 0}, 0, 0,
         "Linux drivers/net/can/spi/mcp251xfd/mcp251xfd-core.c: mcp251xfd_bittiming_const and ..._data_...", ""},
        {"bxcan", "ST bxCAN (STM32F0, F1, F2, F3, F4, F7, L4)", 36000000, {1, 16, 1, 8, 4, 1, 1024, 1, 0, 0},
         CF_NO_DATA_PHASE,
         0, 0, "Linux drivers/net/can/bxcan.c: bxcan_bittiming_const; STM32F103 APB1 at 36 MHz",
         "ST RM0008, CAN_BTR: BRP 10 bits, TS1 4, TS2 3, SJW 2"},
        {"m_can", "Bosch M_CAN 3.1 and later (TCAN4x5x, AM62, SAMA5D2)", 40000000,
         {2, 256, 2, 128, 128, 1, 512, 1, 0, 0},
         {1, 32, 1, 16, 16, 1, 32, 1, 0, 0}, 0, 0,
         "Linux drivers/net/can/m_can/m_can.c: m_can_bittiming_const_31X and m_can_data_bittiming_const_31X",
         "The commit that set tseg2_min to 2 quotes the M_CAN 3.3.0 manual: NTSEG2 1..127"},
        {"stm32_fdcan", "ST FDCAN (STM32G0, G4, H5, H7, L5, U5)", 80000000, {2, 256, 2, 128, 128, 1, 512, 1, 0, 0},
         {1, 32, 1, 16, 16, 1, 32, 1, 0, 0}, 0, 0,
         "STM32 HAL *_hal_fdcan: IS_FDCAN_NOMINAL_..., IS_FDCAN_DATA_...; lower nominal ends from M_CAN, its core",
         "Linux drivers/net/can/m_can/m_can.c: m_can_bittiming_const_31X"},
        {"flexcan_fd", "NXP FlexCAN with CBT registers (i.MX8, LX2160, S32)", 80000000,
         {2, 96, 2, 32, 16, 1, 1024, 1, 0, 0},
         {2, 39, 2, 8, 4, 1, 1024, 1, 0, 0}, 0, 0,
         "Linux drivers/net/can/flexcan/flexcan-core.c: flexcan_fd_bittiming_const, flexcan_fd_data_bittiming_const",
         ""},
        {"c_can", "Bosch C_CAN, D_CAN (AM335x, SPEAr)", 24000000,
         {2, 16, 1, 8, 4, 1, 1024, 1, 0, 0}, CF_NO_DATA_PHASE, 0, 0,
         "Linux drivers/net/can/c_can/c_can_main.c: c_can_bittiming_const", ""},
        {"esp32_twai", "Espressif ESP32 TWAI, revisions 0 and 1 (later ones, too)", 80000000,
         {1, 16, 1, 8, 4, 2, 128, 2, 0, 0}, CF_NO_DATA_PHASE, 1, 0,
         "ESP-IDF components/soc/esp32 soc_caps.h: SOC_TWAI_BRP_MIN, SOC_TWAI_BRP_MAX below ECO 2 (even values)",
         "ESP-IDF components/hal/esp32 twai_ll.h: twai_ll_set_bus_timing writes brp / 2 - 1; segments as SJA1000"},
        {"esp32_twai_v2", "Espressif ESP32 TWAI, revision 2 and later", 80000000,
         {1, 16, 1, 8, 4, 2, 256, 2, 128, 4}, CF_NO_DATA_PHASE, 1, 0,
         "ESP-IDF components/soc/esp32 soc_caps.h from ECO 2: SOC_TWAI_BRP_MAX 256, SOC_TWAI_BRP_DIV_THRESH 128",
         "ESP-IDF 3.3 can.h, CAN_BRP_IS_VALID: even numbers in 2..128, multiples of 4 in 132..256"},
        {"esp32s2_twai", "Espressif ESP32-S2 TWAI", 80000000, {1, 16, 1, 8, 4, 2, 32768, 2, 0, 0}, CF_NO_DATA_PHASE, 1,
         0, "ESP-IDF components/soc/esp32s2 soc_caps.h: SOC_TWAI_BRP_MIN, SOC_TWAI_BRP_MAX, SOC_TWAI_CLK_SUPPORT_APB",
         "Espressif's SVD for the ESP32-S2: BUS_TIMING_0, BAUD_PRESC of 14 bits"},
        {"esp32s3_twai", "Espressif ESP32-S3, ESP32-C3 TWAI", 80000000, {1, 16, 1, 8, 4, 2, 16384, 2, 0, 0},
         CF_NO_DATA_PHASE, 1, 0,
         "ESP-IDF components/soc/esp32s3 soc_caps.h: SOC_TWAI_BRP_MIN, SOC_TWAI_BRP_MAX, SOC_TWAI_CLK_SUPPORT_APB",
         "The same in components/soc/esp32c3"},
        {"esp32c6_twai", "Espressif ESP32-C6 TWAI", 40000000, {1, 16, 1, 8, 4, 2, 32768, 2, 0, 0}, CF_NO_DATA_PHASE, 1,
         0, "ESP-IDF components/soc/esp32c6 soc_caps.h: SOC_TWAI_BRP_MIN, SOC_TWAI_BRP_MAX, SOC_TWAI_CLK_SUPPORT_XTAL",
         "Espressif's SVD for the ESP32-C6: BUS_TIMING_0, BAUD_PRESC of 14 bits"},
        {"pcan_usb_fd", "PEAK PCAN-USB FD, PCAN-USB Pro FD", 80000000, {1, 256, 1, 128, 128, 1, 1024, 1, 0, 0},
         {1, 32, 1, 16, 16, 1, 1024, 1, 0, 0}, 1, 0,
         "Linux drivers/net/can/usb/peak_usb/pcan_usb_fd.c: pcan_usb_fd_const, PCAN_UFD_CRYSTAL_HZ",
         "can-utils (2021 and later) can-calc-bit-timing pcan_usb_fd"},
        {"gs_usb", "candleLight and other gs_usb adapters on bxCAN", 48000000, {1, 16, 1, 8, 4, 1, 1024, 1, 0, 0},
         CF_NO_DATA_PHASE, 0, 0, "candleLight firmware: bit timing constants that it reports, CAN clock 48 MHz",
         "bxcan: the same core"},
        {"kvaser_usb_kcan", "Kvaser KCAN (Leaf Pro HS v2, Memorator 2xHS v2, USBcan Pro)", 80000000,
         {1, 255, 1, 32, 16, 1, 8192, 1, 0, 0}, {1, 255, 1, 32, 16, 1, 8192, 1, 0, 0}, 0, 0,
         "Linux drivers/net/can/usb/kvaser_usb/kvaser_usb_hydra.c: kvaser_usb_hydra_kcan_bittiming_c",
         "can-utils (2021 and later) can-calc-bit-timing kvaser_usb_kcan"},
        {"toucan", "Rusoku TouCAN", 50000000, {1, 16, 1, 8, 4, 1, 1024, 1, 0, 0}, CF_NO_DATA_PHASE, 0, 0,
         "Rusoku TouCAN CANAL driver; its README makes 1 Mbit/s with tseg1 7, tseg2 2, brp 5: 50 MHz", ""},
    };
    /* clang-format on */
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

#endif
