"""``emblem doctor``: one line a part of the deployment, each with the fix where it is not well."""

from __future__ import annotations

import json
import os
import smtplib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from .. import settings
from ..campaign import CampaignError
from ..clock import timestamp
from ..problems import ConfigurationError, Problem
from .common import json_option
from .outages import sentence

if TYPE_CHECKING:
    from ..deployment import Deployment
    from ..store import Database

_AHEAD = timedelta(minutes=1)
_UNSEALED = timedelta(minutes=1)
_LOOK = 15.0  # seconds for the pages of SQLite
_ANSWER = 3.0  # seconds for an answer of Redis
OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True)
class CheckResult:
    """One line of the doctor."""

    part: str
    state: str
    detail: str


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check configuration, database, storage, mail, secrets, clock, catalogue, packages and proxies."""
    findings = list(examine())
    if as_json:
        click.echo(json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        marks = {OK: "ok     ", WARNING: "warning", FAILED: "FAILED "}
        for finding in findings:
            click.echo(f"{marks[finding.state]}  {finding.part:<19} {finding.detail}")
    sys.exit(1 if any(finding.state == FAILED for finding in findings) else 0)


def examine() -> Iterator[CheckResult]:
    """The findings, each as soon as it is known."""
    from ..deployment import assemble

    try:
        found = settings.load(os.environ)
    except ConfigurationError as error:
        for mistake in error.mistakes:
            yield CheckResult("configuration", FAILED, mistake)
        return
    yield CheckResult("configuration", OK, f"base URL {found.base_url}, data in {found.data_dir}")
    lacking = set()
    for finding in _database(found):
        lacking |= {"database"} if finding.state == FAILED else set()
        yield finding
    try:
        emblem = assemble(found, published=not lacking)
    except CampaignError as error:
        for line in str(error).splitlines():
            yield CheckResult("catalogue", FAILED, line)
        return
    except (ConfigurationError, Problem) as error:
        yield CheckResult("configuration", FAILED, _told(error) or str(error))
        return
    for name, needed, check in _CHECKS:
        if away := sorted(lacking & needed):
            yield CheckResult(name, FAILED, f"not looked at: it needs the {' and the '.join(away)}, told of above.")
            continue
        for finding in _results(name, lambda check=check: check(emblem)):  # type: ignore[misc]  # bound at once
            lacking |= {name} if finding.state == FAILED and name == "storage" else set()
            yield finding
    emblem.close()


def _results(name: str, check: Callable[[], Iterator[tuple[str, str]]]) -> Iterator[CheckResult]:
    """Give the findings of one check, and what it raises as one that failed."""
    try:
        for state, detail in check():
            yield CheckResult(name, state, detail)
    except Exception as error:
        if (told := _told(error)) is None:
            raise
        yield CheckResult(name, FAILED, told)


def _told(error: Exception) -> str | None:
    if isinstance(error, ConfigurationError):
        return " ".join(error.mistakes)
    if (said := sentence(error)) is not None:
        return said
    if isinstance(error, Problem):
        return f"{error.detail} ({error.private})" if error.private else error.detail
    return None  # a mistake of ours


def _database(found: settings.Settings) -> Iterator[CheckResult]:
    """Look at the database alone: what needs it is left out where it does not answer."""
    from ..store import Database

    try:
        database = Database(found.database_url)
    except ConfigurationError as error:
        yield CheckResult("database", FAILED, " ".join(error.mistakes))
        return
    try:
        yield from _results("database", lambda: _answers(database))
    finally:
        database.close()


def _answers(database: Database) -> Iterator[tuple[str, str]]:
    from ..store import migrate

    database.check()
    database.check_pages(_LOOK)
    migrate.require_current(database)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    yield OK, f"{kind} answers, schema {migrate.head()}"


def _storage(emblem: Deployment) -> Iterator[tuple[str, str]]:
    emblem.storage.check()
    yield OK, f"{urlsplit(emblem.settings.storage_url).scheme}: objects can be written and read"
    if emblem.settings.delivery == "redirect" and emblem.settings.storage_url.startswith("file:"):
        yield FAILED, "EMBLEM_DELIVERY=redirect needs an s3: storage; use direct or x-accel with a directory."
    if emblem.settings.delivery == "x-accel" and emblem.storage.remote:
        yield FAILED, "EMBLEM_DELIVERY=x-accel needs a file: storage; use direct or redirect with a bucket."


def _mail(emblem: Deployment) -> Iterator[tuple[str, str]]:
    try:
        yield OK, f"{emblem.mailer.check()} takes mail"
    except smtplib.SMTPNotSupportedError:
        fix = "use smtps://, or add ?cleartext=yes to EMBLEM_MAIL_URL if mail and password may be read on the way."
        yield FAILED, f"the mail server offers no STARTTLS: {fix}"
    except smtplib.SMTPAuthenticationError:
        yield FAILED, "the mail server refuses the user and password: correct them in EMBLEM_MAIL_URL."
    except (OSError, smtplib.SMTPException) as error:
        yield FAILED, f"mail does not leave ({type(error).__name__}): correct EMBLEM_MAIL_URL, or what it names."


def _waiting_mail(emblem: Deployment) -> Iterator[tuple[str, str]]:
    waiting = emblem.mailer.waiting()
    if waiting.messages and waiting.oldest and emblem.clock() - waiting.oldest > timedelta(minutes=10):
        yield WARNING, f"{waiting.messages} mails wait, the oldest since {timestamp(waiting.oldest)}."
    if waiting.given_up:
        yield WARNING, f"{waiting.given_up} mails were given up in the last 90 days; the log says why."


def _secrets(emblem: Deployment) -> Iterator[tuple[str, str]]:
    count = len(emblem.settings.secret_keys)
    yield OK, f"{count} signing secret{'s' if count > 1 else ''}; the first signs"
    config = emblem.settings.config
    if config and config.stat().st_mode & 0o077:
        yield WARNING, f"{config} can be read by others: chmod 600 {config}"


def _clock(_parts: Deployment) -> Iterator[tuple[str, str]]:
    wall, steady = time.time(), time.monotonic()
    time.sleep(0.05)
    drift = abs((time.time() - wall) - (time.monotonic() - steady))
    if drift > 0.02:
        yield WARNING, f"the clock jumped by {drift:.2f} s while it was looked at: check its synchronisation."
    elif wall < 1_767_225_600:  # 2026: older than this program
        yield FAILED, "the clock is in the past: set it, links and records depend on it."
    else:
        yield OK, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall))


def _catalogue(emblem: Deployment) -> Iterator[tuple[str, str]]:
    from ..deployment import open_publisher

    if emblem.publication is None:
        yield WARNING, "nothing is published: the files are in force as they lie there: run `emblem catalogue publish`."
    try:
        with open_publisher(emblem.settings, emblem.clock) as publisher:
            rules, packages = publisher.check()
    except CampaignError as error:
        for line in str(error).splitlines():
            yield WARNING, f"cannot be published; what was published goes on: {line}"
        return
    waiting = ["policies and logos"] * (rules and emblem.publication is not None)
    waiting += [f"{manifest.id} {manifest.version}" for manifest in packages]
    if waiting:
        yield WARNING, f"not published yet: {', '.join(waiting)}: run `emblem catalogue publish`."
    yield OK, f"{len(emblem.catalogue.ids())} packages, {len(emblem.campaign.logos)} logos"


def _formats(_emblem: Deployment) -> Iterator[tuple[str, str]]:
    from ..logos.codings import CODINGS, MISSING
    from ..logos.formats import FORMATS, TABLE

    for row in TABLE:
        if row.missing:
            names = " and ".join(row.missing)
            yield WARNING, f"{row.name} is not offered: install {names} for Python, if there is one for this system."
    for name in MISSING:
        yield WARNING, f"drawings are not sent as {name}, which costs bytes: reinstall Emblem with its dependencies."
    yield OK, f"{', '.join(FORMATS)}; drawings also as {', '.join(CODINGS)}"


def _artwork(_emblem: Deployment) -> Iterator[tuple[str, str]]:
    from ..artwork import FORMATS, missing_packages

    if missing := missing_packages():
        names = ", ".join(missing)
        yield WARNING, f"artwork is not checked: {names} missing. Install the extra: pip install 'emblem[artwork]'."
    else:
        yield OK, f"{FORMATS} can be checked"


def _content_credentials(emblem: Deployment) -> Iterator[tuple[str, str]]:
    from ..deployment import content_credentials
    from ..packages.content_credentials import WARN_BEFORE, available

    found = content_credentials(emblem.settings)
    if found is None:
        fix = "" if available() else " Install the extra: pip install 'emblem[content]'."
        yield OK, f"files of packages carry none; `emblem secrets content-credentials FILE` makes a key for them.{fix}"
        return
    if not available():
        yield FAILED, "c2pa-python is missing, so nothing can be published: pip install 'emblem[content]'."
        return
    yield OK, f"signed under a certificate that is good until {found.expires:%Y-%m-%d}"
    if found.expires - emblem.clock() < WARN_BEFORE:
        end = f"readers refuse every file signed so far from {found.expires:%Y-%m-%d} on"
        fix = "make another certificate with `emblem secrets content-credentials FILE`, raise versions and publish"
        yield WARNING, f"{end}: {fix}."


def _packages(emblem: Deployment) -> Iterator[tuple[str, str]]:
    published = emblem.stored_files()
    damaged = emblem.stored_packages.examine(published)
    for found in damaged:
        yield FAILED, f"{found}: put the file back from a backup of the storage; until then its links answer 503."
    if not damaged:
        yield OK, f"{len(published)} stored files are as they were published"


def _log(emblem: Deployment) -> Iterator[tuple[str, str]]:
    emblem.sealer.check()
    yield OK, f"log {emblem.settings.log_origin}"
    now, newest, oldest = emblem.clock(), emblem.sealer.rows.newest(), emblem.sealer.rows.oldest_unsealed()
    if newest is not None and newest.at - now > _AHEAD:
        yield (
            WARNING,
            f"the newest checkpoint is of {timestamp(newest.at)}, which is to come: a clock is or was wrong.",
        )
    if oldest is not None and now - oldest > _UNSEALED:
        yield (
            WARNING,
            f"entries wait to be sealed since {timestamp(oldest)}: start the service, or see why in its log.",
        )


def _limits(emblem: Deployment) -> Iterator[tuple[str, str]]:
    if not emblem.settings.rate_limits:
        yield WARNING, "EMBLEM_RATE_LIMITS=off: for load tests only; remove it."
    elif emblem.settings.redis_url:
        import redis

        try:
            waits = {"socket_timeout": _ANSWER, "socket_connect_timeout": _ANSWER}
            redis.Redis.from_url(emblem.settings.redis_url, **waits).ping()
            yield OK, "shared by Redis"
        except redis.RedisError as error:
            yield FAILED, f"Redis does not answer ({error}): start it, or correct EMBLEM_REDIS_URL."
    else:
        yield OK, "counted per process, forms that send mail per machine; EMBLEM_REDIS_URL shares them between machines"


def _proxies(emblem: Deployment) -> Iterator[tuple[str, str]]:
    from ..web import proxies

    seen = proxies.seen(emblem.settings.data_dir)
    if emblem.settings.trusted_proxies == 0 and seen:
        yield (
            WARNING,
            f"forwarded headers were seen ({seen}) but EMBLEM_TRUSTED_PROXIES is 0: set the number of proxies.",
        )
    elif emblem.settings.trusted_proxies and not seen:
        yield OK, f"{emblem.settings.trusted_proxies} trusted; no forwarded header seen yet"
    else:
        yield OK, f"{emblem.settings.trusted_proxies} trusted"
    if emblem.settings.base_url.startswith("http://") and not _loopback(emblem.settings.base_url):
        yield WARNING, "EMBLEM_BASE_URL is http: use https, cookies and links need it."


def _sign_in(emblem: Deployment) -> Iterator[tuple[str, str]]:
    party = emblem.passkeys.relying_party
    if party is None:
        yield WARNING, "browsers make no passkeys for EMBLEM_BASE_URL: use a host name and https."
    else:
        yield OK, f"passkeys for {party.id}"
    if emblem.openid.on:
        try:
            yield OK, emblem.openid.check()
        except ValueError as error:
            yield FAILED, f"OpenID Connect: {error}: correct EMBLEM_OIDC_ISSUER, or start what it names."


def _desk(emblem: Deployment) -> Iterator[tuple[str, str]]:
    members = emblem.participants.staff.list()
    for gap in emblem.desk.teams.lacking(members):
        yield WARNING, gap
    yield OK, f"{len(members)} people, {len(emblem.campaign.desk.teams)} teams"


def _loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


_Check = Callable[["Deployment"], Iterator[tuple[str, str]]]
#: name, the parts that it needs, and the check, in the order in which they are told
_CHECKS: tuple[tuple[str, frozenset[str], _Check], ...] = (
    ("storage", frozenset(), _storage),
    ("mail", frozenset(), _mail),
    ("mail", frozenset({"database"}), _waiting_mail),
    ("secrets", frozenset(), _secrets),
    ("clock", frozenset(), _clock),
    ("catalogue", frozenset({"database"}), _catalogue),
    ("logo formats", frozenset(), _formats),
    ("artwork checks", frozenset(), _artwork),
    ("content credentials", frozenset(), _content_credentials),
    ("packages", frozenset({"database", "storage"}), _packages),
    ("log", frozenset({"database", "storage"}), _log),
    ("rate limits", frozenset(), _limits),
    ("proxies", frozenset(), _proxies),
    ("staff sign-in", frozenset(), _sign_in),
    ("desk", frozenset({"database"}), _desk),
)
