/* canal_fast/system/process_windows.h - process.h's pieces on Windows. */
#ifndef CANAL_FAST_SYSTEM_PROCESS_WINDOWS_H
#define CANAL_FAST_SYSTEM_PROCESS_WINDOWS_H

#include "../atomic.h"
#include "bell.h"

#if defined(_WIN32)

#include <stdio.h>
#include <stdlib.h>

typedef struct cf_memory {
    void *at;
    size_t size;
    HANDLE section;
} cf_memory;

typedef struct cf_process {
    HANDLE native;
    cf_atomic_u32 id; /* other threads ask for it while the next host is started */
    int ended;
    long exit_code; /* its exit status, or the exception that ended it */
} cf_process;

enum { CF_INHERITED = 4 }; /* memory, up, down, parent */

CF_INLINE cf_status cf_memory_map(cf_memory *memory)
{
    memory->at = MapViewOfFile(memory->section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
    return memory->at != NULL ? CF_OK : CF_NO_MEMORY;
}

CF_INLINE void cf_memory_free(cf_memory *memory)
{
    UnmapViewOfFile(memory->at);
    CloseHandle(memory->section);
}

CF_INLINE cf_status cf_memory_make(cf_memory *memory, size_t size)
{
    memory->size = size;
    memory->section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, (DWORD)((uint64_t)size >> 32),
                                         (DWORD)size, NULL);
    if (memory->section == NULL)
        return CF_NO_MEMORY;
    if (cf_memory_map(memory) == CF_OK)
        return CF_OK;
    CloseHandle(memory->section);
    return CF_NO_MEMORY;
}

CF_INLINE cf_status cf_memory_adopt(cf_memory *memory, uint64_t inherited)
{
    MEMORY_BASIC_INFORMATION about;
    memory->section = (HANDLE)(uintptr_t)inherited;
    if (cf_memory_map(memory) != CF_OK || VirtualQuery(memory->at, &about, sizeof about) == 0)
        return CF_NO_MEMORY;
    memory->size = about.RegionSize;
    return CF_OK;
}

CF_INLINE void cf_bell_adopt(cf_bell *bell, uint64_t inherited)
{
    bell->event = (HANDLE)(uintptr_t)inherited;
    bell->open = 1;
}

CF_INLINE unsigned long cf_handle_number(HANDLE handle)
{
    return (unsigned long)(uintptr_t)handle;
}

/* Starts `path` with what it inherits, which is nothing else. 0: GetLastError says why not. */
CF_INLINE int cf_process_create(cf_process *process, const wchar_t *path, HANDLE *inherited)
{
    STARTUPINFOEXW start;
    PROCESS_INFORMATION made;
    SIZE_T size = 0;
    char text[100];
    wchar_t line[sizeof text];
    int i, done = 0;
    memset(&start, 0, sizeof start);
    memset(&made, 0, sizeof made);
    /* Only the lower 32 bits of a handle count, so that programs of either bitness can inherit it. */
    snprintf(text, sizeof text, "canal_host %lu %lu %lu %lu", cf_handle_number(inherited[0]),
             cf_handle_number(inherited[1]), cf_handle_number(inherited[2]), cf_handle_number(inherited[3]));
    for (i = 0; i < (int)sizeof text; i++)
        line[i] = (wchar_t)text[i];
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    start.StartupInfo.cb = sizeof start;
    start.lpAttributeList = (LPPROC_THREAD_ATTRIBUTE_LIST)malloc(size);
    if (start.lpAttributeList != NULL && InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size)) {
        done = UpdateProcThreadAttribute(start.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inherited,
                                         CF_INHERITED * sizeof *inherited, NULL, NULL) &&
               CreateProcessW(path, line, NULL, NULL, TRUE,
                              EXTENDED_STARTUPINFO_PRESENT | CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP, NULL, NULL,
                              &start.StartupInfo, &made);
        DeleteProcThreadAttributeList(start.lpAttributeList);
    }
    free(start.lpAttributeList);
    if (done)
        CloseHandle(made.hThread);
    process->native = made.hProcess;
    cf_atomic_u32_store_relaxed(&process->id, made.dwProcessId);
    return done;
}

CF_INLINE cf_status cf_process_start(cf_process *process, const char *path, const cf_memory *memory, const cf_bell *up,
                                     const cf_bell *down, long *code)
{
    const HANDLE self = GetCurrentProcess(), own[CF_INHERITED] = {memory->section, up->event, down->event, self};
    HANDLE inherited[CF_INHERITED] = {NULL, NULL, NULL, NULL};
    wchar_t wide[1024];
    int i, good = MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, sizeof wide / sizeof *wide) > 0;
    for (i = 0; i < CF_INHERITED && good; i++) /* of itself it hands out no more than the right to wait for its end */
        good = DuplicateHandle(self, own[i], self, &inherited[i], SYNCHRONIZE, TRUE,
                               own[i] == self ? 0 : DUPLICATE_SAME_ACCESS);
    good = good && cf_process_create(process, wide, inherited);
    *code = good ? 0 : (long)GetLastError();
    for (i = 0; i < CF_INHERITED; i++)
        if (inherited[i] != NULL)
            CloseHandle(inherited[i]);
    process->ended = !good;
    return good ? CF_OK : CF_HOST_FAILED;
}

CF_INLINE int cf_process_ended(cf_process *process)
{
    DWORD code = 0;
    if (process->ended)
        return 1;
    if (WaitForSingleObject(process->native, 0) != WAIT_OBJECT_0)
        return 0;
    GetExitCodeProcess(process->native, &code);
    CloseHandle(process->native);
    process->ended = 1;
    process->exit_code = (long)code;
    return 1;
}

CF_INLINE void cf_process_kill(cf_process *process)
{
    if (!cf_process_ended(process))
        TerminateProcess(process->native, 1);
}

CF_INLINE uint64_t cf_process_number(const cf_process *process)
{
    return cf_atomic_u32_load_relaxed(&process->id);
}

CF_INLINE void cf_process_leave(int exit_code)
{
    TerminateProcess(GetCurrentProcess(), (UINT)exit_code); /* no driver's DllMain could hang this */
}

CF_INLINE LONG WINAPI cf_process_crashed(EXCEPTION_POINTERS *exception)
{
    TerminateProcess(GetCurrentProcess(), exception->ExceptionRecord->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}

/* No dialogue waits for somebody to click when a driver crashes. The process was given no console. */
CF_INLINE void cf_process_detach(void)
{
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    SetUnhandledExceptionFilter(cf_process_crashed);
}

CF_INLINE int cf_parent_gone(uint64_t parent)
{
    return WaitForSingleObject((HANDLE)(uintptr_t)parent, 0) == WAIT_OBJECT_0;
}

#endif

#endif
