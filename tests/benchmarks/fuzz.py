"""Schemathesis' generated calls, as many as are asked for, with every role on both databases; and altered tokens.

``python -m tests.benchmarks.fuzz [--cases N] [--tokens N] [--seed S] [--no-bounds]
[--databases sqlite,postgres]`` prints what each
run found and ends with 1 where any call was answered with a server error, in a way that is not documented, or taken
though it is invalid, or where an altered token was accepted. The last figures stand in ``docs/testing.md``.
"""

from __future__ import annotations

import argparse
import logging
import random
import string
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import structlog

from service.deployment import open_publisher
from service.links import Claim, Tokens
from service.problems import InvalidLink
from service.settings import load
from service.store import Database, migrate
from tests.conftest import NOON, FrozenClock, environment
from tests.parts.fuzzing import Fuzzed, fuzz
from tests.parts.postgres import Postgres
from tests.parts.served import served
from tests.web.conftest import Api

ROLES = ("partner", "portal", "auditor", "staff", "")  # the last: without a key
_SIGNS = string.ascii_letters + string.digits + "-_=.~+/ \n%é\0"


@contextmanager
def deployment(folder: Path, database_url: str = "") -> Iterator[tuple[Api, str]]:
    """Serve the shipped campaign on a free port from an empty folder; yields the application and its address."""
    from service.app import create_app

    more = {"EMBLEM_DATABASE_URL": database_url} if database_url else {}
    made = load(environment(folder) | more)
    database = Database(made.database_url)
    migrate.upgrade(database)
    database.close()
    with open_publisher(made, FrozenClock(NOON - timedelta(days=1))) as publisher:
        publisher.publish()
    app = create_app(settings=made, clock=FrozenClock())
    with served(app) as url:
        yield Api(app), url
    app.extensions["emblem"].close()


def headers(api: Api, role: str) -> dict[str, str]:
    """The header fields of a caller; a partner has joined, and may do all that one may."""
    if not role:
        return {}
    if role == "partner" and role not in api.keys:
        _, api.keys[role] = api.parts.participants.api_keys.create("partner", participant=api.ready(), by="staff:cli")
    return {"Authorization": f"Bearer {api.key(role)}"}


def calls(kind: str, cases: int, seed: int, *, bounds: bool = True) -> Fuzzed:
    """Make so many calls on one kind of database, as many with each role."""
    found = Fuzzed()
    with tempfile.TemporaryDirectory(prefix="emblem-fuzz-") as folder:
        server = Postgres() if kind == "postgres" else None
        try:
            with deployment(Path(folder), server.new_database() if server else "") as (api, url):
                for role in ROLES:
                    began, one, turn = time.monotonic(), Fuzzed(), 0
                    while one.calls < cases // len(ROLES):
                        # The bounds of the schema once; random calls and chains as often as it takes.
                        first = ("coverage",) if bounds and not turn else ()
                        phases = (*first, "fuzzing", "stateful")
                        left = cases // len(ROLES) - one.calls
                        one.add(fuzz(url, headers(api, role), examples=25, seed=seed + turn, phases=phases, most=left))
                        turn += 1
                        print(f"{kind} {role or 'nobody'}: {one.calls} calls so far", file=sys.stderr, flush=True)
                    tell(f"{kind} {role or 'nobody'}", one, time.monotonic() - began)
                    found.add(one)
        finally:
            if server:
                server.close()
    return found


def tell(who: str, found: Fuzzed, seconds: float) -> None:
    """Print what a run found."""
    statuses = " ".join(f"{status}:{count}" for status, count in sorted(found.statuses.items()))
    print(f"{who:<20} {found.calls:>7} calls  {len(found.failures)} failures  {seconds:6.0f} s  {statuses}", flush=True)
    for name, text in found.failures.items():
        print(f"  {name}\n    {text.replace(chr(10), chr(10) + '    ')}", flush=True)


def altered(tokens: int, seed: int) -> int:
    """Alter so many tokens, each in one to three places, and return how many were accepted."""
    pick, accepted = random.Random(seed), 0
    signer = Tokens(["a-newer-secret-of-32-characters--", "an-older-secret-of-32-characters-"])
    claims = [
        Claim("lnk_dGhpcyBpcyBub3QgYSBs", "logo", "1.0.0", NOON),
        Claim("lnk_dGhpcyBpcyBub3QgYSBs", "logo", "1.0.0", NOON, "svg/heart-blue.svg"),
        Claim("lnk_dGhpcyBpcyBub3QgYSBs", "", "", NOON, bundle="0" * 40),
    ]
    issued = [signer.sign(claim, NOON) for claim in claims]
    tried = 0
    while tried < tokens:
        token = pick.choice(issued)
        for _ in range(pick.choice((1, 1, 1, 2, 3))):
            token = alter(token, issued, pick)
        if token in issued:
            continue
        tried += 1
        with suppress(InvalidLink):
            signer.verify(token)
            accepted += 1
    return accepted


def alter(token: str, issued: list[str], pick: random.Random) -> str:
    """Change a token in one way: a sign, an order, a part of another one, a case, an encoding."""
    place, mark = pick.randrange(len(token) + 1), pick.choice(_SIGNS)
    match pick.randrange(8):
        case 0:
            return token[:place] + mark + token[place + 1 :]
        case 1:
            return token[:place] + mark + token[place:]
        case 2:
            return token[:place] + token[place + 1 :]
        case 3:
            return token[:place]
        case 4:
            return token[:place] + token[place:].swapcase()
        case 5:
            parts, other = token.split("."), pick.choice(issued).split(".")
            chosen = pick.randrange(len(parts))
            return ".".join([*parts[:chosen], other[min(chosen, len(other) - 1)], *parts[chosen + 1 :]])
        case 6:
            return token[place:] + token[:place]
        case _:
            return (
                token[:place] + "".join(f"%{ord(char):02x}" for char in token[place : place + 1]) + token[place + 1 :]
            )


def main() -> int:
    """Run what the arguments ask for; 1 where anything was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.fuzz", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--cases", type=int, default=100_000, metavar="N", help="calls, over all roles and databases")
    parser.add_argument("--tokens", type=int, default=1_000_000, metavar="N", help="altered tokens")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument(
        "--no-bounds", action="store_true", help="leave out the bounds of the schemas, which are the same for each seed"
    )
    parser.add_argument("--databases", default="sqlite,postgres", metavar="NAMES")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    began = time.monotonic()
    accepted = altered(given.tokens, given.seed)
    print(f"{given.tokens} altered tokens, {accepted} accepted, {time.monotonic() - began:.0f} s", flush=True)
    found, databases = Fuzzed(), given.databases.split(",")
    for kind in databases if given.cases else ():
        found.add(calls(kind, given.cases // len(databases), given.seed, bounds=not given.no_bounds))
    errors = sum(count for status, count in found.statuses.items() if status >= 500)
    print(f"{found.calls} calls, {errors} server errors, {len(found.failures)} kinds of failure")
    return int(bool(accepted or errors or found.failures))


if __name__ == "__main__":
    sys.exit(main())
