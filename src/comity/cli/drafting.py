"""What a writer of an agreement needs: ``agreement schema``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from comity.cli.files import write_new_file
from comity.cli.options import Desk, Verb, housed
from comity.cli.output import Output
from comity.errors import Misuse

if TYPE_CHECKING:
    from comity.agreement.schema import Kind


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
