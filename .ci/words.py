"""The catalogues of the console brought up to what is said: new messages added, what is said no more taken out.

``spec/words.md`` says how they are used.

There are three for each language (``src/comity/console/locale``):

- ``ja.po``, ``ko.po``: what the pages say, as Babel finds it in the templates and the console's own code.
- ``flows.ja.po`` …: what flows and the rooms below them say in English. A sentence is found where it is raised or told,
  without running anything; what is put into it stands as ``{0}``, ``{1}`` … in the order of the code. In the context
  ``code`` stands a sentence for an error whose own words the code does not hold.
- ``agreements.ja.po`` …: the words of the agreements of the library, which are summaries of our own.

``make words`` writes them and names what is not translated yet; tests/console/test_words.py refuses what is not.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).parents[1] / "src" / "comity"
CONSOLE = SOURCE / "console"
LOCALE = CONSOLE / "locale"
LANGUAGES = ("ja", "ko")

ERRORS = frozenset({"Misuse", "Refused", "Rejected", "Unavailable", "no", "Mistake"})
"""What an error is made with; a sentence stands first, and second where a code comes before it."""
PROGRAMS = (CONSOLE / "api",)
"""What is said there is read by programs and stays English."""
WHOLE = ("flows", "register", "record", "marking", "decision", "agreement", "feed", "foresight", "console")
"""Rooms whose sentences a page shows: every one of them is in the catalogue."""
BY_CODE = ("seal", "stores", "courier", "ledger")
"""Rooms whose errors are for whoever runs the node: a page says in a sentence of its own what each code means."""
TOLD: dict[str, dict[str, slice]] = {
    "flows/calls.py": {"says": slice(None)},
    "flows/looking/duty_words.py": {"Words": slice(1)},
    "flows/looking/item_events.py": {
        **dict.fromkeys(("KINDS", "later", "says", "to", "what"), slice(None)),
        "_event": slice(1, 3),
    },
    "register/roles.py": {"APART": slice(None)},
    "agreement/term.py": {"says": slice(None)},
    "agreement/timeline.py": {"words": slice(None)},
    "agreement/history.py": {"says": slice(None)},
    "agreement/noted.py": {"says": slice(None)},
    "agreement/recounted.py": {"says": slice(None)},
    "console/pace.py": {"__init__": slice(1)},
    "evidence/contradiction.py": {"return": slice(None)},
    "flows/agreeing/negotiations.py": {"return": slice(None)},
    "flows/ending/certificates.py": {"ATTESTED": slice(None)},
    "flows/people/site_registers.py": {"Warned": slice(1, 2)},
    "flows/incidents/investigating.py": {"return": slice(None)},
    "flows/maintaining/rebuilding.py": {"Finding": slice(1, 2), "says": slice(None)},
    "flows/vouching/contradictions.py": {"says": slice(None)},
    "foresight/obligations.py": {"says": slice(None), "UNSPOKEN": slice(None)},
}
"""Modules that tell something without raising it, and where in them it stands: a keyword, a table, or which arguments
of a call."""
COMPOSED = (
    *(
        f"{start}{channel}, {{0}} {unit}s {end}"
        for start in ("by written notice", "by notice")
        for channel in (" through the diplomatic channel", "")
        for unit in ("day", "month")
        for end in (
            "after it",
            "before the renewal every year; last day {1} ({2})",
            "before the renewal every year; last day {1} ({2}) or {3} ({4})",
            "before the renewal every {1} years; last day {2} ({3})",
        )
    ),
    "by written notice, year after it",
    "whether it is in force: {0}",
    "when it ends: {0}",
    "how it can be ended: {0}",
    "{0} holds {1}; {2} holds {3}",
    "not by itself",
    *(
        f"{held} ({known})"
        for held in ("at any time, by reactivating the suspended notice", "only by notice in time before a renewal")
        for known in ("said by it", "reported of it by others", "by the text: it has said nothing")
    ),
    "{0} gives notice of the end on {1}",
    "{0} suspends the effect of its notice on {1}",
    "{0} lets its suspended notice run again on {1}",
    "{0} withdraws its notice on {1}",
    "{0} and {1} end it by consent on {2}",
)
"""Sentences that are put together from parts (``agreement/term.py``, ``foresight/supposition.py``)."""
HANDED = {"check_state": slice(1, 2)}
"""Functions that put what they are handed into a sentence of an error, called from other modules."""
LETTERS_MIN = 6
"""A sentence that has fewer letters of its own is not recognised again; its code says what it means."""
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "words", "say", "message", "N_", "gettext")),
    **dict.fromkeys(("ngettext", "count", "form"), (1, 2)),
    **dict.fromkeys(("pgettext", "in_context"), ((1, "c"), 2)),
}
"""By which names a text is known as a message."""
OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true", "silent": "false"}
SMALL = re.compile(r"[A-Za-z0-9._/\[\]-]*")
"""What is a word of a file or a command, and no message."""


PLACE = re.compile(r"\{[0-9]+\}")


@dataclass
class Said:
    """What is said in English: sentences with their codes, and the codes that need a sentence for themselves."""

    sentences: dict[str, set[str]] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)


def letters(sentence: str) -> int:
    """How many letters of a sentence are its own; none of what is one word."""
    return 0 if SMALL.fullmatch(sentence) else sum(map(str.isalpha, PLACE.sub("", sentence)))


def said() -> Said:
    """Everything that the rooms below the console say."""
    found = Said()
    for room in (*WHOLE, *BY_CODE):
        for file in sorted((SOURCE / room).rglob("*.py")):
            if file.parent in PROGRAMS:
                continue
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for sentence, code in _raised(tree):
                whole = room in WHOLE and sentence is not None and letters(sentence) >= LETTERS_MIN
                if whole and sentence is not None:
                    found.sentences.setdefault(sentence, set()).add(code)
                elif code:
                    found.codes.add(code)
            handed = _said_in(tree, _handed(tree) | HANDED) if room in WHOLE else ()
            told = _said_in(tree, TOLD.get(file.relative_to(SOURCE).as_posix(), {}))
            for sentence in (*(each for each in handed if letters(each) >= LETTERS_MIN), *told):
                found.sentences.setdefault(sentence, set())
    for file, places in TOLD.items():
        if file.split("/", 1)[0] not in (*WHOLE, *BY_CODE):
            tree = ast.parse((SOURCE / file).read_text(encoding="utf-8"))
            for sentence in _said_in(tree, places):
                found.sentences.setdefault(sentence, set())
    found.sentences |= {sentence: set() for sentence in COMPOSED if sentence not in found.sentences}
    return found


def _raised(tree: ast.Module) -> Iterator[tuple[str | None, str]]:
    """Every error that is made: its sentence, None where it is not in the code, and its code, empty likewise."""
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        named = _named(scope)
        for call in ast.walk(scope):
            if not isinstance(call, ast.Call) or _name(call.func) not in ERRORS:
                continue
            first = {"no": 1, "Mistake": 2}.get(_name(call.func), 0)
            codes = [each.value for each in call.keywords if each.arg == "code"] or (call.args[:1] if first else [])
            code = codes[0].value if codes and isinstance(codes[0], ast.Constant) else ""
            for sentence in _texts(call.args[first], named) if len(call.args) > first else [None]:
                yield sentence, code


def _handed(tree: ast.Module) -> dict[str, slice]:
    """Functions that make an error of a sentence that they are handed, and which of their arguments it is."""
    found = {}
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) and scope.name not in ERRORS:
            arguments = [each.arg for each in scope.args.args if each.arg != "self"]
            for call in ast.walk(scope):
                if isinstance(call, ast.Call) and _name(call.func) in ERRORS:
                    for each in call.args:
                        name = _name(each)
                        if isinstance(each, ast.Name) and name in arguments and name not in {"code", "place"}:
                            place = arguments.index(name)
                            found[scope.name] = slice(place, place + 1)
    return found


def _said_in(tree: ast.Module, places: dict[str, slice]) -> Iterator[str]:
    """What is told without being raised."""
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        match node:
            case ast.Call(func=func, args=args, keywords=keywords):
                values += [each.value for each in keywords if each.arg in places]
                values += args[places[_name(func)]] if _name(func) in places else []
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in places:
                values.append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in places:
                values.append(value)
            case ast.Return(value=ast.Tuple(elts=several)) if "return" in places:
                values += several[1:]
            case ast.Return(value=ast.expr() as value) if "return" in places:
                values.append(value)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=several)):
                values += [each for name, each in zip(names, several, strict=True) if _name(name) in places]
        for value in values:
            pieces = value.values if isinstance(value, ast.Dict) else [value]
            if isinstance(value, ast.Tuple):
                pieces = [part for each in value.elts if isinstance(each, ast.Tuple) for part in each.elts]
            for text in (text for piece in pieces for text in _texts(piece, {})):
                if text is not None and re.search("[a-z]{2}", PLACE.sub("", text)):
                    yield text


def _named(scope: ast.AST) -> dict[str, list[ast.expr]]:
    """What is assigned to each name in a function."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


def _texts(node: ast.expr, named: dict[str, list[ast.expr]]) -> list[str | None]:
    """The sentences that an expression can be, with places for what is put in; None for what is not in the code."""
    match node:
        case ast.Constant(value=str()):
            return [_plain(node)]
        case ast.IfExp(body=body, orelse=orelse):
            return [*_texts(body, named), *_texts(orelse, named)]
        case ast.Name(id=name) if name in named:
            return [text for value in named[name] for text in _texts(value, {})]
        case ast.JoinedStr(values=values):
            places = (f"{{{number}}}" for number in range(len(values)))
            return ["".join(_plain(part) if isinstance(part, ast.Constant) else next(places) for part in values)]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            befores, afters = _texts(left, named), _texts(right, named)
            return [_joined(before or "{0}", after or "{0}") for before in befores for after in afters]
        case _:
            return [None]


def _plain(constant: ast.Constant) -> str:
    return str(constant.value).replace("{", "{{").replace("}", "}}")


def _joined(before: str, after: str) -> str:
    places = len(set(PLACE.findall(before)))
    return before + re.sub(r"\{([0-9]+)\}", lambda place: f"{{{int(place[1]) + places}}}", after)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def agreement_texts() -> dict[str, None]:
    """What the agreements of the library say in English alone, in the order in which they say it."""
    found: dict[str, None] = {}
    for file in sorted((SOURCE / "agreements").glob("*.toml")):
        read = tomllib.loads(file.read_text(encoding="utf-8"))
        found |= dict.fromkeys(text for text in _english(read) if text)
    for file in sorted((SOURCE / "agreements").glob("*.coverage.json")):
        found |= dict.fromkeys(each["does"] for each in json.loads(file.read_text(encoding="utf-8"))["rows"])
    return found


def _english(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str) and key in {"says", "title", "evidence", "authentic", "hypothetical"}:
                yield each
            elif key == "source":  # who reported something has its own name
                continue
            elif key in {"heading", "title", "name"} and isinstance(each, dict):
                yield each["en"]
            else:
                yield from _english(each)
    elif isinstance(value, list):
        for each in value:
            yield from _english(each)


def messages() -> list[tuple[str | tuple[str, str], str | None]]:
    """What the pages say: each message with its plural, if it has one, and its context."""
    found: dict[tuple[str | tuple[str, str], str | None], None] = {}
    files = [("jinja2.ext:babel_extract", file) for file in sorted((CONSOLE / "templates").rglob("*.*"))]
    files += [("python", file) for file in sorted(CONSOLE.rglob("*.py")) if file.parent not in PROGRAMS]
    for method, file in files:
        for _line, message, _comments, context in extract_from_file(method, file, KEYWORDS, (), OPTIONS):
            key = message if isinstance(message, str) else (message[0], message[1])
            found[key, context] = None
    return list(found)


def catalogues() -> Iterator[tuple[str, dict[tuple[str | tuple[str, str], str | None], None]]]:
    """Every catalogue's name, without its language, and what it has to have."""
    everything = said()
    yield "", dict.fromkeys(messages())
    flows: dict[tuple[str | tuple[str, str], str | None], None] = {}
    flows |= dict.fromkeys((text, None) for text in sorted(everything.sentences))
    flows |= dict.fromkeys((code, "code") for code in sorted(everything.codes))
    yield "flows", flows
    yield "agreements", dict.fromkeys((text, None) for text in agreement_texts())


def path_of(name: str, language: str) -> Path:
    """Where a catalogue lies."""
    return LOCALE / (f"{name}.{language}.po" if name else f"{language}.po")


def update(name: str, language: str, wanted: dict[tuple[str | tuple[str, str], str | None], None]) -> list[str]:
    """Write one catalogue anew, and tell what in it is not translated yet."""
    path = path_of(name, language)
    had = read_po(path.open("rb"), locale=language) if path.exists() else Catalog(locale=language)
    made = Catalog(locale=language, charset="utf-8")
    for identity, context in wanted:
        first = identity if isinstance(identity, str) else identity[0]
        old = had.get(first, context)
        made.add(identity, old.string if old is not None and not old.fuzzy else "", context=context)
    for old in had if name == "flows" else ():
        if old.context == "word" and isinstance(old.id, str):  # closed words that are put into sentences; ours to list
            made.add(old.id, old.string, context="word")
    with path.open("wb") as file:
        file.write(HEADER.format(language).encode())
        write_po(file, made, width=110, omit_header=True)
    return [str(each.id) for each in made if each.id and not each.string]


HEADER = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: {}\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


def main() -> int:
    """Bring every catalogue up to what is said; 1 where something is not translated."""
    missing = 0
    for name, wanted in catalogues():
        for language in LANGUAGES:
            for message in update(name, language, wanted):
                missing += 1
                print(f"{path_of(name, language).name}: {message}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
