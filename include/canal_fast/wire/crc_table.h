/* canal_fast/wire/crc_table.h - lookup tables of CRC-15, CRC-17 and CRC-21, made by the compiler.
 *
 * Slice k of a table holds byte * x^(8k + width) mod P for each byte. A CRC is linear, so that the 256
 * entries follow from those of its eight bits: each row below lists x^(8k + width) to x^(8k + width + 7)
 * mod P. Constant data: no code runs before first use and threads need no care.
 */
#ifndef CANAL_FAST_WIRE_CRC_TABLE_H
#define CANAL_FAST_WIRE_CRC_TABLE_H

#include "../base.h"

/* 13 slices: the 103 bits from SOF to the last data bit of a classical frame are one step. */
/* clang-format off */
#define CF_CRC15_SLICES(X) \
    X(0x4599, 0x4EAB, 0x58CF, 0x7407, 0x2D97, 0x5B2E, 0x73C5, 0x2213) \
    X(0x4426, 0x4DD5, 0x5E33, 0x79FF, 0x3667, 0x6CCE, 0x1C05, 0x380A) \
    X(0x7014, 0x25B1, 0x4B62, 0x535D, 0x6323, 0x03DF, 0x07BE, 0x0F7C) \
    X(0x1EF8, 0x3DF0, 0x7BE0, 0x3259, 0x64B2, 0x0CFD, 0x19FA, 0x33F4) \
    X(0x67E8, 0x0A49, 0x1492, 0x2924, 0x5248, 0x6109, 0x078B, 0x0F16) \
    X(0x1E2C, 0x3C58, 0x78B0, 0x34F9, 0x69F2, 0x167D, 0x2CFA, 0x59F4) \
    X(0x7671, 0x297B, 0x52F6, 0x6075, 0x0573, 0x0AE6, 0x15CC, 0x2B98) \
    X(0x5730, 0x6BF9, 0x126B, 0x24D6, 0x49AC, 0x56C1, 0x681B, 0x15AF) \
    X(0x2B5E, 0x56BC, 0x68E1, 0x145B, 0x28B6, 0x516C, 0x6741, 0x0B1B) \
    X(0x1636, 0x2C6C, 0x58D8, 0x7429, 0x2DCB, 0x5B96, 0x72B5, 0x20F3) \
    X(0x41E6, 0x4655, 0x4933, 0x57FF, 0x6A67, 0x1157, 0x22AE, 0x455C) \
    X(0x4F21, 0x5BDB, 0x722F, 0x21C7, 0x438E, 0x4285, 0x4093, 0x44BF) \
    X(0x4CE7, 0x5C57, 0x7D37, 0x3FF7, 0x7FEE, 0x3A45, 0x748A, 0x2C8D)

/* The same of an 11-bit identifier of a frame of 8 bytes: its low byte, and what is above it. */
#define CF_CRC15_ID_SLICES(X) \
    X(0x0B1B, 0x1636, 0x2C6C, 0x58D8, 0x7429, 0x2DCB, 0x5B96, 0x72B5) \
    X(0x20F3, 0x41E6, 0x4655, 0, 0, 0, 0, 0)

#define CF_CRC17_SLICES(X) \
    X(0x1685B, 0x1B8ED, 0x01981, 0x03302, 0x06604, 0x0CC08, 0x19810, 0x0587B) \
    X(0x0B0F6, 0x161EC, 0x1AB83, 0x03F5D, 0x07EBA, 0x0FD74, 0x1FAE8, 0x09D8B) \
    X(0x13B16, 0x11E77, 0x154B5, 0x1C131, 0x0EA39, 0x1D472, 0x0C0BF, 0x1817E) \
    X(0x06AA7, 0x0D54E, 0x1AA9C, 0x03D63, 0x07AC6, 0x0F58C, 0x1EB18, 0x0BE6B) \
    X(0x17CD6, 0x191F7, 0x04BB5, 0x0976A, 0x12ED4, 0x135F3, 0x103BD, 0x16F21) \
    X(0x1B619, 0x00469, 0x008D2, 0x011A4, 0x02348, 0x04690, 0x08D20, 0x11A40) \
    X(0x15CDB, 0x1D1ED, 0x0CB81, 0x19702, 0x0465F, 0x08CBE, 0x1197C, 0x15AA3) \
    X(0x1DD1D, 0x0D261, 0x1A4C2, 0x021DF, 0x043BE, 0x0877C, 0x10EF8, 0x175AB)

#define CF_CRC21_SLICES(X) \
    X(0x102899, 0x1079AB, 0x10DBCF, 0x119F07, 0x131697, 0x1605B7, 0x1C23F7, 0x086F77) \
    X(0x10DEEE, 0x119545, 0x130213, 0x162CBF, 0x1C71E7, 0x08CB57, 0x1196AE, 0x1305C5) \
    X(0x162313, 0x1C6EBF, 0x08F5E7, 0x11EBCE, 0x13FF05, 0x17D693, 0x1F85BF, 0x0F23E7) \
    X(0x1E47CE, 0x0CA705, 0x194E0A, 0x02B48D, 0x05691A, 0x0AD234, 0x15A468, 0x1B6049) \
    X(0x06E80B, 0x0DD016, 0x1BA02C, 0x0768C1, 0x0ED182, 0x1DA304, 0x0B6E91, 0x16DD22) \
    X(0x1D92DD, 0x0B0D23, 0x161A46, 0x1C1C15, 0x0810B3, 0x102166, 0x106A55, 0x10FC33) \
    X(0x11D0FF, 0x138967, 0x173A57, 0x1E5C37, 0x0C90F7, 0x1921EE, 0x026B45, 0x04D68A) \
    X(0x09AD14, 0x135A28, 0x169CC9, 0x1D110B, 0x0A0A8F, 0x14151E, 0x1802A5, 0x002DD3)
/* clang-format on */

/* 2, 4, ... 256 entries from those of 1, 2, ... 8 bits; `v` is the part of the bits above. */
#define CF_CRC_2(v, a) (v), (v) ^ (a)
#define CF_CRC_4(v, a, b) CF_CRC_2(v, a), CF_CRC_2((v) ^ (b), a)
#define CF_CRC_8(v, a, b, c) CF_CRC_4(v, a, b), CF_CRC_4((v) ^ (c), a, b)
#define CF_CRC_16(v, a, b, c, d) CF_CRC_8(v, a, b, c), CF_CRC_8((v) ^ (d), a, b, c)
#define CF_CRC_32(v, a, b, c, d, e) CF_CRC_16(v, a, b, c, d), CF_CRC_16((v) ^ (e), a, b, c, d)
#define CF_CRC_64(v, a, b, c, d, e, f) CF_CRC_32(v, a, b, c, d, e), CF_CRC_32((v) ^ (f), a, b, c, d, e)
#define CF_CRC_128(v, a, b, c, d, e, f, g) CF_CRC_64(v, a, b, c, d, e, f), CF_CRC_64((v) ^ (g), a, b, c, d, e, f)
#define CF_CRC_256(a, b, c, d, e, f, g, h) {CF_CRC_128(0, a, b, c, d, e, f, g), CF_CRC_128(h, a, b, c, d, e, f, g)},
#define CF_CRC_512(v, a, b, c, d, e, f, g, h, i)                                    \
    CF_CRC_128(v, a, b, c, d, e, f, g), CF_CRC_128((v) ^ (h), a, b, c, d, e, f, g), \
        CF_CRC_128((v) ^ (i), a, b, c, d, e, f, g), CF_CRC_128((v) ^ (h) ^ (i), a, b, c, d, e, f, g)
#define CF_CRC_1024(v, a, b, c, d, e, f, g, h, i, j) \
    CF_CRC_512(v, a, b, c, d, e, f, g, h, i), CF_CRC_512((v) ^ (j), a, b, c, d, e, f, g, h, i)
#define CF_CRC_2048(v, a, b, c, d, e, f, g, h, i, j, k) \
    CF_CRC_1024(v, a, b, c, d, e, f, g, h, i, j), CF_CRC_1024((v) ^ (k), a, b, c, d, e, f, g, h, i, j)

typedef const uint32_t (*cf_crc_table)[256];

CF_INLINE cf_crc_table cf_crc15_table(void)
{
    static const uint32_t table[13][256] = {CF_CRC15_SLICES(CF_CRC_256)};
    return table;
}

/* Base data frames of 8 bytes: what the identifier adds, DLC included, and what bits 0..10, 11..21 and 22..31 of the
 * first four payload bytes add, read as a little-endian number. Rows of the slices above in another order. */
typedef struct cf_crc_base8_table {
    uint16_t id[2048], low[2048], middle[2048], high[1024];
} cf_crc_base8_table;

CF_INLINE const cf_crc_base8_table *cf_crc_base8(void)
{
    static const cf_crc_base8_table table = {
        {CF_CRC_2048(0x145B, 0x0B1B, 0x1636, 0x2C6C, 0x58D8, 0x7429, 0x2DCB, 0x5B96, 0x72B5, 0x20F3, 0x41E6, 0x4655)},
        {CF_CRC_2048(0, 0x5730, 0x6BF9, 0x126B, 0x24D6, 0x49AC, 0x56C1, 0x681B, 0x15AF, 0x7671, 0x297B, 0x52F6)},
        {CF_CRC_2048(0, 0x6075, 0x0573, 0x0AE6, 0x15CC, 0x2B98, 0x1E2C, 0x3C58, 0x78B0, 0x34F9, 0x69F2, 0x167D)},
        {CF_CRC_1024(0, 0x2CFA, 0x59F4, 0x67E8, 0x0A49, 0x1492, 0x2924, 0x5248, 0x6109, 0x078B, 0x0F16)}};
    return &table;
}

CF_INLINE cf_crc_table cf_crc17_table(void)
{
    static const uint32_t table[8][256] = {CF_CRC17_SLICES(CF_CRC_256)};
    return table;
}

CF_INLINE cf_crc_table cf_crc21_table(void)
{
    static const uint32_t table[8][256] = {CF_CRC21_SLICES(CF_CRC_256)};
    return table;
}

#endif
