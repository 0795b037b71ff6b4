"""The command line entrance: ``emblem``, one module a command group.

Exit status: 0 done; 1 it ran and the answer is no; 2 usage or configuration error. Errors are one clear
sentence each on standard error, with the fix.
"""

from __future__ import annotations

import os
import sys

import click

from .. import __version__
from ..problems import ConfigurationError, InvalidRequest, Problem, Unavailable


class _LazyGroup(click.Group):
    """Loads a command's module only when that command is used, so that ``emblem`` answers quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the contract."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, its module imported now."""
        if cmd_name not in _COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = getattr(import_module(f".{_COMMANDS[cmd_name]}", __name__), cmd_name)
        return command


#: command -> the module that has it
_COMMANDS = {
    "demo": "demo",
    "serve": "server",
    "db": "db",
    "doctor": "doctor",
    "catalogue": "catalogue",
    "participants": "participants",
    "policy": "policy",
    "staff": "staff",
    "keys": "keys",
    "links": "links",
    "variants": "variants",
    "artwork": "artwork",
    "audit": "audit",
    "backup": "backup",
    "restore": "backup",
    "storage": "storage",
    "webhooks": "webhooks",
    "secrets": "secrets",
    "verify": "verify",
    "campaign": "campaign",
    "client": "client",
}


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="emblem")
def emblem() -> None:
    """Hands out a campaign's logo and tools, and knows how they are used.

    Configuration comes from the environment, or from the file that EMBLEM_CONFIG names.
    """


def main() -> None:
    """Runs the command line and turns every error into its exit status and one line."""
    try:
        status = emblem.main(standalone_mode=False, prog_name="emblem")
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show(sys.stderr)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except ConfigurationError as error:
        for mistake in error.mistakes:
            click.echo(f"emblem: {mistake}", err=True)
        sys.exit(2)
    except Problem as error:
        from .outages import sentence

        click.echo(f"emblem: {sentence(error) or _sentence(error)}", err=True)
        sys.exit(2 if isinstance(error, InvalidRequest | Unavailable) else 1)
    except BrokenPipeError:  # the reader of our output went away, such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        from ..campaign import CampaignError  # only now: it brings all that reads a campaign along
        from .outages import sentence

        if isinstance(error, CampaignError):
            click.echo(str(error), err=True)
        elif (said := sentence(error)) is not None:
            click.echo(f"emblem: {said}", err=True)
        else:
            raise
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _sentence(problem: Problem) -> str:
    found = [f"{error.pointer.strip('/?').replace('_', '-')}: {error.detail}" for error in problem.errors]
    reason = problem.private.partition("\n")[0][:400]  # the operator may know it, and needs to
    return f"{problem.title}: {' '.join(found) or problem.detail}" + (f" ({reason})" if reason else "")
