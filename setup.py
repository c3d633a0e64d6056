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
FLAGS = {"msvc": ["/O2", "/std:c11"], "unix": ["-std=c11", "-fvisibility=hidden"]}  # by kind of compiler
LEVELS = {  # by module, else by wing; by benchmarks/instructions.py, others lose nothing at -O2
    **dict.fromkeys(("_cyutility", "_arrow", "_devices", "_profiles", "_periodic", "_play"), "-Os"),
    **dict.fromkeys(("_acceptance", "_account", "_lines", "_messages"), "-Os"),
    **dict.fromkeys(("wire", "signals", "waveform", "analysis", "simulation", "canal_virtual"), "-O3"),
}
FLAGS["unix"].append("-ffp-contract=off")  # a fused multiply-add decodes signals to other numbers
if SYSTEM == "win32" or get_platform().endswith("-i686"):
    FLAGS["unix"] += ["-msse2", "-mfpmath=sse"]  # and so do the x87's 80 bits
ASKED, LINK = os.environ.get("CFLAGS", "").split(), []
if "-g" not in ASKED:
    FLAGS["unix"].append("-g0")  # Python's own flags ask for debug information, several times the code's size
    LINK += [] if SYSTEM == "macosx" else ["-Wl,-s"]
HEADERS = [*ROOT.glob("include/**/*.h"), *ROOT.glob("canal_fast/**/*.h")]
OPTIONS = {
    "include_dirs": ["include"],
    "depends": sorted(str(p.relative_to(ROOT)) for p in HEADERS),
    "libraries": ["cfgmgr32"] if WINDOWS else ["dl", "pthread"],
}
SHARED = "canal_fast._cyutility"  # what Cython would put into every module
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
        kind, names = self.compiler.compiler_type, ext.name.split(".")
        flags = FLAGS.get(kind, [])
        if kind == "unix":
            if not any(flag.startswith("-O") for flag in ASKED):
                flags = [next((level for name, level in LEVELS.items() if name in names), "-O2"), *flags]
            ext.extra_link_args = LINK
        ext.extra_compile_args = flags
        if not ext.name.endswith("canal_host"):
            return super().build_extension(ext)
        before = [*os.environ.get("LDFLAGS", "").split(), *ext.extra_link_args]
        link = {"libraries": ext.libraries, "extra_preargs": before}
        objects = self.compiler.compile(ext.sources, self.build_temp, None, ext.include_dirs, extra_postargs=flags)
        self.compiler.link("executable", objects, self.get_ext_fullpath(ext.name), **link)

    def get_ext_filename(self, fullname):  # called with and without the packages
        suffix = PLAIN.get(fullname.rpartition(".")[2])
        return super().get_ext_filename(fullname) if suffix is None else fullname.replace(".", os.sep) + suffix

    def get_export_symbols(self, ext):
        return [] if ext.name.rpartition(".")[2] in PLAIN else super().get_export_symbols(ext)


modules = [extension(path) for path in sorted(ROOT.glob("canal_fast/**/_*.pyx"))]
(ROOT / "build").mkdir(exist_ok=True)
modules.append(Extension(SHARED, ["build/_cyutility.c"]))  # Cython writes it
workers = os.cpu_count() if SYSTEM == "linux" else 0  # elsewhere its processes would run this file again
directives = {
    "language_level": 3,
    "binding": False,  # plain built-in functions take a tenth less room, and less time a call
    "auto_pickle": False,  # what holds C's memory is not pickled
    "embedsignature": True,
    "embedsignature.format": "clinic",  # what inspect.signature reads
}
glue = cythonize(modules, nthreads=workers, compiler_directives=directives, shared_utility_qualified_name=SHARED)
setup(
    packages=packages(),
    package_dir={"canal_fast.include": "include"},
    include_package_data=False,  # or the wheel has whatever the sdist has
    package_data={"": ["py.typed", "*.pyi", "*.pxd", "*.h"], "canal_fast.report": ["page.*"]},
    ext_modules=[*glue, *drivers(), extension(ROOT / "canal_fast" / "canal_host.c")],
    cmdclass={"build_ext": BuildExt},
)
