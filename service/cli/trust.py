"""Whom a verification relies on: keys, a policy of witnesses, and the key of an auditor, as the options give them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..verification.policy import Policy
    from ..verification.signed_note import PublicKey

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1: what a header field can carry


def policy_option(command: Any) -> Any:
    """Adds ``--policy``."""
    return click.option(
        "--policy",
        "policy_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Witnesses and their quorum (C2SP tlog-policy).",
    )(command)


def token_of(token_file: Path | None) -> str | None:
    """The API key in a file, however an editor saved it; a UsageError, which does not show it, where it is not one."""
    from ..verification.signed_note import plain_text

    if token_file is None:
        return None
    token = plain_text(token_file.read_bytes()).decode("utf-8", "replace").strip()
    if not _BEARER.fullmatch(token):
        raise click.UsageError(f"{token_file} holds no key, or more: write one line, the key that begins with emb_.")
    return token


def trusted_keys(vkeys: tuple[str, ...], policy_file: Path | None) -> tuple[list[PublicKey], Policy | None]:
    """The keys that were given, else those of the policy, and the policy; a UsageError says what is wrong with one."""
    from ..verification.policy import PolicyError, parse_policy
    from ..verification.signed_note import BadFormError, parse_vkey, plain_text

    try:
        keys = [parse_vkey(vkey) for vkey in vkeys]
    except BadFormError as error:
        raise click.UsageError(f"--key: {error}.") from error
    if policy_file is None:
        return keys, None
    try:
        policy = parse_policy(plain_text(policy_file.read_bytes()).decode("utf-8", "replace"))
    except PolicyError as error:
        raise click.UsageError(f"--policy: {policy_file}: {error}.") from error
    return keys or list(policy.logs), policy
