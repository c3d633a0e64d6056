"""`python fakes.py FOLDER`: tests/fake_canal as Windows DLLs of both bitnesses, FOLDER/BITS/VARIANT/usb2can.dll."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "fake_canal" / "fake_canal.c"
COMPILERS = {"64": "x86_64-w64-mingw32-gcc", "32": "i686-w64-mingw32-gcc"}
PLAIN = "-Wl,--kill-at"  # CanalOpen, as usb2can.dll has it; without: CanalOpen@8
EXPORTS = """CanalOpen@8 CanalClose@4 CanalGetLevel@4 CanalSend@8 CanalReceive@8 CanalBlockingSend@12
CanalBlockingReceive@12 CanalDataAvailable@4 CanalGetStatus@8 CanalGetStatistics@8 CanalGetVersion@0
CanalGetDllVersion@0 CanalGetVendorString@0 FakeCount""".split()  # _CanalOpen@8, as Microsoft's compiler has it

VARIANTS = {
    "plain": [PLAIN],
    "at": [],
    "underscore": ["-DEXPORT(type)=type", "exports.def"],
    "cdecl": ["-DFAKE_CDECL", PLAIN],
    "cdecl_four": ["-DFAKE_CDECL", "-DFAKE_FOUR", PLAIN],
    "generation_1": ["-DFAKE_GEN1", PLAIN],
    "needs_missing": ["-DFAKE_NEEDS", PLAIN, "helper.dll"],
    "needs_other_bits": ["-DFAKE_NEEDS", PLAIN, "helper.dll"],
}


def build(folder: Path) -> None:
    (folder / "exports.def").write_text("EXPORTS\n" + "".join(f'"{"_" * ("@" in name)}{name}" = "{name}"\n' for name in EXPORTS))
    (folder / "helper.c").write_text("__declspec(dllexport) void function_that_no_library_has(void) {}\n")
    for bits, compiler in COMPILERS.items():
        here = folder / bits
        for variant, options in VARIANTS.items():
            (here / variant).mkdir(parents=True, exist_ok=True)
        link([compiler], folder / "helper.c", here / "helper.dll")
        for variant, options in VARIANTS.items():
            paths = {"exports.def": str(folder / "exports.def"), "helper.dll": str(here / "helper.dll")}
            if bits == "64" and variant == "underscore":
                continue  # there is one convention, and no decoration
            words = [paths.get(word, word) for word in options]
            link([compiler, "-std=gnu11", "-w"], SOURCE, here / variant / "usb2can.dll", *words, "-lpthread")
    for bits, other in (("64", "32"), ("32", "64")):
        target = folder / bits / "needs_other_bits" / "helper.dll"
        target.write_bytes((folder / other / "helper.dll").read_bytes())


def link(command: list[str], source: Path, target: Path, *options: str) -> None:
    command = [*command, "-O1", "-shared", "-static", "-s", str(source), *options, "-o", str(target)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve())
