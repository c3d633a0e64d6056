/* canal_fast/system/convention.h - the calling convention of a function, where there are two: 32-bit Windows.
 *
 * stdcall functions take their arguments off the stack themselves, cdecl functions leave that to the caller. Who is
 * wrong about it goes on with a stack pointer that is some words off, and no error code tells.
 */
#ifndef CANAL_FAST_SYSTEM_CONVENTION_H
#define CANAL_FAST_SYSTEM_CONVENTION_H

#include "../base.h"

#if defined(_WIN32) && !defined(_WIN64) && (defined(_M_IX86) || defined(__i386__))
#define CF_TWO_CONVENTIONS 1
#include "windows_api.h"
#else
#define CF_TWO_CONVENTIONS 0
#endif

typedef enum cf_convention {
    CF_STDCALL = 0,
    CF_CDECL = 1,
    CF_CONVENTION_AUTO = 2 /* find out; stdcall where that cannot be */
} cf_convention;

/* Calls function(0), which has to be a function of one `long`, with the stack pointer kept safe. Returns how many bytes
 * it took off the stack, 4 (stdcall) or 0 (cdecl); -1 when there is one convention only or it could not be called. */
CF_INLINE int cf_stack_taken(void *function)
{
#if CF_TWO_CONVENTIONS
    /* clang-format off */
    static const unsigned char code[] = {
        0x53,                   /* push ebx */
        0x89, 0xE3,             /* mov ebx, esp */
        0x6A, 0x00,             /* push 0 */
        0xFF, 0x54, 0x24, 0x0C, /* call [esp + 12], our argument */
        0x89, 0xE0,             /* mov eax, esp */
        0x29, 0xD8,             /* sub eax, ebx */
        0x89, 0xDC,             /* mov esp, ebx */
        0x5B,                   /* pop ebx */
        0xC3                    /* ret */
    };
    /* clang-format on */
    typedef int(__cdecl * probe)(void *);
    int taken = -1;
    DWORD before;
    void *page = VirtualAlloc(NULL, sizeof code, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (page == NULL)
        return -1;
    memcpy(page, code, sizeof code);
    if (VirtualProtect(page, sizeof code, PAGE_EXECUTE_READ, &before) &&
        FlushInstructionCache(GetCurrentProcess(), page, sizeof code)) {
        probe call;
        memcpy(&call, &page, sizeof call);
        taken = 4 + call(function);
    }
    VirtualFree(page, 0, MEM_RELEASE);
    return taken == 0 || taken == 4 ? taken : -1;
#else
    (void)function;
    return -1;
#endif
}

/* What is known of a library's convention: CF_STDCALL or CF_CDECL, and *why in words; or CF_CONVENTION_AUTO when
 * nothing is. `decorated`: its names carry stdcall's @N. `get_level`: its CanalGetLevel, a constant in every known
 * driver, or NULL. */
CF_INLINE cf_convention cf_convention_of(int decorated, void *get_level, const char **why)
{
    const int taken = !decorated && get_level != NULL ? cf_stack_taken(get_level) : -1;
    *why = decorated ? "stdcall, by its decorated names" : "stdcall, as CanalGetLevel showed when called";
    if (decorated || taken == 4)
        return CF_STDCALL;
    *why = taken == 0 ? "cdecl, as CanalGetLevel showed when called" : "";
    return taken == 0 ? CF_CDECL : CF_CONVENTION_AUTO;
}

#endif
