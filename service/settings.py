"""Every setting, each defined once: its variable, check, default and explanation.

Settings come from the environment, or from the ``.env``-style file that ``EMBLEM_CONFIG`` names (the
environment wins). All mistakes are reported at once, each naming its variable.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from .outgoing import is_loopback
from .problems import ConfigurationError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_ROOT = Path(__file__).resolve().parent.parent
_LONGEST_SEAL = 3600  # seconds
_METADATA = "setting"


def parse_duration(text: str) -> int:
    """Seconds of a duration such as ``90``, ``15m``, ``12h``, ``7d`` or ``2w``; ValueError otherwise."""
    match = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", text.strip())
    if not match or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration; write a whole number with s, m, h, d or w, such as 7d")
    return int(match[1]) * _UNITS[match[2] or "s"]


def shipped(name: str) -> Path:
    """Find what came with this program, in an installed wheel or a checkout: such as ``assets``, ``README.md``."""
    # The wheel's own first: beside an installed package there may be a folder ``docs`` of somebody else.
    installed = Path(__file__).resolve().parent / "_shipped" / name
    return installed if installed.exists() else _ROOT / name


class LinkAges(NamedTuple):
    """Life of a download link, in seconds: where nothing is asked for, and at most."""

    default: int
    limit: int


def _choice(*allowed: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"{text!r} is not one of {', '.join(allowed)}")
        return text

    return check


def _url(*schemes: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text.partition(":")[0] not in schemes:
            raise ValueError(f"it should begin with {' or '.join(s + ':' for s in schemes)}")
        return text.rstrip("/") if schemes == ("http", "https") else text

    return check


def _database_url(text: str) -> str:
    if text.startswith(("postgres://", "postgresql://")):
        text = "postgresql+psycopg://" + text.partition("://")[2]
    try:
        make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("write sqlite:///file or postgresql://user:password@host:5432/name") from None
    if not text.startswith(("sqlite:", "postgresql+psycopg:")):
        raise ValueError("it should begin with sqlite: or postgresql:")
    return text


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in text.split(",") if part.strip())
    if not keys:
        raise ValueError("there is no key in it; `emblem secrets new` makes one")
    if any(len(key) < 32 for key in keys):
        raise ValueError("every key needs at least 32 characters; `emblem secrets new` makes one")
    return keys


def _credential_keys(text: str) -> str:
    if not all(re.fullmatch(r"ed25519:[A-Za-z0-9+/]{43}=", part) for part in re.split(r"[,\s]+", text.strip())):
        raise ValueError("write ed25519: and 32 bytes in base64; `emblem secrets new` makes one")
    return text


def _addresses(text: str) -> tuple[str, ...]:
    found = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    for address in found:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise ValueError(f"{address!r} is not an e-mail address")
    return found


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", text):
        raise ValueError(f"{text!r} is not a number of proxies, such as 0 or 1")
    return int(text)


def _switch(text: str) -> bool:
    return _choice("on", "off")(text) == "on"


def _ages(text: str) -> LinkAges:
    parts = text.split(",")
    if len(parts) != 2:
        raise ValueError("write the default and the limit, such as 7d,90d")
    default, limit = parse_duration(parts[0]), parse_duration(parts[1])
    if default > limit:
        raise ValueError(f"the default {parts[0]} is longer than the limit {parts[1]}")
    return LinkAges(default, limit)


def _bind(text: str) -> str:
    if text and (not re.fullmatch(r"\S*:[0-9]{1,5}", text) or not 0 < int(text.rpartition(":")[2]) < 65536):
        raise ValueError(f"{text!r} is not HOST:PORT")
    return text


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is not a list of networks, such as 10.0.0.0/8,fd00::/8") from error


def _seal_interval(text: str) -> int:
    seconds = parse_duration(text)
    if seconds > _LONGEST_SEAL:
        raise ValueError(f"{text} is too long: records would wait for it; write at most 1h, such as 5s")
    return seconds


def _base_url(text: str) -> str:
    _url("http", "https")(text)
    split = urlsplit(text)
    if not split.hostname or split.query or split.fragment or split.username is not None:
        raise ValueError("write scheme and host alone, such as https://logo.example.org")
    if split.port == 0:
        raise ValueError("the port is 0")
    return text.rstrip("/")


def _issuer(text: str) -> str:
    split = urlsplit(text)
    local = split.scheme == "http" and is_loopback(split.hostname or "")
    if not split.hostname or split.query or split.fragment or not (split.scheme == "https" or local):
        raise ValueError("write the issuer as it names itself, such as https://login.example.org")
    return text


def _folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _file(text: str) -> str:
    path = _folder(text)
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    return str(path)


def _existing(text: str) -> Path:
    path = _folder(text)
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder")
    return path


def _log_origin(text: str) -> str:
    if not re.fullmatch(r"[!-*,-~]{1,255}", text) or "://" in text or text.endswith("/"):
        raise ValueError("the log's URL without scheme and trailing slash, such as emblem.example.org/log")
    return text


@dataclass(frozen=True)
class Setting:
    """Description of one setting. ``default`` is a text as it would be written, or made of the other values.

    A setting without a default has to be given. ``default_words`` says a made default in words.
    """

    check: Callable[[str], Any]
    default: str | Callable[[Mapping[str, Any]], Any] | None
    help: str
    secret: bool = False
    default_words: str = ""


def _setting(
    check: Callable[[str], Any],
    default: str | Callable[[Mapping[str, Any]], Any] | None,
    help: str,  # noqa: A002 - as click calls it
    *,
    secret: bool = False,
    default_words: str = "",
) -> Any:
    found = Setting(check, default, help, secret, default_words)
    return dataclasses.field(repr=not secret, metadata={_METADATA: found})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The configuration of one deployment: a field a setting, ``EMBLEM_`` and its name in capitals.

    The order is that of the documentation; a made default may use the values above it. Secrets are kept out
    of ``repr``.
    """

    base_url: str = _setting(_base_url, "http://127.0.0.1:8000", "the address that links, mails and pages carry")
    data_dir: Path = _setting(_folder, "var", "the folder of this machine's own data, locks and caches")
    database_url: str = _setting(
        _database_url,
        lambda values: f"sqlite:///{values['data_dir'] / 'emblem.sqlite3'}",
        "`sqlite:///…`, or `postgresql://user:password@host/name` for several machines",
        secret=True,
        default_words="SQLite in the data directory",
    )
    storage_url: str = _setting(
        _url("file", "s3"),
        lambda values: (values["data_dir"] / "storage").as_uri(),
        "`file:///dir`, or `s3://bucket/prefix?endpoint_url=…&region=…`",
        default_words="`storage` in the data directory",
    )
    delivery: str = _setting(
        _choice("direct", "x-accel", "redirect"),
        "direct",
        "how a file leaves: `direct`, `x-accel` (nginx sends it from the directory), `redirect` (303 to a storage "
        "link of 60 seconds)",
    )
    secret_keys: tuple[str, ...] = _setting(
        _keys,
        None,
        "signing secrets, comma-separated, newest first: the first signs, all verify",
        secret=True,
    )
    log_key: str = _setting(
        str,
        None,
        "the signing keys of the audit log, Ed25519 and ML-DSA-44, comma-separated, newest first",
        secret=True,
    )
    credential_key: str = _setting(
        _credential_keys,
        "",
        "the key that signs certificates' credentials, `ed25519:` and 32 bytes in base64, comma-separated, newest "
        "first; another than the log's. Certificates are off without it",
        secret=True,
    )
    content_credentials: str = _setting(
        _file,
        "",
        "a PEM file with the key and the certificates that sign the content credentials (C2PA) of packages' files; "
        "without it they have none",
    )
    log_origin: str = _setting(
        _log_origin,
        lambda values: urlsplit(values["base_url"]).netloc + "/log",
        "the log's name in every checkpoint; it never changes",
        default_words="host and port of the base URL, then `/log`",
    )
    log_policy: str = _setting(
        _file, "", "a C2SP tlog-policy file: the witnesses that cosign the log, and their quorum"
    )
    redis_url: str = _setting(
        _url("redis", "rediss", "unix"),
        "",
        "counts rate limits for all machines together; without it each process counts for itself",
        secret=True,
    )
    mail_url: str = _setting(
        _url("file", "smtp", "smtps"),
        lambda values: (values["data_dir"] / "outbox").as_uri(),
        "`file:///dir` (one file a mail), `smtp://user:password@host:587`, `smtps://…`; `?cleartext=yes` for a server "
        "elsewhere without STARTTLS",
        secret=True,
        default_words="`outbox` in the data directory",
    )
    assets_dir: Path = _setting(
        _existing, lambda _: shipped("assets"), "logo masters and package sources", default_words="as shipped"
    )
    policies_dir: Path = _setting(
        _existing, lambda _: shipped("policies"), "what decides: the campaign's rules", default_words="as shipped"
    )
    staff: tuple[str, ...] = _setting(
        _addresses, "", "addresses that may sign in as staff, comma-separated", secret=True
    )
    auditors: tuple[str, ...] = _setting(
        _addresses, "", "addresses that may sign in as auditors, comma-separated", secret=True
    )
    oidc_issuer: str = _setting(
        _issuer,
        "",
        "the OpenID Connect provider at which staff may sign in, as it names itself; off without it",
    )
    oidc_client_id: str = _setting(str, "", "the id by which the provider knows this deployment")
    oidc_client_secret: str = _setting(str, "", "its secret there", secret=True)
    trusted_proxies: int = _setting(_count, "0", "the number of proxies in front; with 0 forwarded headers are ignored")
    metrics_bind: str = _setting(_bind, "", "`HOST:PORT` of a listener of its own for Prometheus")
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = _setting(
        _networks,
        "",
        "networks that are not public and that webhooks may reach all the same, comma-separated, such as `10.0.0.0/8`",
    )
    seal_interval: int = _setting(_seal_interval, "5s", "the longest time until a record is in a published checkpoint")
    link_max_age: LinkAges = _setting(_ages, "7d,90d", "how long a link lives: default and limit")
    rate_limits: bool = _setting(_switch, "on", "`off` only for load tests")
    config: Path | None = None

    @property
    def outbox(self) -> Path | None:
        """The folder that mail is written to, or None where it leaves by SMTP."""
        return Path(urlsplit(self.mail_url).path) if self.mail_url.startswith("file:") else None


#: Variable -> what is known of it, in the order of the documentation.
VARIABLES: dict[str, Setting] = {
    f"EMBLEM_{field.name.upper()}": field.metadata[_METADATA]
    for field in dataclasses.fields(Settings)
    if _METADATA in field.metadata
}


def read_config(path: Path) -> tuple[dict[str, str], list[str]]:
    """The names and values of a ``.env``-style file, and its mistakes as sentences with file and line."""
    values: dict[str, str] = {}
    mistakes: list[str] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"EMBLEM_CONFIG names {path}, which cannot be read ({error.__class__.__name__}); correct the path."]
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals:
            mistakes.append(f"{path}:{number}: {text[:40]!r} is not NAME=value.")
            continue
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if name not in VARIABLES:
            mistakes.append(f"{path}:{number}: {name} is not a setting of Emblem; remove it or correct the name.")
        values[name] = value
    return values, mistakes


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from an environment mapping; ConfigurationError names every mistake at once."""
    mistakes: list[str] = []
    given: dict[str, str] = {}
    config = Path(environ["EMBLEM_CONFIG"]).absolute() if environ.get("EMBLEM_CONFIG") else None
    if config:
        given, mistakes = read_config(config)
    given |= {name: value for name, value in environ.items() if name in VARIABLES}
    values: dict[str, Any] = {}
    for name, setting in VARIABLES.items():
        field = name.removeprefix("EMBLEM_").lower()
        try:
            values[field] = _value(setting, given.get(name, ""), values)
        except LookupError:
            mistakes.append(f"{name} is not set; `emblem secrets new` makes a value.")
        except ValueError as error:
            mistakes.append(f"{name}: {error}.")
            values[field] = _value(setting, "", values) if callable(setting.default) or setting.default else None
    if values.get("oidc_issuer") and not values.get("oidc_client_id"):
        mistakes.append("EMBLEM_OIDC_CLIENT_ID is not set: the provider at EMBLEM_OIDC_ISSUER gives it.")
    if mistakes:
        raise ConfigurationError(mistakes)
    # Where the log's key was read from, so that a rotation reaches a running service (see service.ledger).
    return Settings(**values, config=None if environ.get("EMBLEM_LOG_KEY") else config)


def _value(setting: Setting, text: str, values: Mapping[str, Any]) -> Any:
    """The value of a setting as it is written, or its default; LookupError where it has to be given."""
    if not text and callable(setting.default):
        return setting.default(values)
    text = text or setting.default  # type: ignore[assignment]  # a callable has returned above
    if text is None:
        raise LookupError
    if text == "" and setting.default == "" and setting.check not in (_addresses, _networks):
        return ""  # off
    return setting.check(text)


def folders(environ: Mapping[str, str]) -> tuple[Path, Path]:
    """The folders of policies and assets, which may be checked before a deployment has its secrets.

    ConfigurationError where one of them is no folder.
    """
    given = read_config(Path(environ["EMBLEM_CONFIG"]))[0] if environ.get("EMBLEM_CONFIG") else {}
    found, mistakes = [], []
    for name, default in (("EMBLEM_POLICIES_DIR", "policies"), ("EMBLEM_ASSETS_DIR", "assets")):
        text = environ.get(name) or given.get(name)
        try:
            found.append(_existing(text) if text else shipped(default))
        except ValueError as error:
            mistakes.append(f"{name}: {error}.")
    if mistakes:
        raise ConfigurationError(mistakes)
    return found[0], found[1]
