/* canal_fast/system/process_posix.h - process.h's pieces on Linux; other POSIX systems say CF_NOT_SUPPORTED. */
#ifndef CANAL_FAST_SYSTEM_PROCESS_POSIX_H
#define CANAL_FAST_SYSTEM_PROCESS_POSIX_H

#include "../atomic.h"
#include "bell.h"

#if !defined(_WIN32)

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

extern char **environ;

typedef struct cf_memory {
    void *at;
    size_t size;
    int fd;
} cf_memory;

typedef struct cf_process {
    cf_atomic_u32 id; /* other threads ask for it while the next host is started */
    int ended;
    long exit_code; /* its exit status; -n: killed by signal n; CF_EXIT_UNKNOWN */
} cf_process;

enum { CF_FIRST_INHERITED = 3, CF_INHERITED = 3 }; /* descriptors 3, 4, 5: memory, up, down */

CF_INLINE cf_status cf_memory_map(cf_memory *memory)
{
    memory->at = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
    return memory->at != MAP_FAILED ? CF_OK : CF_NO_MEMORY;
}

CF_INLINE cf_status cf_memory_make(cf_memory *memory, size_t size)
{
#if defined(__linux__)
#if !defined(__cplusplus) && !defined(_GNU_SOURCE)
    int memfd_create(const char *name, unsigned flags); /* hidden without _GNU_SOURCE, as are the numbers below */
#endif
    enum { CLOEXEC_AND_SEALING = 3, ADD_SEALS = 1033, NO_RESIZING = 7 };
    memory->size = size;
    memory->fd = memfd_create("canal_fast", CLOEXEC_AND_SEALING);
    if (memory->fd < 0)
        return CF_NO_MEMORY;
    if (ftruncate(memory->fd, (off_t)size) == 0 && fcntl(memory->fd, ADD_SEALS, NO_RESIZING) == 0 &&
        cf_memory_map(memory) == CF_OK)
        return CF_OK;
    close(memory->fd);
    return CF_NO_MEMORY;
#else
    (void)memory;
    (void)size;
    return CF_NOT_SUPPORTED;
#endif
}

CF_INLINE void cf_memory_free(cf_memory *memory)
{
    munmap(memory->at, memory->size);
    close(memory->fd);
}

CF_INLINE cf_status cf_memory_adopt(cf_memory *memory, uint64_t inherited)
{
    off_t size;
    memory->fd = (int)inherited;
    size = lseek(memory->fd, 0, SEEK_END);
    memory->size = size > 0 ? (size_t)size : 0;
    fcntl(memory->fd, F_SETFD, FD_CLOEXEC);
    return size > 0 ? cf_memory_map(memory) : CF_NO_MEMORY;
}

CF_INLINE void cf_bell_adopt(cf_bell *bell, uint64_t inherited)
{
    bell->read_fd = bell->write_fd = (int)inherited;
    fcntl(bell->read_fd, F_SETFD, FD_CLOEXEC);
    bell->open = 1;
}

CF_INLINE cf_status cf_process_start(cf_process *process, const char *path, const cf_memory *memory, const cf_bell *up,
                                     const cf_bell *down, long *code)
{
    const int inherited[CF_INHERITED] = {memory->fd, up->write_fd, down->read_fd};
    int spare[CF_INHERITED] = {-1, -1, -1}, i, error;
    char parent[24];
    char *arguments[] = {
        (char *)(uintptr_t)path, (char *)(uintptr_t)"3", (char *)(uintptr_t)"4", (char *)(uintptr_t)"5", parent, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    pid_t started = 0;
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (i = 0; i < CF_INHERITED; i++) { /* out of the way of those that they become */
        spare[i] = fcntl(inherited[i], F_DUPFD_CLOEXEC, CF_FIRST_INHERITED + CF_INHERITED);
        posix_spawn_file_actions_adddup2(&actions, spare[i], CF_FIRST_INHERITED + i);
    }
    /* A process group of its own: what is typed at the terminal is for the program, not for its host. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    error = posix_spawn(&started, path, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    for (i = 0; i < CF_INHERITED; i++)
        close(spare[i]);
    if (error == 0)
        cf_atomic_u32_store_relaxed(&process->id, (uint32_t)started);
    process->ended = error != 0;
    *code = error;
    return error == 0 ? CF_OK : CF_HOST_FAILED;
}

CF_INLINE uint64_t cf_process_number(const cf_process *process)
{
    return cf_atomic_u32_load_relaxed(&process->id);
}

CF_INLINE int cf_process_ended(cf_process *process)
{
    int how = 0;
    pid_t got;
    if (process->ended)
        return 1;
    do
        got = waitpid((pid_t)cf_process_number(process), &how, WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return 0;
    process->ended = 1;
    process->exit_code = WIFSIGNALED(how) ? -(long)WTERMSIG(how) : (long)WEXITSTATUS(how);
    if (got < 0)
        process->exit_code = CF_EXIT_UNKNOWN;
    return 1;
}

CF_INLINE void cf_process_kill(cf_process *process)
{
    if (!cf_process_ended(process)) /* so the number is still its own */
        kill((pid_t)cf_process_number(process), SIGKILL);
}

/* Ends this process at once: what a driver left to be done at the end could hang. */
CF_INLINE void cf_process_leave(int exit_code)
{
    _exit(exit_code);
}

/* Closes what this process inherited beyond the descriptors that are meant for it: a program keeps its own from those
 * it starts, but who started the program may not have. */
CF_INLINE void cf_process_close_others(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        const int fd = atoi(entry->d_name);
        if (fd >= CF_FIRST_INHERITED + CF_INHERITED && fd != dirfd(folder))
            close(fd);
    }
    if (folder != NULL)
        closedir(folder);
}

/* What a driver prints is not the program's output, and what is typed is not for the driver. Needs that nothing has
 * been opened yet. */
CF_INLINE void cf_process_detach(void)
{
    int nothing;
    cf_process_close_others();
    nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nothing, 0);
    if (dup2(2, 1) < 0)
        dup2(nothing, 1);
    if (nothing > 2)
        close(nothing);
}

CF_INLINE int cf_parent_gone(uint64_t parent)
{
    return getppid() != (pid_t)parent;
}

#endif

#endif
