"""Small agreements for tests: a text with the fewest tables, and what is put in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources

from comity.agreement.lines import Lines
from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.model import Agreement
from comity.analysis.findings import Finding, Source
from comity.analysis.lint import lint

LIBRARY = resources.files("comity").joinpath("agreements")
CLAUSE = '[[clause]]\nid = "{id}"\nheading = {{ en = "{id}" }}\nsays = "x"\nprovenance = "{provenance}"\n'


def library(name: str) -> str:
    return LIBRARY.joinpath(f"{name}.toml").read_text(encoding="utf-8")


def clause(name: str, provenance: str = "P") -> str:
    return CLAUSE.format(id=name, provenance=provenance)


def party(name: str, *, nations: Sequence[str] = ()) -> str:
    said = f"nations = {list(nations)!r}\n".replace("'", '"') if nations else ""
    return f'[[party]]\nid = "{name}"\nkind = "state"\nname = {{ en = "{name}" }}\ntimezone = "UTC"\n{said}'


def level(owner: str, english: str, rank: int, more: str = "", mark: str = "") -> str:
    written = mark or f"{owner.upper()} {english}"
    head = f'[[level]]\nparty = "{owner}"\nmark = "{written}"\nrank = {rank}\nenglish = "{english}"\n'
    return f'{head}clause = "levels"\n{more}\n'


def equivalence(marks: dict[str, list[str]], more: str = "") -> str:
    written = ", ".join(f"{owner} = {each!r}".replace("'", '"') for owner, each in marks.items())
    return f'[[equivalence]]\nclause = "levels"\nmarks = {{ {written} }}\n{more}\n'


def rule(name: str, acts: Iterable[str], effect: str, when: str = "", unless: str = "", cites: str = "rules") -> str:
    written = ", ".join(f'"{act}"' for act in acts)
    said = f"when = {{ {when} }}\n" if when else ""
    said += f"unless = {{ {unless} }}\n" if unless else ""
    return f'[[rule]]\nid = "{name}"\nclause = "{cites}"\nacts = [{written}]\n{said}{effect}\n'


ALL_ACTS = (
    *("give", "show", "pass-on", "open", "use-for", "copy", "translate", "extract", "reclassify"),
    *("return", "destroy", "visit", "inspect", "export-evidence"),
)
PERMIT_ALL = rule("all", ALL_ACTS, "permits = true")


def agreement_text(
    *more: str,
    name: str = "small",
    parties: Sequence[str] = ("a", "b"),
    nations: bool = False,
    scope: str = "",
    term: str = "",
    levels: str | None = None,
) -> str:
    """A text of two parties with one level, SECRET; ``more`` holds its rules and whatever else."""
    if levels is None:
        levels = "".join(level(each, "SECRET", 1) for each in parties)
        levels += equivalence({each: [f"{each.upper()} SECRET"] for each in parties})
    return "".join(
        (
            f'[agreement]\nformat = 1\nid = "{name}"\nversion = "1"\nkind = "test"\nlegal-force = "treaty"\n'
            'authentic = "none"\ntitle = { en = "x" }\n',
            *(party(each, nations=(each,) if nations else ()) for each in parties),
            f'[scope]\nclause = "scope"\n{scope}\n',
            f'[term]\nclause = "term"\nentry = "on-signature"\ntimezone = "UTC"\n{term}\n',
            levels,
            *(clause(each) for each in ("scope", "term", "levels", "rules")),
            *more,
        )
    )


def layer_text(*more: str, name: str = "layer", on: str = "small", kind: str = "arrangement", owner: str = "") -> str:
    said = f'party = "{owner}"\n' if owner else ""
    return (
        f'[layer]\nformat = 1\nid = "{name}"\nversion = "1"\nkind = "{kind}"\non = "{on}"\n{said}'
        + 'title = { en = "x" }\n'
        + clause("own")
        + "".join(more)
    )


def source(text: str, file: str = "small.toml") -> Source:
    return Source(parse_agreement(text, file), file, Lines(text))


def layer_source(text: str, agreement: Agreement, file: str = "layer.toml") -> Source:
    return Source(parse_layer(text, file, agreement), file, Lines(text))


def found(text: str, *layers: str) -> list[Finding]:
    """What is found in a text with its layers."""
    read = source(text)
    assert isinstance(read.text, Agreement)
    return list(lint([(read, [layer_source(each, read.text) for each in layers])], tzdata="x"))


def codes(text: str, *layers: str) -> list[str]:
    """Codes and clauses of what is found, without clauses that nothing uses."""
    return [f"{each.code} {each.clause}" for each in found(text, *layers) if each.code != "clause-unused"]
