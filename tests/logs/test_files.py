"""What a recording may be written over: not what is being written, and by commands not what is there."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.logs import Recorder
from canal_fast.logs.files import free_name, whole

FRAMES = cf.make_frames([1, 2, 3])
LOG = ["log", "--library", "virtual", "--config", "files;load=0.5", "--frames", "10", "-o"]


@pytest.mark.parametrize("name", ["x.pcapng", "x.log"])
def test_a_file_that_is_being_written_is_not_replaced(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with Recorder(path) as recorder:
        recorder.write(FRAMES)
        for call in (lambda: Recorder(path), lambda: cf.write_log(path, FRAMES[:1])):
            with pytest.raises(OSError, match="a recording is being written to this file"):
                call()
        other = "import sys; from canal_fast.logs import Recorder; Recorder(sys.argv[1])"
        done = subprocess.run([sys.executable, "-P", "-c", other, path], capture_output=True, text=True, check=False)
        assert "a recording is being written" in done.stderr
        assert len(cf.read_log(path)) == 3  # others can read meanwhile
        recorder.write(FRAMES)
    assert len(cf.read_log(path)) == 6
    cf.write_log(path, FRAMES[:1])
    assert len(cf.read_log(path)) == 1


def test_exclusive_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    Recorder(path, exclusive=True).close()
    with pytest.raises(FileExistsError, match=r"replaced with --force, and .*x-2\.pcapng is free"):
        Recorder(path, exclusive=True)
    (tmp_path / "x-2.pcapng").touch()
    assert free_name(str(path)) == str(tmp_path / "x-3.pcapng")


def test_log_does_not_replace_unless_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.pcapng"
    assert main([*LOG, str(path)]) == 0
    before = path.read_bytes()
    assert main([*LOG, str(path)]) == 1
    assert "--force" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert main([*LOG, str(path), "--force"]) == 0
    with Recorder(path) as recorder:
        recorder.write(FRAMES)
        assert main([*LOG, str(path), "--force"]) == 1
        assert "a recording is being written to this file" in capsys.readouterr().err
    assert len(cf.read_log(path)) == 3


def test_a_channel_that_does_not_open_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    cf.write_log(path, FRAMES)
    assert main(["log", "--library", "virtual", "--config", "b;nonsense=1", "-o", str(path), "--force"]) == 1
    assert len(cf.read_log(path)) == 3
    new = tmp_path / "new.pcapng"
    assert main(["log", "--library", "virtual", "--config", "b;nonsense=1", "-o", str(new)]) == 1
    assert not new.exists()


@pytest.mark.posix
def test_fifos_and_devices_are_written_to(tmp_path: Path) -> None:
    fifo = tmp_path / "x.pcapng"
    os.mkfifo(fifo)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    assert main([*LOG, str(fifo)]) == 0
    reader.join(10)
    copy = tmp_path / "copy.pcapng"
    copy.write_bytes(got[0])
    assert len(cf.read_log(copy)) == 10


@pytest.mark.parametrize("command", [["dump", "x.log"], ["log", "--library", "virtual"]])
@pytest.mark.parametrize("number", ["-3", "0"])
def test_numbers_of_frames_below_one_are_refused(
    command: list[str], number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--frames", number])
    assert f"argument --frames: {number} is not above 0" in capsys.readouterr().err


def test_nothing_is_not_sent_periodically() -> None:
    with cf.Channel.virtual("files") as channel, pytest.raises(ValueError, match="frames is empty"):
        channel.send_periodic(FRAMES[:0], 0.1)


def test_a_whole_file_or_none(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with whole(str(path)) as file:
        file.write(b"first")
        assert [other.name for other in tmp_path.iterdir()] == ["x.csv.part"]
    assert path.read_bytes() == b"first"

    def fail(error: BaseException) -> None:
        with whole(str(path)) as file:
            file.write(b"second")
            raise error

    for number, said in ((errno.ENOSPC, str(path)), (errno.EIO, None)):  # of reading, perhaps
        with pytest.raises(OSError, match="why") as caught:
            fail(OSError(number, "why"))
        assert caught.value.filename == said
    with pytest.raises(KeyboardInterrupt):
        fail(KeyboardInterrupt())
    assert [other.read_bytes() for other in tmp_path.iterdir()] == [b"first"]


@pytest.mark.posix
def test_a_whole_file_goes_where_it_should(tmp_path: Path) -> None:
    path, link, fifo = tmp_path / "x.csv", tmp_path / "link.csv", tmp_path / "fifo"
    path.write_bytes(b"first")
    link.symlink_to(path)
    with whole(str(link)) as file:
        file.write(b"second")
    assert (link.is_symlink(), path.read_bytes()) == (True, b"second")
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with whole(str(fifo)) as file:
        file.write(b"through")
    assert os.read(reading, 10) == b"through"
    os.close(reading)
    assert sorted(other.name for other in tmp_path.iterdir()) == ["fifo", "link.csv", "x.csv"]


def test_a_file_that_is_being_written_is_not_replaced_by_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They replace a file's name: the recorder would have gone on in a file that nobody finds."""
    monkeypatch.chdir(tmp_path)
    cf.write_log("source.log", FRAMES)
    with Recorder("x.pcapng") as recorder:
        recorder.write(FRAMES)
        for line in (
            "convert source.log x.pcapng",
            "cut source.log x.pcapng --start 0",
            "report source.log -o x.pcapng",
        ):
            assert main([*line.split(), "--force"]) == 1
            assert "x.pcapng: a recording is being written to this file; take another name" in capsys.readouterr().err
        recorder.write(FRAMES)
    assert len(cf.read_log("x.pcapng")) == 6
    assert main(["convert", "source.log", "x.pcapng", "--force"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.log", "x.pcapng"]
