"""``spec/command-line.md`` step 12: what a verb writes is a new file, for its owner alone; no link leads it away."""

from __future__ import annotations

import ast
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.transcripts import here
from comity.cli.files import make_folder, new_file, write_new_file
from comity.errors import Misuse
from comity.stores.files import LocalFiles

CLI = Path(__file__).parents[2] / "src/comity/cli"
WRITING = {"write_bytes", "write_text", "mkdir", "touch", "symlink_to", "hardlink_to", "makedirs", "fdopen"}
OWN_ROOMS = {
    "files.py": "the one that writes",
    "ceremony.py": "the folder of the ceremony, new",
    "options.py": "to the formatter of help",
    "demo.py": "a folder that is asked for, or a temporary one",
    "demonstration/afterwards.py": "in the folder of the demonstration",
    "sealing.py": "a descriptor that is read",
}


def by_the_node(path: Path) -> None:
    with LocalFiles(path.parent / "scratch").whole(str(path)) as sink:
        sink.write(b"content")


WRITERS: dict[str, Callable[[Path], None]] = {
    "the command line": lambda path: write_new_file(path, b"content"),
    "the node": by_the_node,
}
TRICKS: dict[str, Callable[[Path, Path], None]] = {
    "a file": lambda path, _: path.write_bytes(b"before") and None,
    "a folder": lambda path, _: path.mkdir(),
    "a link to a file": lambda path, other: path.symlink_to(other),
    "a link that leads nowhere": lambda path, other: path.symlink_to(other.with_name("nowhere")),
    "a link to itself": lambda path, _: path.symlink_to(path),
    "a link to a folder": lambda path, other: path.symlink_to(other.parent),
    "a second name of a file": lambda path, other: path.hardlink_to(other),
    "a pipe": lambda path, _: os.mkfifo(path),
}
"""What may lie where a file is to be written: the path, and a file of somebody's."""
VERBS = {
    "keygen": "keygen -o {}",
    "keygen --person": "keygen --person -o {}",
    "agreement timeline": "agreement timeline jp-kr-2016 --svg {}",
    "agreement explain": "agreement explain jp-kr-2016 --out {}",
    "agreement reach": "agreement flows jp-kr-2016 --from jp --svg {}",
}


@pytest.fixture(autouse=True)
def _nothing_is_masked() -> Iterator[None]:
    """Modes are ours, not the shell's."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_no_other_module_of_the_command_line_writes() -> None:
    found = {
        path.relative_to(CLI).as_posix()
        for path in CLI.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in WRITING
    }
    assert found == set(OWN_ROOMS)


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("writer", WRITERS)
def test_a_name_that_is_taken_stays_as_it_is(writer: str, trick: str, tmp_path: Path) -> None:
    other, path = tmp_path / "other", tmp_path / "out"
    other.write_bytes(b"of somebody")
    TRICKS[trick](path, other)
    before = sorted(tmp_path.iterdir()), path.lstat()
    with pytest.raises(Misuse, match="exists already") as refused:
        WRITERS[writer](path)
    assert refused.value.code == "file-exists"
    assert (sorted(tmp_path.iterdir()), path.lstat()) == before
    assert other.read_bytes() == b"of somebody"


@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_written_is_for_its_owner_alone_and_leaves_nothing_beside(writer: str, tmp_path: Path) -> None:
    WRITERS[writer](tmp_path / "out")
    assert (tmp_path / "out").stat().st_mode & 0o7777 == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("path", ["no/out", "file/out", "x" * 300, "\udcff"])
def test_where_nothing_can_be_written_it_is_said(writer: str, path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    if path == "\udcff":
        WRITERS[writer](tmp_path / path)  # a name that is no text is a name
        return
    with pytest.raises(Misuse, match="cannot write"):
        WRITERS[writer](tmp_path / path)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@contextmanager
def _written_meanwhile(path: Path, content: bytes) -> Iterator[None]:
    with new_file(path) as sink:
        sink.write(b"ours")
        path.write_bytes(content)
        yield


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("unnamed", [True, False])
def test_what_came_while_it_was_written_is_not_replaced(
    links: bool, unnamed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without files that have no name yet, and where the file system knows no second names."""
    if not unnamed:
        monkeypatch.setattr("comity.seal.files._unnamed", lambda _: None)
    if not links and not unnamed:
        monkeypatch.setattr(os, "link", _no_links)
    with pytest.raises(Misuse, match="exists already"), _written_meanwhile(tmp_path / "out", b"theirs"):
        pass
    assert (tmp_path / "out").read_bytes() == b"theirs"
    write_new_file(tmp_path / "another", b"ours")
    assert (tmp_path / "another").read_bytes() == b"ours"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["another", "out"]


def _no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_folder_is_for_its_owner_alone_and_new(tmp_path: Path) -> None:
    make_folder(tmp_path / "a/b")
    assert (tmp_path / "a/b").stat().st_mode & 0o7777 == 0o700
    with pytest.raises(Misuse, match="exists already"):
        make_folder(tmp_path / "a/b")
    make_folder(tmp_path / "a/b", new=False)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Misuse):
        make_folder(tmp_path / "link")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Misuse):
        make_folder(tmp_path / "file/b", new=False)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_without_a_house_writes_so(verb: str, tmp_path: Path) -> None:
    path = tmp_path / "out"
    arguments = VERBS[verb].format(path).split()
    assert here(arguments, {})[0] == 0
    assert path.stat().st_mode & 0o7777 == 0o600
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    code, printed = here(arguments, {})
    assert (code, "exists already" in printed) == (1, True), printed
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_sealing_replaces_a_link_and_never_what_it_leads_to(tmp_path: Path) -> None:
    keys, other, out, sealed = (tmp_path / name for name in ("keys", "other", "out", "sealed"))
    assert here(["keygen", "-o", str(keys)], {})[0] == 0
    recipient = keys.read_text().split("# public key: ")[1].split("\n")[0]
    other.write_bytes(b"of somebody")
    (tmp_path / "file").write_bytes(b"content")
    out.symlink_to(other)
    assert here(["seal", "-r", recipient, "-o", str(out), str(tmp_path / "file")], {})[0] == 0
    out.rename(sealed)
    out.symlink_to(other)
    assert here(["unseal", "-i", str(keys), "-o", str(out), str(sealed)], {})[0] == 0
    assert (out.read_bytes(), out.is_symlink(), other.read_bytes()) == (b"content", False, b"of somebody")
    assert {each.stat().st_mode & 0o7777 for each in (out, sealed, keys)} == {0o600}
