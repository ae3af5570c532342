"""What is secret in a folder, by the settings in it (``spec/keys.md`` step 1)."""

from __future__ import annotations

from pathlib import Path

from comity.node.settings import FILE, read_settings
from comity.stores.secrets import WITNESS, Named, Secrets


def secrets_of(folder: Path) -> Secrets:
    """Everything secret in a data folder, or in the folder of a witness.

    Raises:
        Rejected: the settings are not what they must be.
    """
    if (folder / WITNESS).exists():
        from comity.node.witnessing import witness_secrets  # it serves; most folders are no witness's

        return witness_secrets(folder)
    if not (folder / FILE).exists():  # keys that came back before the rest
        return Secrets(folder)
    settings = read_settings(folder / FILE)
    named: list[tuple[Named, Path]] = []
    if settings.alarm is not None and settings.alarm.secret is not None:
        named.append(("alarm", folder / settings.alarm.secret))
    if settings.events is not None:
        named += [("source", folder / each.token) for each in settings.events.source]
    named += [("webhook", folder / each.secret) for each in settings.webhook]
    if settings.console.organisation is not None:
        named.append(("organisation", folder / settings.console.organisation.secret))
    beside = folder / settings.witness.folder if settings.witness is not None else None
    return Secrets(folder, named, secrets_of(beside) if beside is not None and (beside / WITNESS).exists() else None)
