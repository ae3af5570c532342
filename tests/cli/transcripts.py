"""Transcripts: what people type and what they see, kept as text and done for real in a temporary folder.

    After founding.txt.

    tokyo$ comity give report.txt --to "Air defence desk" --mark 極秘 …
    not yet: somebody has to act first
    …
      request       <request>

    tokyo$ comity approve <request> --reason needed --as sato
    comity: …
    [exit 1]

Rules of this file:

- Commands begin with a place and ``$``. ``tokyo`` and ``seoul`` are data folders; without a place there is none. A
  ``comity`` command runs in this process through the real ``main``; anything that needs a shell runs in one; a command
  that ends in ``&`` runs beside the others until the transcript ends.
- What follows, up to the next command, is everything it prints, on standard output and standard error. ``…`` stands for
  anything within a line, on a line of its own for any number of lines. ``<word>`` is remembered when it is first seen,
  and is the same afterwards, in output and in commands.
- ``[exit 3]`` says the exit code; without it the code is 0.
- When it has ended, no line of a document that was given, or made from one, stands anywhere in a data folder or in the
  temporary files, which lie in a folder of their own meanwhile.
- ``After OTHER.txt.`` does everything in that file first (once for all tests of a process; the folder is copied).

A transcript is done by hand: no node runs unless it says so, and pouches are carried. ``played`` with a ``line`` does
the same one a second time on running nodes: where a pouch is packed nothing is typed, and where it is taken the
line between the nodes is opened until each has what the other one said (``wires.py``). Everything else is as it stands,
except that nobody is told to run a node.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from cli.wires import PLACES, Line, Nodes
from comity.cli.main import main
from comity.cli.options import FOLDER_VARIABLE

FOLDER = Path(__file__).parents[1] / "transcripts"
COMMAND = re.compile(r"^([a-z]*)\$ (.+)$")
AFTER = re.compile(r"^After (\S+\.txt)\.$", re.MULTILINE)
DOCUMENT = re.compile(r"^comity (?:give|translate|extract|contain) (?:<[a-z-]+> )?([a-z0-9-]+\.(?!toml)[a-z]+)\b")
PLAIN_BYTES_MIN = 12
"""A shorter line of a document may stand somewhere by chance."""
SCRATCH = "scratch"
EXIT = re.compile(r"^\[exit (\d+)\]$")
WORD = re.compile(r"<([a-z][a-z-]*)>")
REMEMBERED = r"(?P<{}>\S+(?: [0-9a-f]{{4}}\b)*)"
"""A word, or the groups of a fingerprint."""
SHELL = re.compile(r"[|<>;&]|\$\(|^(?!comity )")
SENDING = "  comity node run  # or 'comity pouch export', so that the other party hears of it"
"""What to type next where no node runs."""


@dataclass
class Step:
    """A command with what it is expected to print."""

    line: int
    place: str
    command: str
    expected: list[str] = field(default_factory=list)
    code: int = 0


@dataclass
class Transcript:
    """A transcript that was read."""

    name: str
    after: str | None
    steps: list[Step]


def read(name: str) -> Transcript:
    text = (FOLDER / name).read_text(encoding="utf-8")
    steps: list[Step] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if command := COMMAND.match(line):
            steps.append(Step(number, command[1], command[2]))
        elif steps and (code := EXIT.match(line)):
            steps[-1].code = int(code[1])
        elif steps and not line.startswith("#"):
            steps[-1].expected.append(line)
    after = AFTER.search(text)
    return Transcript(name, after[1] if after else None, steps)


@dataclass
class Scene:
    """A folder, and what was remembered on the way to it."""

    folder: Path
    remembered: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    nodes: Nodes | None = None

    def end(self) -> None:
        if self.nodes is not None:
            self.nodes.stop()
        for process in self.running:
            process.terminate()
            process.wait(timeout=60)


_played: dict[tuple[str, bool], Scene] = {}
_begun: set[tuple[str, bool]] = set()


def played(name: str, store: Path, line: Line | None = None) -> Scene:
    """The scene that the transcript ``name`` ends with; played once in this process, in a folder of its own.

    Args:
        name: of the file.
        store: where the folders of all scenes are.
        line: between two running nodes; else everything is carried by hand.
    """
    key = name, line is not None
    assert key not in _begun or key in _played, f"{name} went wrong before, as its own test says"
    if key not in _played:
        _begun.add(key)
        transcript = read(name)
        folder = store / (name.removesuffix(".txt") + ("-wired" if line else ""))
        if transcript.after is None:
            folder.mkdir()
            scene = Scene(folder)
        else:
            before = played(transcript.after, store, line)
            shutil.copytree(before.folder, folder)
            scene = Scene(folder, dict(before.remembered))
        if line is not None:
            scene.nodes = Nodes(line, folder, shell)
            scene.nodes.start()
        try:
            play(transcript, scene)
        finally:
            scene.end()
        found = list(plain(transcript, scene.folder))
        assert not found, f"{name}: plaintext in\n" + "\n".join(found)
        _played[key] = scene
    return _played[key]


def play(transcript: Transcript, scene: Scene) -> None:
    """Do every step and compare."""
    scratch = scene.folder / SCRATCH
    scratch.mkdir(exist_ok=True)
    with inside(scene.folder), mock.patch.object(tempfile, "tempdir", str(scratch)):
        for written in transcript.steps:
            if scene.nodes is not None and carried(written, scene.nodes):
                continue
            step = written if scene.nodes is None else on_wires(written, scene.nodes.line)
            where = f"{transcript.name}:{step.line}: {step.place}$ {step.command}"
            code, printed = perform(step, scene)
            found = match(step.expected, printed, scene.remembered)
            assert found is not None, f"{where}\nprinted\n{printed}"
            assert code == step.code, f"{where}\nended with {code}, not {step.code}; it printed\n{printed}"
            scene.remembered.update(found)


def plain(transcript: Transcript, folder: Path) -> Iterator[str]:
    """Where a line of a document stands that should be nowhere but in the document."""
    names = {found[1] for step in transcript.steps if (found := DOCUMENT.match(step.command))}
    texts = [(folder / name).read_bytes() for name in names if (folder / name).is_file()]
    lines = {line for text in texts for line in text.splitlines() if len(line) >= PLAIN_BYTES_MIN}
    kept = [path for place in (*PLACES, SCRATCH) for path in (folder / place).rglob("*") if path.is_file()]
    for path in kept if lines else ():
        held = path.read_bytes()
        yield from (f"{path}: {line.decode()}" for line in lines if line in held)


def carried(step: Step, nodes: Nodes) -> bool:
    """Whether ``step`` is about a pouch; then the line does what it would have done."""
    if step.code or not step.command.startswith(("comity pouch export ", "comity pouch import ")):
        return False
    if step.command.startswith("comity pouch import "):
        nodes.carry()
    return True


def on_wires(step: Step, line: Line) -> Step:
    """``step`` where a node runs in each place: houses are reached over the line, and nobody is told to run a node."""
    command = step.command
    if command.startswith("comity init "):
        command = re.sub(r" --(pouch-only|port \d+)", f" --port {line.nodes[step.place]}", command)
        command += f" --public {line.address(step.place)}"
    expected = "\n".join(each for each in step.expected if each != SENDING)
    expected = re.sub(r"\n\nnext\n*\Z", "", expected)
    expected = expected.replace("https://127.0.0.1:8443", line.address("tokyo"))
    expected = expected.replace("by pouch only", line.address("seoul"))
    return Step(step.line, step.place, command, expected.split("\n"), step.code)


def perform(step: Step, scene: Scene) -> tuple[int, str]:
    command = WORD.sub(lambda word: scene.remembered.get(word[1], word[0]), step.command)
    home = {FOLDER_VARIABLE: str(scene.folder / step.place)} if step.place else {}
    if command.endswith(" &"):
        return beside(command[:-2], home, scene)
    if scene.nodes is not None and not step.place and any(f"{place}/" in command for place in PLACES):
        scene.nodes.stop()  # nobody touches the folder of a running node
    if SHELL.search(command):
        done = subprocess.run(
            ["sh", "-c", command], env=shell(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
        )
        code, printed = done.returncode, done.stdout.decode()
    else:
        code, printed = here(shlex.split(command)[1:], home)
    if scene.nodes is not None:
        scene.nodes.start()
    return code, printed


def here(arguments: list[str], home: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and output of a ``comity`` command in this process."""
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    silent = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with (
        mock.patch.dict(os.environ, home),
        mock.patch.multiple(sys, stdout=printed, stderr=printed, stdin=silent),
    ):
        code = main(arguments)
        return code, printed.buffer.getvalue().decode()  # it is a BytesIO


def beside(command: str, home: Mapping[str, str], scene: Scene) -> tuple[int, str]:
    """Start a command and wait for its first line."""
    process = subprocess.Popen(shlex.split(command), env=shell(home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    scene.running.append(process)
    assert process.stdout is not None
    return 0, process.stdout.readline().decode()


def shell(home: Mapping[str, str]) -> dict[str, str]:
    """An environment in which ``comity`` is a program, and nothing of this one decides what it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    scratch = {"TMPDIR": tempfile.gettempdir()}
    return {"PATH": path, **scratch, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", **home}


def match(expected: list[str], printed: str, remembered: Mapping[str, str]) -> dict[str, str] | None:
    """What is remembered of ``printed`` if it is what was expected; None if it is not."""
    lines = list(expected)
    while lines and not lines[-1]:
        lines.pop()
    pattern = ""
    seen: set[str] = set()
    for line in lines:
        pattern += r"(?:.*\n)*?" if line == "…" else line_pattern(line, remembered, seen) + r"\n"
    found = re.fullmatch(pattern, printed.rstrip("\n") + "\n" if printed.strip("\n") else "")
    return {name.replace("_", "-"): word for name, word in found.groupdict().items()} if found else None


def line_pattern(line: str, remembered: Mapping[str, str], seen: set[str]) -> str:
    pattern = ""
    for part in re.split(r"(…|<[a-z][a-z-]*>)", line):
        word = WORD.fullmatch(part)
        if part == "…":
            pattern += ".*?"
        elif word is None:
            pattern += re.escape(part)
        elif word[1] in remembered:
            pattern += re.escape(remembered[word[1]])
        elif (name := word[1].replace("-", "_")) in seen:
            pattern += f"(?P={name})"
        else:
            seen.add(name)
            pattern += REMEMBERED.format(name)
    return pattern


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
