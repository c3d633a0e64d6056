/* launcher.c - python.exe for a python311.dll that came without one. */
#include <windows.h>

#include <wchar.h>

typedef int(__cdecl *py_main)(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    HMODULE python = LoadLibraryW(L"python311.dll");
    py_main run = python ? (py_main)(void *)GetProcAddress(python, "Py_Main") : NULL;
    return run ? run(argc, argv) : 127;
}
