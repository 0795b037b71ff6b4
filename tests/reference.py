"""Reference pages made from the code: ``python -m tests.reference`` writes ``docs/reference/``; a test compares them.

A page is a function without arguments that gives its Markdown; ``PAGES`` is their table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from tests.ledger.entries_page import entries_page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
_MADE = "<!-- Made from the code by `python -m tests.reference`; edit the code instead. -->\n"


def settings_page() -> str:
    """Every setting with its default and what it sets."""
    from service.settings import VARIABLES

    def default(name: str) -> str:
        setting = VARIABLES[name]
        if setting.default is None:
            return "none, needed"
        return setting.default_words or (f"`{setting.default}`" if setting.default else "none")

    rows = "".join(f"| `{name}` | {default(name)} | {setting.help} |\n" for name, setting in VARIABLES.items())
    return (
        "# Settings\n\nFrom the environment, or from a file of `NAME=value` lines that `EMBLEM_CONFIG` names; the "
        "environment wins. Durations are whole numbers with `s`, `m`, `h`, `d` or `w`.\n\n"
        f"| variable | default | what it sets |\n|---|---|---|\n{rows}"
    )


def cli_page() -> str:
    """Every command with its usage, what it does and its options."""
    from service.cli import emblem

    parts = ["# Command line\n\nExit status: 0 done; 1 it ran and the answer is no; 2 usage or configuration error.\n"]
    for path, command in _commands("emblem", emblem):
        context = click.Context(command, info_name=path)
        usage = " ".join(command.collect_usage_pieces(context))
        text = " ".join((command.help or "").split())
        rows = "".join(
            f"- `{names}`: {words}\n"
            for parameter in command.get_params(context)
            if isinstance(parameter, click.Option) and not parameter.hidden and "--help" not in parameter.opts
            if (record := parameter.get_help_record(context))
            for names, words in (record,)
        )
        parts.append(f"## `{path} {usage}`\n\n{text}\n" + (f"\n{rows}" if rows else ""))
    return "\n".join(parts)


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _commands(f"{path} {name}", found)
    else:
        yield path, command


#: file below docs/reference -> what makes it
PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "entries.md": entries_page,
    "settings.md": settings_page,
}


def text(name: str) -> str:
    """The whole text of a page."""
    return _MADE + PAGES[name]()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for page in PAGES:
        (FOLDER / page).write_text(text(page), encoding="utf-8")
        print(f"docs/reference/{page}")
