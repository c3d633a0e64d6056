/* canal_fast/system/loader.h - the operating system's calls that load a shared library. */
#ifndef CANAL_FAST_SYSTEM_LOADER_H
#define CANAL_FAST_SYSTEM_LOADER_H

#include "convention.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#if defined(_WIN32)
#include "windows_api.h"
#else
#include <dlfcn.h>
#endif

/* A function to look for in a library: name, bytes of its arguments (32-bit Windows), whether it must be there. */
typedef struct cf_function_row {
    const char *name;
    unsigned bytes;
    int mandatory;
} cf_function_row;

#if defined(_WIN32)
/* UTF-8 path -> malloc'ed UTF-16, or NULL. */
CF_INLINE wchar_t *cf_wide(const char *path)
{
    const int length = MultiByteToWideChar(CP_UTF8, 0, path, -1, NULL, 0);
    wchar_t *wide = (wchar_t *)malloc((size_t)(length > 0 ? length : 1) * sizeof(wchar_t));
    if (wide != NULL && (length <= 0 || !MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, length))) {
        free(wide);
        wide = NULL;
    }
    return wide;
}
#endif

/* The first bytes of the file, at most `size`; 0 when it cannot be read. */
CF_INLINE size_t cf_file_head(const char *path, uint8_t *bytes, size_t size, uint64_t *file_size)
{
    size_t got = 0;
#if defined(_WIN32)
    wchar_t *wide = cf_wide(path);
    FILE *file = wide != NULL ? _wfopen(wide, L"rb") : NULL;
    free(wide);
#else
    FILE *file = fopen(path, "rb");
#endif
    if (file != NULL) {
        got = fread(bytes, 1, size, file);
        *file_size = fseek(file, 0, SEEK_END) == 0 ? (uint64_t)ftell(file) : (uint64_t)got;
        fclose(file);
    }
    return got;
}

CF_INLINE void *cf_system_load(const char *path, char *detail, size_t detail_size)
{
#if defined(_WIN32)
    /* Absolute path and safe search flags: the folder of the DLL and the system's, never the
     * current one. */
    wchar_t *wide = cf_wide(path);
    HMODULE module = wide == NULL ? NULL
                                  : LoadLibraryExW(wide, NULL,
                                                   LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
    if (module == NULL)
        snprintf(detail, detail_size, "Windows error %lu", (unsigned long)GetLastError());
    free(wide);
    return (void *)module;
#else
    /* RTLD_LOCAL: VSCP's drivers all define the same global symbols. */
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *error = dlerror();
        snprintf(detail, detail_size, "%s", error != NULL ? error : "no reason given");
    }
    return handle;
#endif
}

/* Address of function `row`, or NULL. On 32-bit Windows *decorated is set when only a stdcall-decorated
 * name was found. */
CF_INLINE void *cf_system_symbol(void *handle, const cf_function_row *row, int *decorated)
{
    *decorated = 0;
#if defined(_WIN32)
    {
        void *found = (void *)GetProcAddress((HMODULE)handle, row->name);
#if CF_TWO_CONVENTIONS
        char name[64];
        if (found == NULL) {
            *decorated = 1;
            snprintf(name, sizeof name, "_%s@%u", row->name, row->bytes);
            found = (void *)GetProcAddress((HMODULE)handle, name);
            if (found == NULL)
                found = (void *)GetProcAddress((HMODULE)handle, name + 1);
        }
#endif
        return found;
    }
#else
    return dlsym(handle, row->name);
#endif
}

#endif
