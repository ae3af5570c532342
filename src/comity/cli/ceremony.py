"""``comity keys ceremony``: a house is founded, or two parties meet, before two people, and a signed protocol of it.

What is asked has a name; ``--answers`` gives the answers by these names, for rehearsals and tests.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from comity.cli.custodians import passphrase_option
from comity.cli.files import read_file, write_new_file
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import Output
from comity.cli.passphrases import choosing, unlocking
from comity.cli.tokens import token_home, token_options
from comity.errors import Misuse

if TYPE_CHECKING:
    from comity.flows.agreeing.founding import CardShown
    from comity.record.card import Card
    from comity.record.ceremony import FileNoted, Protocol, Step

ANSWERS_BYTES_MAX = 64 * 1024
PROTOCOL = "ceremony.protocol"


class CeremonyHeld(msgspec.Struct, frozen=True, kw_only=True):
    """What a ceremony made: its protocol, the fingerprint it is about, and the files beside it."""

    kind: str
    party: str
    fingerprint: str
    words: str
    protocol: str
    files: list[str]


class Asking:
    """(26) What is asked, at the terminal or of a file of answers; every word of it goes into the protocol."""

    def __init__(self, out: Output, answers: dict[str, str] | None) -> None:
        self._out = out
        self._answers = answers
        self.steps: list[Step] = []
        self.after = ""

    def ask(self, name: str, question: str, *, empty: bool = False) -> str:
        """The answer to a question.

        Raises:
            Misuse: the file of answers has none.
        """
        if self._answers is None:
            said: str = click.prompt(question, default="" if empty else None, show_default=False, err=True)
        else:
            if name not in self._answers:
                raise Misuse(f"the file of answers has none to {name!r}: {question}", code="no-answer")
            said = self._answers.pop(name)
        said = " ".join(said.split())
        if not said and not empty:
            raise Misuse(f"{name!r} wants an answer: {question}", code="no-answer")
        self._note(question, said)
        return said

    def agree(self, name: str, question: str) -> None:
        """Go on only if the answer is yes.

        Raises:
            Misuse: it is not.
        """
        said = self.ask(name, f"{question} (yes or no)")
        if said.lower() != "yes":
            raise Misuse(f"the ceremony ends here: {said!r} to {name!r}{self.after}", code="ceremony-ended")

    def did(self, what: str) -> None:
        """Note and tell what was done."""
        self._note(what, "")

    def end(self) -> None:
        """Make sure that every answer of the file was asked for.

        Raises:
            Misuse: one was not: a misspelt name would be passed over in silence.
        """
        if self._answers:
            raise Misuse(f"nobody asked for {', '.join(sorted(self._answers))}", code="unknown-answer")

    def _note(self, asked: str, said: str) -> None:
        from comity.record.ceremony import Step

        self.steps.append(Step(datetime.now(UTC).replace(microsecond=0), asked, said))
        if not self._out.as_json:
            self._out.text(f"{len(self.steps):2}. {asked}{f'  {said}' if said else ''}")


@click.command(cls=Verb)
@click.option("--out", type=click.Path(path_type=Path), help="A new folder for protocol, card and shares.")
@click.option("--with", "peer", type=click.Path(path_type=Path), help="Meet the party of this card.")
@click.option("--answers", type=click.Path(path_type=Path), help="Answers by their names (TOML), not a terminal.")
@click.option("--verify", type=click.Path(path_type=Path), help="Read a protocol and verify it under --card.")
@click.option("--card", type=click.Path(path_type=Path), help="The card of the party whose protocol is verified.")
@click.option(
    "--on-token",
    multiple=True,
    type=click.Choice(["root", "record", "log", "witness", "transport"]),
    help="This key is born on the token that --module and --token name; repeat it.",
)
@token_options
@passphrase_option
@click.option("--no-passphrase", is_flag=True, help="Leave the keys open on the disk, and do not ask.")
@housed
def ceremony(
    desk: Desk,
    out: Path | None,
    peer: Path | None,
    answers: Path | None,
    verify: Path | None,
    card: Path | None,
    on_token: tuple[str, ...],
    module: Path | None,
    label: str | None,
    pin_file: Path | None,
    passphrase_file: Path | None,
    *,
    no_passphrase: bool,
) -> None:
    """Hold a key ceremony before two people: found a house offline, or meet another party.

    Without --with, the house in the data folder is founded: keys, card, fingerprint in words, shares for custodians,
    the root key carried away. With --with, a card that came by pouch is compared and added. Either leaves a protocol,
    signed, to be printed and signed by hand.

    Example:
      comity keys ceremony --folder tokyo --out ceremony
      comity keys ceremony --folder tokyo --with kr.card --out meeting
      comity keys ceremony --verify ceremony/ceremony.protocol --card ceremony/jp.card
    """
    if verify is not None:
        if card is None:
            raise click.UsageError("a protocol is verified under a card: --card FILE")
        _verify(desk, verify, card)
        return
    if out is None:
        raise click.UsageError("name a new folder for the protocol: --out FOLDER")
    if out.exists():
        raise Misuse(f"{str(out)!r} exists already; name a new folder", code="exists")
    asking = Asking(desk.out, None if answers is None else _read_answers(answers))
    folder = desk.session.folder
    if peer is not None:
        desk.session.check()
        held = _meet(asking, folder, out, peer, passphrase_file)
    else:
        if bool(on_token) != (module is not None and label is not None):
            raise click.UsageError("--on-token goes with --module and --token")
        home = token_home(module, label, pin_file) if module is not None and label is not None else None
        passphrase = (
            "" if no_passphrase else choosing("Passphrase for the keys (empty: they lie open)", passphrase_file)
        )
        held = _Founding(asking, folder, out, passphrase).hold(home, on_token)
    desk.show(held, _tell_held)


def _people(asking: Asking) -> tuple[str, str, str]:
    """(25) Where, who acts, and who watches."""
    place = asking.ask("place", "Where is this ceremony held?")
    officer = asking.ask("officer", "Name and office of whoever acts:")
    witness = asking.ask("witness", "Name and office of whoever watches:")
    if officer.casefold() == witness.casefold():
        raise Misuse("a ceremony takes two people: who acts cannot be who watches", code="one-person")
    return place, officer, witness


class _Founding:
    """(25) to (30): a house is founded."""

    def __init__(self, asking: Asking, folder: Path, out: Path, passphrase: str) -> None:
        self._asking = asking
        self._folder = folder
        self._out = out
        self._passphrase = passphrase
        self._files: list[Path] = []

    def hold(self, home: object, on_token: Sequence[str]) -> CeremonyHeld:
        from comity.node.ceremony import remove_root, sign_founding, words_of
        from comity.record.card import fingerprint, read_card

        asking = self._asking
        people = _people(asking)
        asking.agree(
            "offline", "Is this machine cut off from every network, started from a medium that both of you trust?"
        )
        shown = self._found(home, on_token)
        card = read_card(shown.card)
        asking.did(f"The fingerprint of {card.party}: {shown.fingerprint}")
        asking.did(f"In words: {words_of(card)}")
        asking.agree("officer-compared", "The officer has read the words aloud, all of them, from the screen?")
        asking.agree("witness-compared", "The witness has written them down, and compared them with the screen?")
        self._write(f"{card.party}.card", shown.card)
        self._share_out()
        mediums = self._carry()
        asking.end()
        protocol = _protocol("founding", asking, card.party, people, fingerprint(card.party, card.root), self._noted())
        envelope = sign_founding(self._folder, protocol, lambda: self._passphrase)
        self._write(PROTOCOL, envelope)
        self._write("ceremony.txt", _printed(protocol).encode())
        if mediums:
            remove_root(self._folder)
        return _held(protocol, self._out, self._files)

    def _found(self, home: object, on_token: Sequence[str]) -> CardShown:
        import asyncio

        from comity.cli.founding import settings_of
        from comity.node.run import found
        from comity.ports import TokenHome

        asking = self._asking
        party = asking.ask("party", "The id by which agreements name the party:")
        name = asking.ask("name", "The party's name for people:")
        addresses = asking.ask(
            "addresses", "Where peers reach it (https://…, several with spaces; empty: by pouch):", empty=True
        )
        settings = settings_of(party, name, "127.0.0.1", 8443, tuple(addresses.split()))
        assert home is None or isinstance(home, TokenHome)
        shown = asyncio.run(found(self._folder, settings, name, self._passphrase, home, on_token))
        asking.after = f"; destroy {str(self._folder)!r}, and hold it again from the start"
        lives = f"; on the token: {', '.join(on_token)}" if on_token else ""
        asking.did(f"The keys were made, {'locked' if self._passphrase else 'and lie open'}{lives}.")
        return shown

    def _share_out(self) -> None:
        from comity.node.custodians import split_keys

        asking = self._asking
        number = asking.ask("custodians", "How many custodians get a share of the recovery key? (0: none)")
        if number == "0":
            return
        threshold = asking.ask("threshold", "How many of them bring the keys back?")
        if not (number.isascii() and number.isdigit() and threshold.isascii() and threshold.isdigit()):
            raise Misuse("custodians and threshold are numbers", code="bad-threshold")
        made = split_keys(self._folder, self._out / "shares", int(threshold), int(number), lambda: self._passphrase)
        for each, path in enumerate(made.shares, 1):
            asking.ask(f"custodian-{each}", f"Who keeps share {each} ({Path(path).name})?")
        self._files.append(Path(made.bundle))

    def _carry(self) -> list[Path]:
        from comity.node.ceremony import copy_root

        asking = self._asking
        said = asking.ask(
            "root-mediums", "To which mediums does the root key go? (folders, with spaces; empty: it stays)", empty=True
        )
        mediums = [Path(each) for each in said.split()]
        if mediums:
            copy_root(self._folder, mediums)
            asking.did(f"The root key lies on {len(mediums)} mediums, and leaves this machine.")
        return mediums

    def _write(self, name: str, content: bytes) -> None:
        self._out.mkdir(mode=0o700, exist_ok=True)
        write_new_file(self._out / name, content)
        self._files.append(self._out / name)

    def _noted(self) -> list[FileNoted]:
        from comity.node.ceremony import noted

        return [noted(path) for path in self._files]


def _meet(asking: Asking, folder: Path, out: Path, peer: Path, passphrase_file: Path | None) -> CeremonyHeld:
    """(28) (30) The other party's card came by pouch: compared by two people, and added."""
    from functools import cache

    from comity.flows.agreeing.founding import AddPeer
    from comity.node.ceremony import meet, noted, own_card, read_peer, same_fingerprint, words_of
    from comity.record.card import fingerprint, read_card
    from comity.record.dsse import ENVELOPE_BYTES_MAX

    passphrase = cache(lambda: unlocking(folder, passphrase_file))
    envelope = read_file(peer, ENVELOPE_BYTES_MAX)
    card = read_peer(envelope, str(peer))
    own = read_card(own_card(folder, passphrase).card)
    people = _people(asking)
    asking.ask("carried-by", f"Who carried the card of {card.party} ({card.name}) here, and how was it closed?")
    asking.did(f"Ours, to be read to them, of {own.party}: {words_of(own)}")
    typed = asking.ask("fingerprint", f"The fingerprint of {card.party} as they read it to you, words or digits:")
    if not same_fingerprint(card, typed):
        raise Misuse(
            "this is not the fingerprint of the card that came; do not use the card, and find out why",
            code="fingerprint",
        )
    asking.agree("officer-compared", f"The officer heard it from somebody of {card.party} whom he knows, all of it?")
    asking.agree("witness-compared", "The witness heard it, too, and compared it word by word?")
    asking.end()
    digest = fingerprint(card.party, card.root)
    request = AddPeer(card=envelope, fingerprint=digest.hex(), compared_by=(people[1], people[2]))

    def protocol() -> Protocol:
        asking.did(f"{card.party} was added.")
        return _protocol("first-contact", asking, own.party, people, digest, [noted(peer)], card.party)

    signed, made = meet(folder, request, protocol, passphrase)
    out.mkdir(mode=0o700)
    write_new_file(out / PROTOCOL, signed)
    write_new_file(out / "ceremony.txt", _printed(made).encode())
    return _held(made, out, [out / PROTOCOL, out / "ceremony.txt"])


def _protocol(
    kind: str,
    asking: Asking,
    party: str,
    people: tuple[str, str, str],
    digest: bytes,
    files: Sequence[FileNoted],
    other: str | None = None,
) -> Protocol:
    from comity import __version__
    from comity.record.ceremony import PROTOCOL_VERSION, Protocol

    place, officer, witness = people
    assert kind in {"founding", "first-contact"}
    return Protocol(
        version=PROTOCOL_VERSION,
        kind="founding" if kind == "founding" else "first-contact",
        party=party,
        program=f"comity {__version__}",
        place=place,
        officer=officer,
        witness=witness,
        steps=tuple(asking.steps),
        fingerprint=digest,
        other=other,
        files=tuple(files),
    )


def _printed(protocol: Protocol) -> str:
    """(30) The protocol as it is printed and signed by hand."""
    about = "founding" if protocol.kind == "founding" else f"first contact with {protocol.other}"
    lines = [
        f"KEY CEREMONY of {protocol.party}: {about}",
        f"at {protocol.place}, {protocol.steps[0].at:%Y-%m-%d %H:%M} to {protocol.steps[-1].at:%H:%M} UTC",
        f"with {protocol.program}",
        "",
    ]
    for number, step in enumerate(protocol.steps, 1):
        lines.append(f"{number:2}. {step.at:%H:%M:%S}  {step.asked}")
        lines += [f"              {step.said}"] if step.said else []
    lines += ["", *(f"SHA-256 {each.digest.hex()}  {each.name}" for each in protocol.files)]
    for role, person in (("acted", protocol.officer), ("watched", protocol.witness)):
        lines += ["", "", "_" * 60, f"{person} ({role})"]
    return "\n".join([*lines, ""])


def _held(protocol: Protocol, out: Path, files: Sequence[Path]) -> CeremonyHeld:
    from comity.record.card import fingerprint_text
    from comity.seal.shares import spoken

    return CeremonyHeld(
        kind=protocol.kind,
        party=protocol.party,
        fingerprint=fingerprint_text(protocol.fingerprint),
        words=spoken(protocol.fingerprint),
        protocol=str(out / PROTOCOL),
        files=[str(path) for path in files],
    )


def _verify(desk: Desk, path: Path, card_path: Path) -> None:
    """(31) Read a protocol back."""
    from comity.record.card import read_card
    from comity.record.ceremony import PROTOCOL_BYTES_MAX, read_protocol
    from comity.record.dsse import ENVELOPE_BYTES_MAX

    card: Card = read_card(read_file(card_path, ENVELOPE_BYTES_MAX), str(card_path))
    protocol = read_protocol(read_file(path, PROTOCOL_BYTES_MAX), card, str(path))
    desk.show(protocol, _tell_protocol)


def _read_answers(path: Path) -> dict[str, str]:
    from comity.agreement import toml

    try:
        found = toml.loads(read_file(path, ANSWERS_BYTES_MAX).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misuse(f"{str(path)!r} is not TOML: {error}", code="bad-answers") from None
    if wrong := [name for name, said in found.items() if not isinstance(said, str | int)]:
        raise Misuse(f"an answer is a text or a number, unlike {', '.join(wrong)}", code="bad-answers")
    return {name: str(said) for name, said in found.items()}


def _tell_held(out: Output, held: CeremonyHeld) -> None:
    out.gap()
    out.line("the protocol is signed: ", (held.protocol, "strong"))
    out.fields([("fingerprint", held.fingerprint), ("in words", held.words), *(("file", path) for path in held.files)])
    out.gap()
    out.text("Print ceremony.txt; both sign it by hand. One copy stays with each.")
    if held.kind == "founding":
        out.next(
            ("comity keys ceremony --with OTHER.card --out meeting", "when the other party's card came by pouch"),
            ("comity node run", "on the machine that the folder is carried to"),
        )
    else:
        out.next(("comity peer list", "who is known"))


def _tell_protocol(out: Output, protocol: Protocol) -> None:
    out.line(("verified: ", "good"), f"signed by {protocol.party}, {len(protocol.steps)} steps")
    for line in _printed(protocol).splitlines():
        out.line(line)
