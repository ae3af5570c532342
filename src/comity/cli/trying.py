"""``comity agreement try`` and ``library``: a table of cases decided on a file, and the files that come with Comity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from comity.cli.options import Verb, spoken
from comity.cli.output import DONE, FINDINGS, Output, visible

if TYPE_CHECKING:
    from comity.api import Trial


class Shelved(msgspec.Struct, frozen=True, kw_only=True):
    """One agreement of the library."""

    name: str
    title: str
    legal_force: str
    parties: tuple[str, ...]
    digest: str
    clauses: int
    unchecked: int


@click.command("try", cls=Verb)
@click.argument("file")
@click.argument("cases", type=click.Path(path_type=Path))
@click.option(
    "--history", metavar="FILE", help="What happened to it: a file or a library name; else the one beside it."
)
@click.option("--layer", "layers", multiple=True, metavar="FILE", help="A layer that stands on it; repeat it.")
@click.option("--beside", multiple=True, metavar="FILE", help="Another agreement that cases name; repeat it.")
@click.option("--thorough", is_flag=True, help="Also name what could be deleted without any case noticing.")
@spoken
def try_(
    out: Output,
    file: str,
    cases: Path,
    history: str | None,
    layers: tuple[str, ...],
    beside: tuple[str, ...],
    thorough: bool,
) -> int:
    """Decide a table of cases on an agreement file, offline, and say which come out as expected.

    Ends with code 6 when one does not, or when, with --thorough, something of the agreement is shown by no case.

    Example:
      comity agreement try mine.toml mine.cases.toml --thorough
    """
    from comity.api import Agreement

    loaded = Agreement.load(file, history=history, layers=layers)
    trial = loaded.try_cases(cases, beside=[Agreement.load(each) for each in beside], thorough=thorough)
    out.show(trial, _tell_trial)
    return DONE if trial.agrees and not trial.unnoticed else FINDINGS


@click.command("library", cls=Verb)
@spoken
def library(out: Output) -> None:
    """List the agreements that come with Comity: name, title, legal force and parties.

    Example:
      comity agreement library
    """
    from comity.api import Agreement, agreements_of_library

    shelf = []
    for name in agreements_of_library():
        loaded = Agreement.load(name)
        shelf.append(
            Shelved(
                name=name,
                title=loaded.file.header.title.en,
                legal_force=loaded.file.header.legal_force,
                parties=tuple(party.name.en for party in loaded.file.parties),
                digest=loaded.digest,
                clauses=len(loaded.file.clauses),
                unchecked=sum(clause.provenance == "K" for clause in loaded.file.clauses),
            )
        )
    out.show(tuple(shelf), _tell_library)


def _tell_trial(out: Output, trial: Trial) -> None:
    out.line((trial.agreement, "strong"), f"  {visible(trial.title)}".rstrip())
    out.fields([("digest", trial.digest), ("layers", ", ".join(trial.layers))])
    out.gap()
    out.table(
        ("case", "act", "expected", "found", "rests on", ""),
        [
            (
                line.case,
                line.act,
                line.expected if line.expected != "duties" else ", ".join(line.duties) or "nothing",
                line.found if line.expected != "duties" else "opened" if line.duties else "nothing",
                ", ".join(line.rests_on),
                "" if line.agrees else "differs",
            )
            for line in trial.lines
        ],
    )
    for line in trial.lines:
        if not line.agrees:
            out.gap()
            out.line((line.case, "bad"), f"  {visible(line.says)}".rstrip())
            for sentence in line.differs:
                out.text(visible(sentence), indent=2)
    out.gap()
    differing = sum(not line.agrees for line in trial.lines)
    if differing:
        out.line((f"{differing} of {len(trial.lines)} come out otherwise", "bad"))
    else:
        out.line((f"all {len(trial.lines)} come out as expected", "good"))
    if trial.unnoticed is not None and not differing:
        if trial.unnoticed:
            out.line(("no case shows", "warn"), ", for without it all come out the same:")
            out.text(", ".join(trial.unnoticed), indent=2)
        else:
            out.text("whatever rule, checklist, duty, route or list of the scope is deleted, some case shows it")


def _tell_library(out: Output, shelf: tuple[Shelved, ...]) -> None:
    for each in shelf:
        unchecked = f", {each.unchecked} not checked against the text (K)" if each.unchecked else ""
        out.line((each.name, "strong"))
        out.fields(
            [
                ("title", each.title),
                ("legal force", each.legal_force),
                ("parties", ", ".join(each.parties)),
                ("clauses", f"{each.clauses}{unchecked}"),
            ]
        )
    out.next(
        (f"comity agreement show {shelf[0].name}", "read one"),
        (f"comity agreement adopt {shelf[0].name} --with PARTY", "run one"),
    )
