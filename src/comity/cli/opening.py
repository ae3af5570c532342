"""``comity open``: a reader, a purpose, a decision, and only then the content."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.decisions import functions, tell_outcome
from comity.cli.files import absolute, free, new_file
from comity.cli.options import Desk, Verb, acting, housed
from comity.cli.output import REFUSED, Output, size
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.giving.opening import Confirm, Open, OpenedItem


@click.command("open", cls=Verb)
@click.argument("item")
@click.option("--purpose", required=True, help="What for; another purpose than it was given for needs consent.")
@click.option("--out", "path", required=True, type=click.Path(path_type=Path), help="A new file for the content.")
@acting
@housed
def open_command(desk: Desk, item: str, purpose: str, path: Path, actor: str, key: Path | None) -> int:
    """Open an item for a purpose, into a new file.

    Who may not gets the decision and its articles instead, and the question is recorded. A reader in strict custody
    names his own keys with --key: the node hands out the sealed copy, and it is opened here.

    Example:
      comity open i-7k3m… --purpose "air defence" --out report.pdf --as kim
    """
    free(path)
    opened = _open_here(desk, item, purpose, path, actor, key) if key else _open(desk, item, purpose, path, actor)
    known = functions(desk)
    desk.show(opened, lambda out, _: _tell(out, opened, known))
    return 0 if opened.opening else REFUSED


def _open(desk: Desk, item: str, purpose: str, path: Path, actor: str) -> OpenedItem:
    opened: OpenedItem = desk.call("open", _request(item, purpose, path, actor))
    if opened.binding is not None:
        path.unlink()
        raise Misuse(f"{actor!r} keeps his own keys; name them with --key FILE", code="strict-keys")
    return opened


def _open_here(desk: Desk, item: str, purpose: str, path: Path, actor: str, key: Path) -> OpenedItem:
    """(7) Fetch the sealed copy, open it with the reader's own key, and record that he did, signed by him.

    The opening is recorded before the content appears under its name; what does not hold what its record says never
    does.
    """
    from comity.cli.person_keys import read_person_keys
    from comity.seal.age import open_header, read_header
    from comity.seal.items import unpack_payload

    keys = read_person_keys(key)
    sealed = path.with_name(path.name + ".age")
    opened: OpenedItem = desk.call("open", _request(item, purpose, sealed, actor))
    if opened.binding is None:
        if opened.outcome == "permit":
            sealed.replace(path)
        return opened
    try:
        with sealed.open("rb", buffering=0) as source, new_file(path) as sink:
            header, payload = read_header(source)
            manifest = unpack_payload(open_header(header, keys.identities), payload, sink, opened.binding)
            request = Confirm(
                item=opened.item, purpose=purpose, decision_record=opened.decision_record, actor=Actor(actor)
            )
            confirmed: OpenedItem = desk.act("open.confirm", request, key)
    finally:
        sealed.unlink(missing_ok=True)
    return OpenedItem(
        item=opened.item,
        outcome=opened.outcome,
        decision=opened.decision,
        decision_record=opened.decision_record,
        opening=confirmed.opening,
        path=absolute(str(path)),
        file_name=manifest.file_name,
        size=manifest.length,
        banner=opened.banner,
        conditions=opened.conditions,
    )


def _request(item: str, purpose: str, path: Path, actor: str) -> Open:
    return Open(item=item, purpose=purpose, path=absolute(str(path)), actor=Actor(actor))


def _tell(out: Output, opened: OpenedItem, known: dict[str, str]) -> None:
    told = tell(opened.decision)
    if not opened.opening:
        tell_outcome(out, told, known, full=False)
        out.gap()
        out.text("Nothing was opened. That it was asked is recorded in this house.")
        out.next((f"comity why {opened.decision_record[:16]}", "the whole decision"))
        return
    if opened.banner is not None:
        for line in opened.banner.lines:
            out.line((line.text, "strong"), indent=2)
        out.gap()
    out.line(("opened ", "good"), opened.item, f" into {opened.path}")
    out.fields(
        [
            ("called", opened.file_name),
            ("size", size(opened.size)),
            *(("on condition", each) for each in opened.conditions),
            ("recorded as", opened.opening[:16]),
        ]
    )
    out.next((f"comity why {opened.item}", "by which articles"))
