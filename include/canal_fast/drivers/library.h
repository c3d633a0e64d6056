/* canal_fast/drivers/library.h - loading a CANAL driver library and finding its functions.
 *
 * Libraries are never unloaded: drivers leave threads of their own behind.
 */
#ifndef CANAL_FAST_DRIVERS_LIBRARY_H
#define CANAL_FAST_DRIVERS_LIBRARY_H

#include "../canal.h"
#include "../system/binary.h"
#include "../system/convention.h"
#include "../system/loader.h"

#include <string.h>

#if defined(__APPLE__) /* Mach-O is not read */
enum { CF_CHECKS_BINARY = 0 };
#else
enum { CF_CHECKS_BINARY = 1 };
#endif

/* A function pointer type for each CANAL function; on 32-bit Windows one for each convention. */
#define CF_CANAL_TYPE(member, name, bytes, mandatory, result, arguments) \
    typedef result(CF_CANAL_CALL *cf_fn_##member) arguments;
CF_CANAL_FUNCTIONS(CF_CANAL_TYPE)
#undef CF_CANAL_TYPE
#if CF_TWO_CONVENTIONS
#define CF_CANAL_TYPE(member, name, bytes, mandatory, result, arguments) \
    typedef result(__cdecl *cf_cdecl_##member) arguments;
CF_CANAL_FUNCTIONS(CF_CANAL_TYPE)
#undef CF_CANAL_TYPE
/* Calls library->member(arguments); needs that the function is there. A pointer of its own for each convention:
 * gcc 12 takes calls through one pointer for the same, and lets one convention serve both. */
#define CF_CANAL(library, member, arguments) \
    ((library)->cdecl_calls ? (library)->cdecl_##member arguments : (library)->member arguments)
#else
#define CF_CANAL(library, member, arguments) ((library)->member arguments)
#endif

/* clang-format off */
typedef struct cf_library {
    void *system_handle;
    int cdecl_calls; /* 32-bit Windows: functions are cdecl, not stdcall */
    int decorated;   /* 32-bit Windows: a name was found in its stdcall decoration only */
    uint64_t functions; /* bit n: function n of the CANAL table was found; bit 32 + n: extension n */
#define CF_CANAL_MEMBER(member, name, bytes, mandatory, result, arguments) cf_fn_##member member;
    CF_CANAL_FUNCTIONS(CF_CANAL_MEMBER)
#undef CF_CANAL_MEMBER
#if CF_TWO_CONVENTIONS
#define CF_CANAL_MEMBER(member, name, bytes, mandatory, result, arguments) cf_cdecl_##member cdecl_##member;
    CF_CANAL_FUNCTIONS(CF_CANAL_MEMBER)
#undef CF_CANAL_MEMBER
#endif
    char detail[512]; /* after a failure: what was found, or what the system said */
} cf_library;
/* clang-format on */

/* Row `index` of the CANAL functions, or NULL past the end. */
CF_INLINE const cf_function_row *cf_function(size_t index)
{
    /* clang-format off */
    static const cf_function_row rows[] = {
#define CF_CANAL_ROW(member, name, bytes, mandatory, result, arguments) {#name, bytes, mandatory},
        CF_CANAL_FUNCTIONS(CF_CANAL_ROW)
#undef CF_CANAL_ROW
    };
    /* clang-format on */
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

/* At most size - 1 bytes of `text`, ended by 0; nothing of NULL. */
CF_INLINE void cf_copy_text(char *target, size_t size, const char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;
    if (length > size - 1)
        length = size - 1;
    memcpy(target, text != NULL ? text : "", length);
    target[length] = 0;
}

/* What machine the file was built for, and whether it may be loaded here: as cf_binary_check, or
 * CF_FILE_MISSING. */
CF_INLINE cf_status cf_library_inspect(const char *path, const cf_machine **machine)
{
    uint8_t head[1024];
    uint64_t file_size = 0;
    const size_t size = cf_file_head(path, head, sizeof head, &file_size);
    *machine = NULL;
    return size == 0 ? CF_FILE_MISSING : cf_binary_check(head, size, file_size, machine);
}

/* Loads the library at `path` (absolute, UTF-8) and resolves the CANAL functions; only open, close,
 * send and receive have to be there. `convention` matters on 32-bit Windows only and is refused where it is known to
 * be wrong. Fills *library; on failure library->detail says more. */
CF_INLINE cf_status cf_library_load(cf_library *library, const char *path, cf_convention convention)
{
    const cf_machine *machine;
    const cf_status status = cf_library_inspect(path, &machine);
    size_t i;
    int decorated;
    void *found[CF_CANAL_FUNCTION_COUNT];
    cf_convention known;
    const char *why;
    memset(library, 0, sizeof *library);
    if (CF_CHECKS_BINARY ? status != CF_OK : status == CF_FILE_MISSING) {
        snprintf(library->detail, sizeof library->detail, "%s",
                 machine != NULL ? machine->name : "neither ELF nor PE of a known machine");
        return status;
    }
    library->system_handle = cf_system_load(path, library->detail, sizeof library->detail);
    if (library->system_handle == NULL)
        return CF_LOAD_FAILED;
    for (i = 0; i < CF_CANAL_FUNCTION_COUNT; i++) {
        found[i] = cf_system_symbol(library->system_handle, cf_function(i), &decorated);
        if (found[i] != NULL) {
            library->functions |= (uint64_t)1 << i;
            library->decorated |= decorated;
        } else if (cf_function(i)->mandatory) {
            snprintf(library->detail + strlen(library->detail), sizeof library->detail - strlen(library->detail),
                     "%s%s", library->detail[0] ? ", " : "", cf_function(i)->name);
        }
    }
    for (i = 0; i < CF_CANAL_EXTENSION_COUNT; i++) {
        const cf_function_row row = {cf_canal_extension(i), 0, 0};
        if (cf_system_symbol(library->system_handle, &row, &decorated) != NULL)
            library->functions |= (uint64_t)1 << (32 + i);
    }
    if (library->detail[0])
        return CF_SYMBOL_MISSING;
    known = cf_convention_of(library->decorated, found[CF_FN_get_level], &why);
    library->cdecl_calls = (known != CF_CONVENTION_AUTO ? known : convention) == CF_CDECL;
    if (known != CF_CONVENTION_AUTO && convention != CF_CONVENTION_AUTO && known != convention) {
        snprintf(library->detail, sizeof library->detail, "%s", why);
        return CF_OTHER_CONVENTION;
    }
    /* Object to function pointer through memcpy: ISO C has no cast for it. */
#define CF_CANAL_TAKE(member, name, bytes, mandatory, result, arguments) \
    memcpy(&library->member, &found[CF_FN_##member], sizeof library->member);
    CF_CANAL_FUNCTIONS(CF_CANAL_TAKE)
#undef CF_CANAL_TAKE
#if CF_TWO_CONVENTIONS
#define CF_CANAL_TAKE(member, name, bytes, mandatory, result, arguments) \
    memcpy(&library->cdecl_##member, &found[CF_FN_##member], sizeof library->cdecl_##member);
    CF_CANAL_FUNCTIONS(CF_CANAL_TAKE)
#undef CF_CANAL_TAKE
#endif
    return CF_OK;
}

#endif
