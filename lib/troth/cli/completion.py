"""``troth completion``: tab completion for a shell."""

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes troth's commands and options in SHELL.

    \b
    Example:
      source <(troth completion bash)
    """  # noqa: D301  (click's \b keeps the lines of the example)
    root = context.find_root().command
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}.")
    click.echo(kind(root, {}, "troth", "_TROTH_COMPLETE").source())
