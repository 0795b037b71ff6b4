"""Every setting, its type, its default, and what is said when it is wrong.

Settings come from the environment, or from the ``.env``-style file that ``EMBLEM_CONFIG`` names (the
environment wins). All mistakes are reported at once, each naming its variable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .problems import ConfigurationError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_ROOT = Path(__file__).resolve().parent.parent


def parse_duration(text: str) -> int:
    """Seconds of a duration such as ``90``, ``15m``, ``12h``, ``7d`` or ``2w``; ValueError otherwise."""
    match = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", text.strip())
    if not match or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration; write a whole number with s, m, h, d or w, such as 7d")
    return int(match[1]) * _UNITS[match[2] or "s"]


def shipped(name: str) -> Path:
    """The folder ``assets`` or ``policies`` that came with this program (checkout or installed wheel)."""
    checkout = _ROOT / name
    return checkout if checkout.is_dir() else Path(__file__).resolve().parent / "_shipped" / name


@dataclass(frozen=True)
class Settings:
    """The configuration of one deployment. Secrets are kept out of ``repr``."""

    data_dir: Path
    base_url: str
    database_url: str = field(repr=False)
    storage_url: str
    delivery: str
    secret_keys: tuple[str, ...] = field(repr=False)
    log_key: str = field(repr=False)
    log_origin: str
    redis_url: str = field(repr=False)
    mail_url: str = field(repr=False)
    assets_dir: Path
    policies_dir: Path
    staff: tuple[str, ...] = field(repr=False)
    auditors: tuple[str, ...] = field(repr=False)
    trusted_proxies: int
    metrics_bind: str
    seal_interval: int
    link_default_age: int
    link_max_age: int
    rate_limits: bool
    config: Path | None = None

    @property
    def outbox(self) -> Path | None:
        """The folder that mail is written to, or None where it leaves by SMTP."""
        return Path(urlsplit(self.mail_url).path) if self.mail_url.startswith("file:") else None


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


def _mail_url(text: str) -> str:
    return _url("file", "smtp", "smtps")(text)


def _database_url(text: str) -> str:
    if text.startswith(("postgres://", "postgresql://")):
        return "postgresql+psycopg://" + text.partition("://")[2]
    if not text.startswith(("sqlite:", "postgresql+psycopg:")):
        raise ValueError("it should begin with sqlite: or postgresql:")
    return text


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in text.split(",") if part.strip())
    if any(len(key) < 32 for key in keys):
        raise ValueError("every key needs at least 32 characters; `emblem secrets new` makes one")
    return keys


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


def _ages(text: str) -> tuple[int, int]:
    parts = text.split(",")
    if len(parts) != 2:
        raise ValueError("write the default and the limit, such as 7d,90d")
    default, limit = parse_duration(parts[0]), parse_duration(parts[1])
    if default > limit:
        raise ValueError(f"the default {parts[0]} is longer than the limit {parts[1]}")
    return default, limit


def _bind(text: str) -> str:
    if text and not re.fullmatch(r"\S*:[0-9]{1,5}", text):
        raise ValueError(f"{text!r} is not HOST:PORT")
    return text


def _folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _existing(text: str) -> Path:
    path = _folder(text)
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder")
    return path


def _log_origin(text: str) -> str:
    if not re.fullmatch(r"[!-*,-~]{1,255}", text) or "://" in text or text.endswith("/"):
        raise ValueError("the log's URL without scheme and trailing slash, such as emblem.example.org/log")
    return text


#: name -> (check, default; None: has to be given). The order is that of the documentation.
VARIABLES: dict[str, tuple[Callable[[str], Any], str | None]] = {
    "EMBLEM_BASE_URL": (_url("http", "https"), "http://127.0.0.1:8000"),
    "EMBLEM_DATA_DIR": (_folder, "var"),
    "EMBLEM_DATABASE_URL": (_database_url, ""),
    "EMBLEM_STORAGE_URL": (_url("file", "s3"), ""),
    "EMBLEM_DELIVERY": (_choice("direct", "x-accel", "redirect"), "direct"),
    "EMBLEM_SECRET_KEYS": (_keys, None),
    "EMBLEM_LOG_KEY": (str, None),
    "EMBLEM_LOG_ORIGIN": (_log_origin, ""),
    "EMBLEM_REDIS_URL": (_url("redis", "rediss", "unix"), ""),
    "EMBLEM_MAIL_URL": (_mail_url, ""),
    "EMBLEM_ASSETS_DIR": (_existing, ""),
    "EMBLEM_POLICIES_DIR": (_existing, ""),
    "EMBLEM_STAFF": (_addresses, ""),
    "EMBLEM_AUDITORS": (_addresses, ""),
    "EMBLEM_TRUSTED_PROXIES": (_count, "0"),
    "EMBLEM_METRICS_BIND": (_bind, ""),
    "EMBLEM_SEAL_INTERVAL": (parse_duration, "5s"),
    "EMBLEM_LINK_MAX_AGE": (_ages, "7d,90d"),
    "EMBLEM_RATE_LIMITS": (_choice("on", "off"), "on"),
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
    for name, (check, default) in VARIABLES.items():
        text = given.get(name) or default
        if text is None:
            mistakes.append(f"{name} is not set; `emblem secrets new` makes a value.")
            continue
        try:
            values[name] = check(text) if text else text
        except ValueError as error:
            mistakes.append(f"{name}: {error}.")
    if mistakes:
        raise ConfigurationError(mistakes)
    # Where the log's key was read from, so that a rotation reaches a running service (see service.ledger).
    return replace(_settings(values), config=None if environ.get("EMBLEM_LOG_KEY") else config)


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


def _settings(values: dict[str, Any]) -> Settings:
    data: Path = values["EMBLEM_DATA_DIR"]
    base_url: str = values["EMBLEM_BASE_URL"]
    default_age, max_age = values["EMBLEM_LINK_MAX_AGE"]
    return Settings(
        data_dir=data,
        base_url=base_url,
        database_url=values["EMBLEM_DATABASE_URL"] or f"sqlite:///{data / 'emblem.sqlite3'}",
        storage_url=values["EMBLEM_STORAGE_URL"] or (data / "storage").as_uri(),
        delivery=values["EMBLEM_DELIVERY"],
        secret_keys=values["EMBLEM_SECRET_KEYS"],
        log_key=values["EMBLEM_LOG_KEY"],
        log_origin=values["EMBLEM_LOG_ORIGIN"] or urlsplit(base_url).netloc + "/log",
        redis_url=values["EMBLEM_REDIS_URL"],
        mail_url=values["EMBLEM_MAIL_URL"] or (data / "outbox").as_uri(),
        assets_dir=values["EMBLEM_ASSETS_DIR"] or shipped("assets"),
        policies_dir=values["EMBLEM_POLICIES_DIR"] or shipped("policies"),
        staff=values["EMBLEM_STAFF"] or (),
        auditors=values["EMBLEM_AUDITORS"] or (),
        trusted_proxies=values["EMBLEM_TRUSTED_PROXIES"],
        metrics_bind=values["EMBLEM_METRICS_BIND"],
        seal_interval=values["EMBLEM_SEAL_INTERVAL"],
        link_default_age=default_age,
        link_max_age=max_age,
        rate_limits=values["EMBLEM_RATE_LIMITS"] == "on",
    )
