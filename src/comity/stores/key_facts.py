"""What can be told of the keys of a house without opening any (``spec/keys.md`` step 10)."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from comity.ports import KeyFacts
from comity.stores.key_files import check_folder, read_private, read_public, token_of, written_at
from comity.stores.key_lock import is_sealed, root_files, signing_files
from comity.stores.secrets import KEYS, ROOT, WITNESS, Secret, Secrets
from comity.stores.tls_keys import certificates, key_of

DOES = {
    "root": "certifies the other keys: signs this house's cards, and acts as root",
    "record": "signs records, evidence and letters of this house",
    "log": "signs the checkpoints of this house's ledgers and feeds",
    "witness": "cosigns the checkpoints of others",
    "transport": "signs requests, replies, pouches and reconciliations",
    "registry": "opens what is sealed to the registry: copies for people in served custody",
    "pairwise": "derives the names by which people are known in each relationship",
    "people": "signs the acts of one person in served custody",
    "alarm": "signs what this node's alarm tells",
    "source": "lets a source publish events over the network",
    "webhook": "signs what this node tells an address outside",
    "organisation": "by which the console is known to an organisation's own login",
    "tls": "shows other nodes, under TLS, that it is this server",
}
"""What each key is for; one key, one purpose."""
BESIDES = frozenset({"alarm", "source", "webhook", "organisation", "witness"})
"""What is secret in a house's folder besides its keys."""


def key_facts(folder: Path, secrets: Secrets | None = None) -> list[KeyFacts]:
    """(10) Every key of the house, the root key first, then by purpose; then what ``secrets`` names besides.

    Raises:
        Rejected: others can read a key, or look into the folder.
        Unavailable: there are none.
    """
    check_folder(folder / KEYS)
    secrets = secrets or Secrets(folder)
    if (folder / WITNESS).exists():
        return [_besides(each, each.path.stem) for each in secrets]
    named = [(each, each.kind, f"/{each.path.stem}") for each in secrets if each.kind in BESIDES]
    return [*_facts(folder), *(_besides(each, kind if kind == "alarm" else kind + stem) for each, kind, stem in named)]


def _facts(folder: Path) -> Iterator[KeyFacts]:
    keys = folder / KEYS
    root = root_files(folder) or [folder / ROOT / "root.key"]
    yield _fact("root", root[-1], keys / "root.public")
    for purpose in ("record", "log", "witness", "transport"):
        for path in signing_files(keys, purpose):
            yield _fact(path.stem, path, path.with_suffix(".public"))
    for path in sorted((keys / "registry").glob("*.age"), reverse=True):
        yield _fact(f"registry/{path.stem}", path, path.with_suffix(".public"))
    yield _fact("pairwise", keys / "pairwise.secret", keys / "pairwise.public")
    for path in sorted((keys / "people").glob("*.key")):
        yield _fact(f"people/{path.stem}", path, path.with_suffix(".public"))
    for digest, path in certificates(folder).items():
        yield _tls(digest, path)


def _fact(name: str, path: Path, public: Path) -> KeyFacts:
    noted = read_public(public) or ("", "")
    here = path.exists()
    token = token_of(public) if path.suffix == ".token" else ""
    return KeyFacts(
        name=name,
        does=DOES[name.split("/", maxsplit=1)[0].split("-", maxsplit=1)[0]],
        created=noted[1] or (written_at(path) if here and noted[0] else ""),
        public=noted[0],
        fingerprint=_fingerprint(_bytes(noted[0])) if noted[0] else "",
        locked=here and is_sealed(read_private(path)),
        place=f"token {token!r}, by {path}" if token else str(path) if here else "away from this machine",
        here=here,
        token=token,
    )


def _tls(digest: bytes, certificate: Path) -> KeyFacts:
    path = key_of(certificate)
    return KeyFacts(
        name=f"tls{certificate.stem.removeprefix('certificate')}",
        does=DOES["tls"],
        created=written_at(certificate),
        public="",
        fingerprint=_grouped(digest.hex()),
        locked=is_sealed(read_private(path)),
        place=str(path),
    )


def _besides(secret: Secret, name: str) -> KeyFacts:
    """What settings name, or a witness's folder has: nothing of it is told, for there is no public half beside it."""
    path = secret.path
    return KeyFacts(
        name=name,
        does=DOES["witness" if secret.kind == "signing" else secret.kind],
        created="",
        public="",
        fingerprint="",
        locked=is_sealed(read_private(path)),
        place=str(path),
    )


def _bytes(public: str) -> bytes:
    return public.encode() if public.startswith("age1") else bytes.fromhex(public)


def _fingerprint(public: bytes) -> str:
    return _grouped(sha256(public).hexdigest())


def _grouped(digest: str) -> str:
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))
