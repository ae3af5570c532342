"""A disk that is really full."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of one megabyte, where this user may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(place)], capture_output=True
        ).returncode
    ):
        pytest.skip("this user may not mount a file system; full disks are tried by injection instead")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
