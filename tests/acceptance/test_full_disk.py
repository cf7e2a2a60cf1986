"""A disk that is full while pages are landed, or typed files written."""

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import World


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if (done := subprocess.run(["mount", *options], capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("full", ["ASSAY_LANDING_URL", "ASSAY_HOME"])
def test_full_disk_is_one_clear_message_and_the_next_run_goes_on(
    world: World,
    tiny_disk: Path,
    full: str,
) -> None:
    world.control("clock", now="2013-01-10T00:00:00Z")
    broken = dataclasses.replace(world, extra={full: str(tiny_disk)})

    failed = broken.run()

    said = " ".join(failed.stderr.split())
    assert failed.returncode == 1
    assert "the disk is full" in said
    assert "Traceback" not in said
    assert world.query("SELECT count(*) FROM assay.publications") == [(0,)]
    assert not [name for _, _, names in os.walk(tiny_disk) for name in names if name.startswith(".writing")]
    subprocess.run(["mount", "-o", "remount,size=100m", str(tiny_disk)], check=True)
    assert broken.run().returncode == 0
    assert world.query("SELECT count(*) FROM assay.loads") == [(1,)], "the same load went on"
