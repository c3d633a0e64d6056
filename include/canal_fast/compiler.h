/* canal_fast/compiler.h - which compiler this is, for reports of errors. */
#ifndef CANAL_FAST_COMPILER_H
#define CANAL_FAST_COMPILER_H

#include "base.h"

#define CF_COMPILER_TEXT(x) #x
#define CF_COMPILER_NUMBER(x) CF_COMPILER_TEXT(x)

#if defined(__clang__)
#define CF_COMPILER __VERSION__ /* it begins with the name */
#elif defined(__GNUC__)
#define CF_COMPILER "GCC " __VERSION__
#elif defined(_MSC_FULL_VER)
#define CF_COMPILER "MSVC " CF_COMPILER_NUMBER(_MSC_FULL_VER)
#else
#define CF_COMPILER "unknown"
#endif

#endif
