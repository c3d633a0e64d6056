/* canal_fast/system/windows_api.h - <windows.h> without what nobody here needs, for the headers that call Windows. */
#ifndef CANAL_FAST_SYSTEM_WINDOWS_API_H
#define CANAL_FAST_SYSTEM_WINDOWS_API_H

#include "../base.h"

#if defined(_WIN32)
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#endif

#endif
