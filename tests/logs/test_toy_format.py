"""A format is one header, its include and one row: a toy one is added to a copy of the tree, built, round-tripped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADER = r"""/* toy.h - a log format that exists for a test: "TOY1", then 80-byte records as they stand in memory. */
#ifndef CANAL_FAST_LOGS_TOY_H
#define CANAL_FAST_LOGS_TOY_H

#include "reading.h"

CF_INLINE int cf_toy_recognise(const uint8_t *head, size_t size, int whole)
{
    (void)whole;
    return size >= 4 && memcmp(head, "TOY1", 4) == 0 ? CF_LOG_SURE : CF_LOG_NO;
}

CF_INLINE cf_status cf_toy_read(cf_log_reader *reader, cf_log_call *call)
{
    uint8_t *begun = (uint8_t *)reader->own;
    if (!*begun) {
        if (call->size < 4)
            return CF_OK;
        *begun = 1;
        call->consumed = 4;
    }
    while (call->made < call->capacity && call->size - call->consumed >= sizeof(cf_fd_frame)) {
        cf_fd_frame frame;
        cf_status status;
        memcpy(&frame, call->data + call->consumed, sizeof frame);
        status = cf_log_put(reader, call, &frame);
        if (status != CF_OK)
            return status;
        call->consumed += sizeof frame;
    }
    return CF_OK;
}

CF_INLINE size_t cf_toy_write(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                              size_t capacity, size_t *used)
{
    size_t i, room = capacity / sizeof(cf_fd_frame);
    for (i = 0; i < count && i < room; i++) {
        memset(out + i * sizeof(cf_fd_frame), 0, sizeof(cf_fd_frame));
        memcpy(out + i * sizeof(cf_fd_frame), (const uint8_t *)frames + i * stride, stride);
    }
    writer->progress.frames += i;
    *used = i * sizeof(cf_fd_frame);
    return i;
}

CF_INLINE size_t cf_toy_begin(cf_log_writer *writer, const char *application, uint8_t *out)
{
    (void)writer;
    (void)application;
    memcpy(out, "TOY1", 4);
    return 4;
}

CF_INLINE const cf_log_format *cf_log_format_toy(void)
{
    static const cf_log_target target = {1, 1, INT64_MIN, INT64_MAX, 256, 0, NULL, NULL, NULL, NULL};
    static const cf_log_format row = {
        "toy", "a toy", ".toy", "record", 0, CF_LOG_KEEPS_FD, 1, cf_toy_recognise, cf_toy_read, cf_toy_write,
        sizeof(cf_fd_frame), cf_toy_begin, NULL, NULL, &target};
    return &row;
}

#endif
"""
PROGRAM = """
import sys, numpy as np, canal_fast as cf
path = sys.argv[1]
frames = cf.make_frames(np.arange(1000), bytes(range(8)), timestamp_ns=np.arange(1000) * 7, channel=3)
cf.write_log(path, frames)
with cf.logs.open_log(path) as log:
    assert log.format == "toy", log.format
    assert np.array_equal(log.read(fd=False), frames)
    assert log.interfaces[0].frames == 1000
assert "toy" in [row.name for row in cf.logs.formats()]
assert open(path, "rb").read(4) == b"TOY1"
"""


@pytest.mark.slow
@pytest.mark.unsanitized
def test_a_toy_format(tmp_path: Path) -> None:
    pytest.importorskip("Cython", reason="NOT RUN: Cython is not installed")
    pytest.importorskip("setuptools", reason="NOT RUN: setuptools is not installed")
    tree = tmp_path / "tree"
    ignored = shutil.ignore_patterns(".git", "build", "*.so", "*.egg-info", "tests", "benchmarks", "__pycache__")
    shutil.copytree(ROOT, tree, ignore=ignored)
    (tree / "include/canal_fast/logs/toy.h").write_text(HEADER)
    table = tree / "include/canal_fast/logs/formats.h"
    text = table.read_text()
    text = text.replace('#include "pcapng.h"\n', '#include "pcapng.h"\n#include "toy.h"\n', 1)
    text = text.replace("    X(pcapng)", "    X(toy) \\\n    X(pcapng)", 1)
    assert text.count("toy") == 2
    table.write_text(text)
    environment = {**os.environ, "CFLAGS": "-O0", "PYTHONPATH": ""}
    subprocess.run(
        [sys.executable, "-P", "setup.py", "-q", "build_ext", "--inplace"],
        cwd=tree,
        env=environment,
        check=True,
        capture_output=True,
        timeout=900,
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "x.toy")],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
