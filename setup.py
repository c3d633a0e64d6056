"""Builds the glue modules (canal_fast/_*.pyx) and the CANAL driver libraries (canal_fast/drivers/*.c)."""

import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

WINDOWS = sys.platform == "win32"
ROOT = Path(__file__).parent
HEADERS = [*ROOT.glob("include/canal_fast/*.h"), *ROOT.glob("canal_fast/drivers/*.h")]
DEPENDS = sorted(str(p.relative_to(ROOT)) for p in HEADERS)
OPTIONS = {
    "include_dirs": ["include"],
    "depends": DEPENDS,
    "extra_compile_args": [] if WINDOWS else ["-O3", "-std=c11", "-fvisibility=hidden"],
    "libraries": [] if WINDOWS else ["dl", "pthread"],
}


class DriverLibrary(Extension):
    """A plain shared library: no Python symbol in it, no Python ABI in its name."""


class Program(Extension):
    """A program in plain C."""


class BuildExt(build_ext):
    def build_extension(self, ext):
        if not isinstance(ext, Program):
            return super().build_extension(ext)
        path = Path(self.get_ext_fullpath(ext.name))
        path.parent.mkdir(parents=True, exist_ok=True)
        objects = self.compiler.compile(
            ext.sources, self.build_temp, None, ext.include_dirs, False, None, ext.extra_compile_args
        )
        self.compiler.link(self.compiler.EXECUTABLE, objects, str(path), libraries=ext.libraries)

    def get_ext_filename(self, fullname):
        if fullname.endswith("canal_host"):
            return str(Path(*fullname.split("."))) + (".exe" if WINDOWS else "")
        if fullname.rpartition(".")[2].startswith("canal_"):  # called with and without the packages
            return str(Path(*fullname.split("."))) + (".dll" if WINDOWS else ".so")
        return super().get_ext_filename(fullname)

    def get_export_symbols(self, ext):
        return [] if isinstance(ext, DriverLibrary) else super().get_export_symbols(ext)


glue = [
    Extension(f"canal_fast.{p.stem}", [str(p.relative_to(ROOT))], **OPTIONS)
    for p in sorted(ROOT.glob("canal_fast/_*.pyx"))
]
drivers = [
    DriverLibrary(f"canal_fast.drivers.canal_{p.stem}", [str(p.relative_to(ROOT))], **OPTIONS)
    for p in sorted(ROOT.glob("canal_fast/drivers/*.c"))
]
host = Program("canal_fast.canal_host", ["canal_fast/canal_host.c"], **OPTIONS)

setup(
    packages=[
        "canal_fast",
        "canal_fast.capi",
        "canal_fast.cli",
        "canal_fast.drivers",
        "canal_fast.include",
        "canal_fast.include.canal_fast",
    ],
    package_dir={"canal_fast": "canal_fast", "canal_fast.include": "include"},
    package_data={
        "canal_fast": ["py.typed", "*.pyi", "*.pxd"],
        "canal_fast.capi": ["*.pxd"],
        "canal_fast.include.canal_fast": ["*.h"],
    },
    ext_modules=cythonize(glue, compiler_directives={"language_level": 3, "embedsignature": True}) + drivers + [host],
    cmdclass={"build_ext": BuildExt},
)
