/* canal_fast/system/process.h - starting a program that shares memory and bells with this one, and with nobody else.
 *
 * The memory has no name: it is inherited. Both programs know the other's end.
 */
#ifndef CANAL_FAST_SYSTEM_PROCESS_H
#define CANAL_FAST_SYSTEM_PROCESS_H

#if defined(_WIN32)
#include "process_windows.h"
#else
#include "process_posix.h"
#endif

/* The pieces, on each system:
 *
 * cf_memory_make      memory of `size` zero bytes, whose size nobody can change. CF_OK, CF_NO_MEMORY,
 *                     CF_NOT_SUPPORTED
 * cf_process_start    runs `path` with its numbers for memory, up, down and parent as arguments. CF_OK, or
 *                     CF_HOST_FAILED with the system's error in *code
 * cf_memory_adopt     in the started program: the memory, from its number
 * cf_bell_adopt       the same for a bell
 * cf_parent_gone      the same for the parent: has it ended?
 * cf_process_detach   in the started program: its standard streams are nobody's
 * cf_process_leave    ends it from within
 * cf_process_ended    has the started program? If so, exit_code tells how
 * cf_process_kill     ends it, soon
 * cf_process_number   as other programs know it
 */

#endif
