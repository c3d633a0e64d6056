"""Builds the glue modules (canal_fast/**/_*.pyx), the CANAL drivers (canal_fast/drivers/*/*.c) and canal_host."""

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
FLAGS["unix"].append("-ffp-contract=off")  # a fused multiply-add decodes signals to other numbers
if SYSTEM == "win32" or get_platform().endswith("-i686"):
    FLAGS["unix"] += ["-msse2", "-mfpmath=sse"]  # and so do the x87's 80 bits
if "-g" not in os.environ.get("CFLAGS", "").split():
    FLAGS["unix"].append("-g0")  # Python's own flags ask for debug information, several times the code's size
HEADERS = [*ROOT.glob("include/**/*.h"), *ROOT.glob("canal_fast/**/*.h")]
OPTIONS = {
    "include_dirs": ["include"],
    "depends": sorted(str(p.relative_to(ROOT)) for p in HEADERS),
    "libraries": ["cfgmgr32"] if WINDOWS else ["dl", "pthread"],
}
PLAIN = {"canal_host": ".exe" if WINDOWS else ""}  # what has no Python in it, and how its file's name ends


def packages():
    """Every folder of canal_fast/ and of include/, which is installed beneath the package."""
    ours = [p for suffix in ("py", "pxd", "h") for p in ROOT.glob(f"canal_fast/**/*.{suffix}")]
    folders = {path.parent.relative_to(ROOT) for path in ours}
    folders |= {Path("canal_fast") / path.parent.relative_to(ROOT) for path in ROOT.glob("include/**/*.h")}
    folders.add(Path("canal_fast/include"))
    return sorted(".".join(folder.parts) for folder in folders if "__pycache__" not in folder.parts)


def extension(path, name=None):
    path = path.relative_to(ROOT)
    return Extension(".".join([*path.parent.parts, name or path.stem]), [str(path)], **OPTIONS)


def drivers():
    """canal_fast/drivers/virtual/virtual.c becomes canal_fast/drivers/canal_virtual.so."""
    for path in sorted(ROOT.glob("canal_fast/drivers/*/*.c")):
        if path.stem == path.parent.name and ONLY_ON.get(path.stem, SYSTEM) == SYSTEM:
            name = f"canal_{path.stem}"
            PLAIN[name] = ".dll" if WINDOWS else ".so"
            yield Extension(f"canal_fast.drivers.{name}", [str(path.relative_to(ROOT))], **OPTIONS)


class BuildExt(build_ext):
    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

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


modules = [extension(path) for path in sorted(ROOT.glob("canal_fast/**/_*.pyx"))]
workers = os.cpu_count() if SYSTEM == "linux" else 0  # elsewhere its processes would run this file again
glue = cythonize(modules, nthreads=workers, compiler_directives={"language_level": 3, "embedsignature": True})
setup(
    packages=packages(),
    package_dir={"canal_fast.include": "include"},
    package_data={"": ["py.typed", "*.pyi", "*.pxd", "*.h"], "canal_fast.report": ["page.*"]},
    ext_modules=[*glue, *drivers(), extension(ROOT / "canal_fast" / "canal_host.c")],
    cmdclass={"build_ext": BuildExt},
)
