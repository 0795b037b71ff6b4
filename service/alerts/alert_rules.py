"""``policies/alerts.yaml``: what staff are told of, checked when it is read, each mistake with its line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from ..audit.dimensions import DIMENSIONS
from ..campaign.mistakes import Mistakes
from ..campaign.source import Source, Strict, read_yaml
from ..campaign.text import Text
from ..ledger.kinds import KINDS
from ..outgoing import is_loopback

FILE = "alerts.yaml"
_GROUPS = [name for name, dimension in DIMENSIONS.items() if not dimension.over_time]

_Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


def _english(value: Any) -> Any:
    """A title as a text by language; one without languages is English."""
    return {"en": value} if isinstance(value, str) else value


_Title = Annotated[Text, BeforeValidator(_english)]
_AtLeast = Annotated[int, Field(ge=1)]


class _Rule(Strict):
    """Fields that every rule has; what it tells of becomes a case of the desk unless ``case`` is no."""

    id: _Id
    title: _Title
    case: bool = True


class Spike(_Rule):
    """A day's figure far over the median of the days before."""

    when: Literal["spike"]
    of: Literal["downloads", "requests", "bytes", "logo_views"]
    by: str | None = None
    times: Annotated[float, Field(gt=1)]
    days: Annotated[int, Field(ge=3, le=366)] = 28
    at_least: _AtLeast


class NewUnlistedOrigin(_Rule):
    """A site that shows an embed's logo and is not on the embed's list."""

    when: Literal["new_unlisted_origin"]
    at_least: _AtLeast


class AttemptsAfterSuspension(_Rule):
    """Download requests that were refused because the participant is suspended."""

    when: Literal["attempts_after_suspension"]
    at_least: _AtLeast


class ViewsAfterSuspension(_Rule):
    """Logo views in hours after the participant was suspended."""

    when: Literal["views_after_suspension"]
    at_least: _AtLeast


Rule = Spike | NewUnlistedOrigin | AttemptsAfterSuspension | ViewsAfterSuspension


class Webhook(Strict):
    """An address that is sent alerts, entries of the log of the kinds that it asks for, or both.

    Written as its address alone it is sent alerts.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=2000)]
    kinds: tuple[str, ...] = ()
    alerts: bool = True


def _address_alone(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


class AlertRules(Strict):
    """The whole file."""

    rules: tuple[Annotated[Rule, Field(discriminator="when")], ...] = ()
    mail: bool = True
    webhooks: tuple[Annotated[Webhook, BeforeValidator(_address_alone)], ...] = ()


def read_rules(policies_dir: Path, mistakes: Mistakes) -> AlertRules:
    """The rules; none where there is no such file. Mistakes are noted with file, line and fix."""
    path = policies_dir / FILE
    if not path.exists():
        return AlertRules()
    source = read_yaml(path, mistakes)
    rules = source.read(AlertRules) if source else None
    if source is None or rules is None:
        return AlertRules()
    seen = set()
    for number, rule in enumerate(rules.rules):
        if rule.id in seen:
            source.mistake(("rules", number, "id"), f"the id {rule.id} stands here twice", "Give each rule its own id")
        seen.add(rule.id)
        if isinstance(rule, Spike) and rule.by is not None and rule.by not in _GROUPS:
            known = ", ".join(_GROUPS)
            source.mistake(("rules", number, "by"), f"{rule.by} is no dimension for a rule", f"Use one of {known}")
    _check_webhooks(source, rules.webhooks)
    return rules


def _check_webhooks(source: Source, hooks: Sequence[Webhook]) -> None:
    seen = set()
    for number, hook in enumerate(hooks):
        place = ("webhooks", number)
        host = _host(hook.url)
        if not host:
            source.mistake(place, f"{hook.url} is no address", "Write https://, a host and a path")
        elif hook.url.startswith("http:") and not is_loopback(host):
            source.mistake(place, "what is sent there would travel unencrypted", "Use an https address")
        if hook.url in seen:
            source.mistake(place, f"{hook.url} stands here twice", "Put all its kinds into one item")
        seen.add(hook.url)
        if not hook.alerts and not hook.kinds:
            source.mistake(place, f"{hook.url} asks for nothing", "Add kinds: […], write alerts: yes, or remove it")
        for position, kind in enumerate(hook.kinds):
            if kind not in KINDS:
                near = difflib.get_close_matches(kind, KINDS, n=1)
                fix = f"Correct it to {near[0]}" if near else f"Use one of {', '.join(KINDS)}"
                source.mistake((*place, "kinds", position), f"{kind} is no kind of entry", fix)


def load_rules(policies_dir: Path) -> AlertRules:
    """The rules; CampaignError names every mistake."""
    mistakes = Mistakes()
    rules = read_rules(policies_dir, mistakes)
    mistakes.raise_if_any()
    return rules


def _host(url: str) -> str:
    """The host of an address; empty where it has none, or a port that is none."""
    try:
        parts = urlsplit(url)
        return "" if parts.port == 0 else parts.hostname or ""
    except ValueError:
        return ""
