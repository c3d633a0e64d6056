"""The installed package serves C and Cython programmers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

import canal_fast as cf

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it


def test_include_folder() -> None:
    assert (Path(cf.get_include()) / "canal_fast" / "frame.h").is_file()


@pytest.mark.parametrize("level", ["-O0", "-O2"])  # a record's head is read through a type of its own
def test_a_c_program_needs_only_the_headers(level: str, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("NOT RUN: no gcc")
    (tmp_path / "main.c").write_text("""
        #include <canal_fast/wire/layout.h>
        #include <stdio.h>
        int main(void)
        {
            cf_frame frame = {0, 0x222, 0, 0, 5, {0x00, 0x11, 0x22, 0x33, 0x44}};
            printf("%u\\n", cf_frame_length_bits(&frame));
            return 0;
        }
        """)
    command = ["gcc", "-std=c11", level, "-Wall", "-Werror", f"-I{cf.get_include()}", "main.c", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert subprocess.run(["./main"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "87\n"


def test_another_package_can_cimport_the_declarations(tmp_path: Path) -> None:
    pytest.importorskip("Cython")
    (tmp_path / "user.pyx").write_text(
        textwrap.dedent("""
        from canal_fast.capi.frame cimport cf_frame, cf_payload_length
        def size(): return sizeof(cf_frame), cf_payload_length(0, 15)
        """)
    )
    (tmp_path / "setup.py").write_text(
        textwrap.dedent("""
        import canal_fast
        from setuptools import Extension, setup
        from Cython.Build import cythonize
        setup(ext_modules=cythonize([Extension("user", ["user.pyx"], include_dirs=[canal_fast.get_include()])],
                                    language_level=3))
        """)
    )
    build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    code = "import user; print(user.size())"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout == "(24, 8)\n"


def test_driver_library_has_no_python_in_its_name() -> None:
    folder = Path(cf.__file__).parent / "drivers"
    assert (folder / f"canal_virtual.{'dll' if sys.platform == 'win32' else 'so'}").is_file()
    assert not list(folder.glob(f"canal_*{sysconfig.get_config_var('EXT_SUFFIX')}"))
