"""Reference pages made from the code: ``python -m tests.reference`` writes ``docs/reference/``; a test compares them.

It writes the drawing of the states of cases into ``docs/desk.md`` too.

A page is a function without arguments that gives its Markdown; ``PAGES`` is their table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from tests.campaign.policies_page import policies_page
from tests.desk import drawing
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


def problems_page() -> str:
    """Every kind of problem with its status, what it means and what to do."""
    from service.problems import REGISTRY

    kinds = sorted(REGISTRY.values(), key=lambda kind: (kind.status, kind.slug))
    rows = "".join(f"| `{kind.slug}` | {kind.status} | {kind.title} | {kind.help} |\n" for kind in kinds)
    return (
        "# Problems\n\nEvery error is RFC 9457 `application/problem+json`; `type` is `/problems/` and the slug, a page "
        "that explains it. `detail` says what to do in the case at hand, `errors` points at each field that is wrong. "
        "A browser that asks for HTML gets the same as a page in its language.\n\n"
        f"| slug | status | what it means | what to do |\n|---|---|---|---|\n{rows}"
    )


def metrics_page() -> str:
    """Every figure for Prometheus."""
    from service.web.metrics import FIGURES

    rows = "".join(
        f"| `{name}{'_total' if figure.kind == 'counter' else ''}` | {figure.kind} | {', '.join(figure.labels)} "
        f"| {figure.help} |\n"
        for name, figure in FIGURES.items()
    )
    return (
        "# Metrics\n\nFor Prometheus, at `/metrics` of the listener that `EMBLEM_METRICS_BIND` names, added up over "
        "all worker processes. `route` is the rule of the address, never the address itself; `slug` is a kind of "
        f"[problem](problems.md).\n\n| name | kind | labels | what it tells |\n|---|---|---|---|\n{rows}"
    )


def http_page() -> str:
    """Every route: the operations of the API with their roles and statuses, then all other addresses."""
    import tempfile

    from service import settings
    from service.clock import now
    from service.deployment import assemble
    from service.store import migrate
    from service.web import compose
    from service.web.api.docs import complete, operations

    from .conftest import environment

    with tempfile.TemporaryDirectory() as folder:
        deployment = assemble(settings.load(environment(Path(folder))), now)
        migrate.upgrade(deployment.database)
        app = compose(deployment)
        described = complete(app)
        rules: dict[str, set[str]] = {}
        for rule in app.url_map.iter_rules():
            rules.setdefault(str(rule), set()).update(rule.methods or ())
        deployment.close()
    rows = ""
    for path, method, operation in operations(described):
        who = ", ".join(operation["x-roles"]) or "anyone"
        done = ", ".join(status for status in operation["responses"] if status < "4")
        problems = ", ".join(
            f"{status} {slug}"
            for status, response in operation["responses"].items()
            for slug in response.get("x-problems", ())
            if slug not in _EVERYWHERE
        )
        summary = operation["summary"].rstrip(".")
        rows += f"| `{method.upper()} {path}` | {summary} | {who} | {done} | {problems} |\n"
    others = "".join(
        f"| `{path.replace(languages, '{lang}')}` | {', '.join(sorted(methods - {'HEAD', 'OPTIONS'}))} |\n"
        for path, methods in sorted(rules.items())
        for languages in ["<any(" + ",".join(_languages()) + "):lang>"]
        if path not in {_rule(path) for path in described["paths"]}
    )
    everywhere = ", ".join(f"`{slug}`" for slug in _EVERYWHERE)
    return (
        "# HTTP\n\nThe bodies and answers of the API are in `GET /api/v1/openapi.json`, and as a page in "
        f"`/api/v1/docs`. Any operation may also answer {everywhere} ([problems](problems.md)).\n\n"
        "## The API\n\n| operation | what it does | roles | done | problems |\n|---|---|---|---|---|\n"
        f"{rows}\n## Everything else\n\n`{{lang}}` is one of {', '.join(_languages())}. Each GET takes HEAD too.\n\n"
        f"| address | methods |\n|---|---|\n{others}"
    )


_EVERYWHERE = ("unauthorized", "rate-limited", "unavailable", "internal-error")


def _languages() -> list[str]:
    from service.campaign import LANGUAGES

    return list(LANGUAGES)


def _rule(path: str) -> str:
    return path.replace("{", "<").replace("}", ">")


#: file below docs/reference -> what makes it
PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "http.md": http_page,
    "problems.md": problems_page,
    "entries.md": entries_page,
    "metrics.md": metrics_page,
    "policies.md": policies_page,
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
    drawing.write()
    print("docs/desk.md")
