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
FLAGS = {"msvc": ["/O2", "/std:c11"], "unix": ["-O3", "-std=c11", "-fvisibility=hidden"]}  # by kind of compiler
PACKAGES = ["capi", "cli", "drivers", "include", "include.canal_fast", "include.canal_fast.signals", "python_can", "signals"]
HEADERS = [*ROOT.glob("include/canal_fast/**/*.h"), *ROOT.glob("canal_fast/drivers/*.h")]
OPTIONS = {
    "include_dirs": ["include"],
    "depends": sorted(str(p.relative_to(ROOT)) for p in HEADERS),
    "libraries": ["cfgmgr32"] if WINDOWS else ["dl", "pthread"],
}
PLAIN = {"canal_host": ".exe" if WINDOWS else ""}  # what has no Python in it, and how its file's name ends


def extensions(pattern, plain=None):
    for path in sorted(p.relative_to(ROOT) for p in ROOT.glob(pattern)):
        if ONLY_ON.get(path.stem, SYSTEM) == SYSTEM:
            name = path.stem if plain is None else f"canal_{path.stem}"
            PLAIN.update({} if plain is None else {name: plain})
            yield Extension(".".join([*path.parent.parts, name]), [str(path)], **OPTIONS)


class BuildExt(build_ext):
    def build_extension(self, ext):
        ext.extra_compile_args = flags = FLAGS.get(self.compiler.compiler_type, [])
        if not ext.name.endswith("canal_host"):
            return super().build_extension(ext)
        link = {"libraries": ext.libraries, "extra_preargs": os.environ.get("LDFLAGS", "").split()}
        objects = self.compiler.compile(ext.sources, self.build_temp, None, ext.include_dirs, extra_postargs=flags)
        self.compiler.link("executable", objects, self.get_ext_fullpath(ext.name), **link)

    def get_ext_filename(self, fullname):  # called with and without the packages
        suffix = PLAIN.get(fullname.rpartition(".")[2])
        return super().get_ext_filename(fullname) if suffix is None else fullname.replace(".", os.sep) + suffix

    def get_export_symbols(self, ext):
        return [] if ext.name.rpartition(".")[2] in PLAIN else super().get_export_symbols(ext)


glue = cythonize([*extensions("canal_fast/**/_*.pyx")], compiler_directives={"language_level": 3, "embedsignature": True})
plain = [*extensions("canal_fast/drivers/*.c", ".dll" if WINDOWS else ".so"), *extensions("canal_fast/canal_host.c")]
setup(
    packages=["canal_fast", *map("canal_fast.{}".format, PACKAGES)],
    package_dir={"canal_fast.include": "include"},
    package_data={"": ["py.typed", "*.pyi", "*.pxd", "*.h"]},
    ext_modules=glue + plain,
    cmdclass={"build_ext": BuildExt},
)
