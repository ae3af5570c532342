"""``comity completion``: the script that a shell sources to complete verbs and options."""

from __future__ import annotations

import sys

import click

from comity.cli.options import Verb

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Verb)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    Example:
      comity completion bash > ~/.local/share/bash-completion/completions/comity
      comity completion zsh > ~/.zfunc/_comity
      comity completion fish > ~/.config/fish/completions/comity.fish
    """
    from click.shell_completion import get_completion_class

    from comity.cli.main import COMPLETION_VARIABLE, root

    kind = get_completion_class(shell)
    assert kind is not None
    sys.stdout.write(kind(root, {}, "comity", COMPLETION_VARIABLE).source())
