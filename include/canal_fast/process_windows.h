/* canal_fast/process_windows.h - process.h's pieces on Windows. */
#ifndef CANAL_FAST_PROCESS_WINDOWS_H
#define CANAL_FAST_PROCESS_WINDOWS_H

#include "bell.h"

#endif
