"""``policies/alerts.yaml``: what staff are told of, checked when it is read, each mistake with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from ..audit.dimensions import DIMENSIONS
from ..campaign.mistakes import Mistakes
from ..campaign.source import Strict, read_yaml
from ..campaign.text import Text
from .outgoing import is_loopback

FILE = "alerts.yaml"
_GROUPS = [name for name, dimension in DIMENSIONS.items() if not dimension.over_time]

_Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


def _english(value: Any) -> Any:
    """A title as a text by language; one without languages is English."""
    return {"en": value} if isinstance(value, str) else value


_Title = Annotated[Text, BeforeValidator(_english)]
_AtLeast = Annotated[int, Field(ge=1)]


class Spike(Strict):
    """A day's figure far over the median of the days before."""

    id: _Id
    title: _Title
    when: Literal["spike"]
    of: Literal["downloads", "requests", "bytes", "logo_views"]
    by: str | None = None
    times: Annotated[float, Field(gt=1)]
    days: Annotated[int, Field(ge=3, le=366)] = 28
    at_least: _AtLeast


class NewUnlistedOrigin(Strict):
    """A site that shows an embed's logo and is not on the embed's list."""

    id: _Id
    title: _Title
    when: Literal["new_unlisted_origin"]
    at_least: _AtLeast


class AttemptsAfterSuspension(Strict):
    """Download requests that were refused because the participant is suspended."""

    id: _Id
    title: _Title
    when: Literal["attempts_after_suspension"]
    at_least: _AtLeast


class ViewsAfterSuspension(Strict):
    """Logo views in hours after the participant was suspended."""

    id: _Id
    title: _Title
    when: Literal["views_after_suspension"]
    at_least: _AtLeast


Rule = Spike | NewUnlistedOrigin | AttemptsAfterSuspension | ViewsAfterSuspension


class AlertRules(Strict):
    """The whole file."""

    rules: tuple[Annotated[Rule, Field(discriminator="when")], ...] = ()
    mail: bool = True
    webhooks: tuple[Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=2000)], ...] = ()


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
    for number, url in enumerate(rules.webhooks):
        if url.startswith("http:") and not is_loopback(_host(url)):
            source.mistake(("webhooks", number), "alerts would travel unencrypted", "Use an https address")
    return rules


def load_rules(policies_dir: Path) -> AlertRules:
    """The rules; CampaignError names every mistake."""
    mistakes = Mistakes()
    rules = read_rules(policies_dir, mistakes)
    mistakes.raise_if_any()
    return rules


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
