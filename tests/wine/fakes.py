"""`python fakes.py FOLDER`: fake DLLs, FOLDER/{64,32}/VARIANT/usb2can.dll and FOLDER/{64,32}/cfgmgr32.dll."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "fake_canal" / "fake_canal.c"
MANAGER = Path(__file__).resolve().parent / "fake_cfgmgr32.c"
COMPILERS = {"64": "x86_64-w64-mingw32-gcc", "32": "i686-w64-mingw32-gcc"}
PLAIN = "-Wl,--kill-at"  # CanalOpen, as usb2can.dll has it; without: CanalOpen@8
# As Microsoft's compiler would decorate them: _CanalOpen@8.
ARGUMENT_BYTES = {"Open": 8, "Close": 4, "GetLevel": 4, "Send": 8, "Receive": 8, "BlockingSend": 12}
ARGUMENT_BYTES |= {"BlockingReceive": 12, "DataAvailable": 4, "GetStatus": 8, "GetStatistics": 8, "GetVersion": 0}
ARGUMENT_BYTES |= {"GetDllVersion": 0, "GetVendorString": 0}

VARIANTS = {
    "plain": [PLAIN],
    "at": [],
    "underscore": ["-DEXPORT(type)=type", "exports.def"],
    "cdecl": ["-DFAKE_CDECL", PLAIN],
    "cdecl_four": ["-DFAKE_CDECL", "-DFAKE_FOUR", PLAIN],
    **{f"version_1_{i}": ["-DFAKE_DLL_VERSION=0x00060001", PLAIN] for i in range(3)},  # a copy, a set of variables
    **{f"version_2_{i}": ["-DFAKE_DLL_VERSION=0x00000002", PLAIN] for i in range(3)},
    "generation_1": ["-DFAKE_GEN1", PLAIN],
    "needs_missing": ["-DFAKE_NEEDS", PLAIN, "helper.dll"],
    "needs_other_bits": ["-DFAKE_NEEDS", PLAIN, "helper.dll"],
}


def build(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    exports = [f'"_Canal{name}@{size}" = "Canal{name}@{size}"\n' for name, size in ARGUMENT_BYTES.items()]
    (folder / "exports.def").write_text("".join(["EXPORTS\n", *exports, "FakeCount\n"]))
    (folder / "helper.c").write_text("__declspec(dllexport) void function_that_no_library_has(void) {}\n")
    for bits, compiler in COMPILERS.items():
        here = folder / bits
        for variant in VARIANTS:
            (here / variant).mkdir(parents=True, exist_ok=True)
        link([compiler], folder / "helper.c", here / "helper.dll")
        link([compiler], MANAGER, here / "cfgmgr32.dll", PLAIN)
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
