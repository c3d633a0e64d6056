/* canal_fast/system/binary.h - what machine a shared library was built for, from its first bytes.
 *
 * ELF: System V ABI, chapter 4. PE: Microsoft PE format. Mach-O is not read, and where it is the
 * system's format the check is left out.
 */
#ifndef CANAL_FAST_SYSTEM_BINARY_H
#define CANAL_FAST_SYSTEM_BINARY_H

#include "../base.h"

typedef struct cf_machine {
    char format; /* 'E' ELF, 'P' PE */
    uint8_t bits;
    uint16_t number;
    const char *name;
} cf_machine;

CF_INLINE const cf_machine *cf_machine_row(size_t index)
{
    /* clang-format off */
    static const cf_machine rows[] = {
        {'E', 32, 3, "32-bit x86 (i386) ELF library"},   {'E', 64, 62, "64-bit x86-64 ELF library"},
        {'E', 32, 62, "32-bit x32 (x86-64) ELF library"}, {'E', 64, 183, "64-bit ARM (aarch64) ELF library"},
        {'E', 32, 40, "32-bit ARM ELF library"},          {'E', 64, 243, "64-bit RISC-V ELF library"},
        {'E', 64, 21, "64-bit PowerPC ELF library"},      {'E', 64, 22, "64-bit S/390 ELF library"},
        {'P', 32, 0x014C, "32-bit x86 Windows DLL"},      {'P', 64, 0x8664, "64-bit x64 Windows DLL"},
        {'P', 64, 0xAA64, "64-bit ARM64 Windows DLL"},    {'P', 32, 0x01C4, "32-bit ARM Windows DLL"},
    };
    /* clang-format on */
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

/* The machine number of this very code; 0 where it is not known and everything is let through. */
#if defined(_WIN32)
enum { CF_FORMAT_HERE = 'P' };
#if defined(__x86_64__) || defined(_M_X64)
enum { CF_MACHINE_HERE = 0x8664 };
#elif defined(__aarch64__) || defined(_M_ARM64)
enum { CF_MACHINE_HERE = 0xAA64 };
#else
enum { CF_MACHINE_HERE = 0x014C };
#endif
#else
enum { CF_FORMAT_HERE = 'E' };
#if defined(__x86_64__)
enum { CF_MACHINE_HERE = 62 };
#elif defined(__i386__)
enum { CF_MACHINE_HERE = 3 };
#elif defined(__aarch64__)
enum { CF_MACHINE_HERE = 183 };
#elif defined(__arm__)
enum { CF_MACHINE_HERE = 40 };
#elif defined(__riscv)
enum { CF_MACHINE_HERE = 243 };
#else
enum { CF_MACHINE_HERE = 0 };
#endif
#endif

/* The table's row of a machine, or NULL. */
CF_INLINE const cf_machine *cf_machine_find(char format, unsigned bits, unsigned number)
{
    size_t i;
    for (i = 0; cf_machine_row(i) != NULL; i++) {
        const cf_machine *row = cf_machine_row(i);
        if (row->format == format && row->bits == bits && row->number == number)
            return row;
    }
    return NULL;
}

CF_INLINE unsigned cf_little16(const uint8_t *at)
{
    return (unsigned)at[0] | (unsigned)at[1] << 8;
}

CF_INLINE uint64_t cf_little(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | at[bytes];
    return value;
}

/* How far into its file a little-endian ELF library reaches, by its program headers (loading one that was
 * cut short is a bus error, not an error code), as far as the first `size` bytes tell. */
CF_INLINE uint64_t cf_elf_extent(const uint8_t *bytes, size_t size)
{
    const int wide = bytes[4] == 2;
    const unsigned word = wide ? 8 : 4;
    uint64_t table, entry, count, i, extent = 0;
    if (size < 64)
        return 64;
    table = cf_little(bytes + (wide ? 32 : 28), word);
    entry = cf_little(bytes + (wide ? 54 : 42), 2);
    count = cf_little(bytes + (wide ? 56 : 44), 2);
    if (table > size || entry * count > size - table)
        return table > size ? table : table + entry * count;
    if (entry < (wide ? 56u : 32u))
        return 0; /* none that the system would load */
    for (i = 0; i < count; i++) {
        const uint8_t *at = bytes + table + i * entry;
        const uint64_t offset = cf_little(at + word, word), end = offset + cf_little(at + 4 * word, word);
        if (end > extent || end < offset)
            extent = end < offset ? UINT64_MAX : end;
    }
    return extent;
}

/* Reads the first `size` bytes of a file (1 KiB is plenty) of `file_size`. CF_OK: it may be loaded here.
 * CF_WRONG_ARCHITECTURE, CF_NOT_A_LIBRARY, or CF_TRUNCATED; *found is the machine it was built for, or NULL when
 * the table does not know it. */
CF_INLINE cf_status cf_binary_check(const uint8_t *bytes, size_t size, uint64_t file_size, const cf_machine **found)
{
    char format;
    unsigned bits, number;
    *found = NULL;
    if (size >= 20 && memcmp(bytes, "\177ELF", 4) == 0) {
        const int big = bytes[5] == 2;
        format = 'E';
        bits = bytes[4] == 2 ? 64 : 32;
        number = big ? (unsigned)bytes[18] << 8 | bytes[19] : cf_little16(bytes + 18);
    } else if (size >= 64 && bytes[0] == 'M' && bytes[1] == 'Z') {
        const size_t pe = cf_little16(bytes + 60) | (size_t)cf_little16(bytes + 62) << 16;
        if (pe > size - 6 || memcmp(bytes + pe, "PE\0\0", 4) != 0)
            return CF_NOT_A_LIBRARY;
        format = 'P';
        number = cf_little16(bytes + pe + 4);
        bits = number == 0x014C || number == 0x01C4 ? 32 : 64;
    } else {
        return CF_NOT_A_LIBRARY;
    }
    *found = cf_machine_find(format, bits, number);
    if (CF_MACHINE_HERE == 0)
        return CF_OK;
    if (format != CF_FORMAT_HERE || number != CF_MACHINE_HERE || bits != sizeof(void *) * 8)
        return CF_WRONG_ARCHITECTURE;
    if (format == 'E' && cf_elf_extent(bytes, size) > file_size)
        return CF_TRUNCATED;
    return CF_OK;
}

#endif
