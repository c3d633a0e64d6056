"""Many files: the examples for one machine and for a cluster give what one pass over the merged recording gives."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import analysis, testing

EXAMPLES = Path(__file__).parents[2] / "examples"
DATABASE = Path(__file__).parents[1] / "data" / "databases" / "_toyota_2017.dbc"


def recordings(folder: Path, count: int) -> tuple[list[str], cf.FrameArray]:
    """One recording cut into files, and all of it."""
    frames = testing.load_frames(count * 500, 0.5, ids=200)
    parts = np.array_split(frames, count)
    for number, part in enumerate(parts):
        cf.write_log(folder / f"{number}.pcapng", part)
    return [str(folder / f"{number}.pcapng") for number in range(count)], frames


def run(script: str, folder: Path) -> str:
    """What a program prints that finds the examples."""
    (folder / "job.py").write_text(textwrap.dedent(script))
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "job.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def whole(frames: cf.FrameArray) -> dict[str, object]:
    statistics = analysis.Statistics()
    statistics.add(frames)
    return statistics.summary()


def test_plans_and_accounts_are_small() -> None:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    plan = cf.load_database(DATABASE).plan(choices="dictionary")
    data = pickle.dumps(plan)
    assert len(data) < 100_000
    assert pickle.loads(data).digest == plan.digest


@pytest.mark.slow
@pytest.mark.unsanitized
def test_a_process_for_each_core(tmp_path: Path) -> None:
    paths, frames = recordings(tmp_path, 6)
    script = f"""
        import pickle
        import many_files

        if __name__ == "__main__":
            summary = many_files.total({paths!r}, 2).summary()
            open("summary", "wb").write(pickle.dumps(summary))
    """
    run(script, tmp_path)
    assert pickle.loads((tmp_path / "summary").read_bytes()) == whole(frames)


@pytest.mark.slow
@pytest.mark.unsanitized
def test_dask(tmp_path: Path) -> None:
    for package in ("distributed", "cantools", "pyarrow"):
        pytest.importorskip(package, reason=f"NOT RUN: {package} is not installed")
    paths, frames = recordings(tmp_path, 40)
    script = f"""
        import pickle
        import canal_fast as cf
        import dask_lake

        if __name__ == "__main__":
            from dask.distributed import Client, LocalCluster

            plan = cf.load_database({str(DATABASE)!r}).plan(choices="dictionary")
            with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
                with Client(cluster) as client:
                    found = [dask_lake.total(client, {paths!r}, "lake", plan) for _ in range(2)]
            open("found", "wb").write(pickle.dumps([(account, s.summary()) for account, s in found]))
    """
    run(script, tmp_path)
    (account, summary), (again, summary_again) = pickle.loads((tmp_path / "found").read_bytes())
    assert summary == summary_again == whole(frames)
    assert account == again
    assert account.frames == len(frames)
    lake = tmp_path / "lake"
    assert sorted(p.relative_to(lake).as_posix() for p in lake.rglob("*.parquet")) == sorted(account.files)
    plan = cf.load_database(DATABASE).plan()
    assert account.rows == plan.decode(frames).counts.decoded + plan.decode(frames).counts.short
