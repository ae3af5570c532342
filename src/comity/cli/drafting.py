"""What a writer of an agreement needs: ``agreement new`` and ``agreement schema``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import msgspec

from comity.cli.comparing import read_agreement
from comity.cli.files import read_file, write_new_file
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import Output
from comity.errors import Misuse, Rejected

if TYPE_CHECKING:
    from comity.agreement.model import Agreement
    from comity.agreement.schema import Kind
    from comity.drafting.answers import Template

ANSWERS_BYTES_MAX = 1_000_000
"""Longest answers file."""


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """A draft that was written."""

    file: str
    id: str
    template: str
    digest: str
    clauses: int
    rules: int
    obligations: int


@click.command(cls=Verb)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--template",
    type=click.Choice(["state", "group", "arrangement"]),
    help="Between states; a group of organisations; an arrangement under an agreement.",
)
@click.option("--answers", type=click.Path(path_type=Path), metavar="FILE", help="Answers in TOML; nothing is asked.")
@click.option("--on", metavar="AGREEMENT", help="What an arrangement stands on.")
@click.option("--keep-answers", type=click.Path(path_type=Path), metavar="FILE", help="Also write what was answered.")
@housed
def new(
    desk: Desk, file: Path, template: str | None, answers: Path | None, on: str | None, keep_answers: Path | None
) -> None:
    """Begin an agreement: from a template, by questions, or by a file of answers. The draft passes every check.

    Example:
      comity agreement new at-fi.toml --template state
    """
    from comity.drafting.answers import read_answers
    from comity.drafting.draft import draft

    _is_new(file, keep_answers)
    stands_on = read_agreement(on)[0] if on else None
    if answers is not None:
        text, name = _text_of(answers), str(answers)
    elif template is None:
        raise Misuse("name a --template (state, group or arrangement), or --answers", code="no-template")
    else:
        text, name = _asked(cast("Template", template), stands_on), "the answers"
    read = read_answers(text, name, stands_on)
    if template not in {None, read.header.template}:
        raise Misuse(f"{name} answers the template {read.header.template!r}, not {template!r}", code="other-template")
    written, checked = draft(read, name, stands_on)
    _check_zones(written, checked, name)
    write_new_file(file, written.encode())
    if keep_answers is not None:
        write_new_file(keep_answers, text.encode())
    drafted = Drafted(
        file=str(file),
        id=checked.id,
        template=read.header.template,
        digest=checked.digest,
        clauses=len(checked.clauses),
        rules=len(checked.rules),
        obligations=len(checked.obligations),
    )
    desk.show(drafted, lambda out, told: _tell_drafted(out, told, on))


def _is_new(*files: Path | None) -> None:
    """A name that is taken is told before anything is asked."""
    for file in files:
        if file is not None and file.exists():
            raise Misuse(f"{str(file)!r} exists already; name another file, or move it away", code="file-exists")


def _text_of(answers: Path) -> str:
    try:
        return read_file(answers, ANSWERS_BYTES_MAX).decode()
    except UnicodeDecodeError:
        raise Rejected("not text in UTF-8", code="not-text", place=str(answers)) from None


def _asked(template: Template, agreement: Agreement | None) -> str:
    """Ask on the terminal, on standard error, and read from standard input; the answers as a file of them."""
    from comity.drafting.questions import Question, answers_text, asked
    from comity.timezones import time_zones

    if template == "arrangement" and agreement is None:
        raise Misuse("an arrangement stands on an agreement; name it with --on", code="no-agreement")
    asking = asked(template, agreement, _names(time_zones().zones))
    told = Output(as_json=False, stream=sys.stderr)
    told.text("An empty line takes what stands in brackets.", style="dim")
    try:
        question: Question = next(asking)
        while True:
            if question.problem:
                told.line(("  not so: ", "bad"), question.problem)
            default = f" [{question.default}]" if question.default else ""
            told.text(f"{question.asks}{default}")
            typed = sys.stdin.readline()
            if not typed:
                sentence = f"the answers end at the question {question.asks!r}; nothing was written"
                raise Misuse(sentence, code="no-answer")
            question = asking.send(typed)
    except StopIteration as end:
        return answers_text(end.value)


def _names(zones: object) -> Sequence[str]:
    return tuple(cast("Sequence[str]", zones))


def _check_zones(text: str, checked: object, name: str) -> None:
    """The time zones of a draft are those of the database; a layer has none."""
    from comity.agreement.load import check_time_zones
    from comity.agreement.model import Agreement
    from comity.timezones import time_zones

    if isinstance(checked, Agreement):
        try:
            check_time_zones(checked, text, name, time_zones().zones)
        except Rejected as error:
            raise Rejected(error.args[0], code=error.code, place=name) from None


def _tell_drafted(out: Output, drafted: Drafted, on: str | None) -> None:
    out.line(("written: ", "good"), drafted.file)
    out.fields(
        [
            ("id", drafted.id),
            ("template", drafted.template),
            ("clauses", str(drafted.clauses)),
            ("rules", str(drafted.rules)),
            ("obligations", str(drafted.obligations)),
        ]
    )
    if on is not None:
        out.next(
            (f"comity agreement check {on} --layer {drafted.file}", "once you have changed it"),
            (f"comity agreement lint {on} --layer {drafted.file}", "holes in it"),
            (f"comity agreement diff {on} {on} --second-layer {drafted.file}", "what it adds"),
        )
        return
    out.next(
        (f"comity agreement check {drafted.file}", "once you have changed it"),
        (f"comity agreement lint {drafted.file}", "holes in it"),
        (f"comity agreement diff jp-kr-2016 {drafted.file}", "what tells it from another one"),
        (f"comity agreement explain {drafted.file}", "as a readable text"),
    )


@click.command("schema", cls=Verb)
@click.option("--layer", is_flag=True, help="That of a layer: an arrangement, a domestic layer, a house rule.")
@click.option("--history", is_flag=True, help="That of a history.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it to this new file instead.")
@housed
def schema_command(desk: Desk, layer: bool, history: bool, out: Path | None) -> None:
    """Print the JSON Schema of agreement files, by which an editor completes and checks them.

    A first line "#:schema ./agreement.schema.json" in a file tells editors that read TOML with Taplo where it is.

    Example:
      comity agreement schema --out agreement.schema.json
    """
    from comity.agreement.schema import schema

    if layer and history:
        raise Misuse("name --layer or --history, not both", code="two-schemas")
    kind: Kind = "layer" if layer else "history" if history else "agreement"
    made = schema(kind)
    text = msgspec.json.format(msgspec.json.encode(made), indent=1)
    if out is not None:
        write_new_file(out, text + b"\n")
        written = {"schema": made["$id"], "file": str(out)}
        desk.show(written, lambda spoken, _: spoken.line(("written: ", "good"), f"{out}, {made['$id']}"))
        return

    def tell(spoken: Output, _: object) -> None:
        for line in text.decode().splitlines():
            spoken.line(line)

    desk.show(made, tell)
