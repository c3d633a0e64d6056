"""Builds the glue modules (canal_fast/_*.pyx), the CANAL driver libraries (canal_fast/drivers/*.c) and canal_host."""

import os
from pathlib import Path
from sysconfig import get_platform

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
SYSTEM = get_platform().partition("-")[0]  # of the machine that it is built for: linux, macosx, win, win32
WINDOWS = SYSTEM.startswith("win")
ONLY_ON = {"socketcan": "linux"}  # drivers that other systems cannot build
COMPILER_FLAGS = {"msvc": ["/O2", "/std:c11"], "unix": ["-O3", "-std=c11", "-fvisibility=hidden"]}
PACKAGES = ["capi", "cli", "drivers", "include", "include.canal_fast", "python_can"]
HEADERS = [*ROOT.glob("include/canal_fast/*.h"), *ROOT.glob("canal_fast/drivers/*.h")]
OPTIONS = {
    "include_dirs": ["include"],
    "depends": sorted(str(p.relative_to(ROOT)) for p in HEADERS),
    "libraries": ["cfgmgr32"] if WINDOWS else ["dl", "pthread"],
}


class DriverLibrary(Extension):
    """A plain shared library: no Python symbol in it, no Python ABI in its name."""


class Program(Extension):
    """A program in plain C."""


class BuildExt(build_ext):
    def build_extension(self, ext):
        ext.extra_compile_args = COMPILER_FLAGS.get(self.compiler.compiler_type, [])
        if not isinstance(ext, Program):
            return super().build_extension(ext)
        path = Path(self.get_ext_fullpath(ext.name))
        args, link = ext.extra_compile_args, os.environ.get("LDFLAGS", "").split()
        objects = self.compiler.compile(ext.sources, self.build_temp, None, ext.include_dirs, extra_postargs=args)
        self.compiler.link("executable", objects, str(path), libraries=ext.libraries, extra_preargs=link)

    def get_ext_filename(self, fullname):
        if fullname.endswith("canal_host"):
            return str(Path(*fullname.split("."))) + (".exe" if WINDOWS else "")
        if fullname.rpartition(".")[2].startswith("canal_"):  # called with and without the packages
            return str(Path(*fullname.split("."))) + (".dll" if WINDOWS else ".so")
        return super().get_ext_filename(fullname)

    def get_export_symbols(self, ext):
        return [] if isinstance(ext, DriverLibrary) else super().get_export_symbols(ext)


def extensions(kind, prefix, pattern):
    files = [p.relative_to(ROOT) for p in sorted(ROOT.glob(pattern)) if ONLY_ON.get(p.stem, SYSTEM) == SYSTEM]
    return [kind(".".join([*p.parent.parts, prefix + p.stem]), [str(p)], **OPTIONS) for p in files]


glue = extensions(Extension, "", "canal_fast/_*.pyx")

setup(
    packages=["canal_fast", *map("canal_fast.{}".format, PACKAGES)],
    package_dir={"canal_fast.include": "include"},
    package_data={
        "canal_fast": ["py.typed", "*.pyi", "*.pxd"],
        "canal_fast.capi": ["*.pxd"],
        "canal_fast.include.canal_fast": ["*.h"],
    },
    ext_modules=cythonize(glue, compiler_directives={"language_level": 3, "embedsignature": True})
    + extensions(DriverLibrary, "canal_", "canal_fast/drivers/*.c")
    + extensions(Program, "", "canal_fast/canal_host.c"),
    cmdclass={"build_ext": BuildExt},
)
