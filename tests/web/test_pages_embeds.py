"""The digest of use on one's account page: where each of one's embeds was seen, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from service.store.tables import LogoUse

from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

SITE, NEW = "https://www.example.org", "https://new.example"
TITLE = "Where it was seen in the last 30 days"
NEVER = "It has not been seen in the last 30 days."


@pytest.fixture
def partner(app: Flask) -> Visitor:
    """Signed in, with the terms of the logos accepted."""
    visitor = Visitor(app)
    visitor.join()
    visitor.accept()
    return visitor


def embed(visitor: Visitor) -> str:
    """Makes an embed of the heart for one site; its key."""
    visitor.get("account/embeds/new")
    form = {"logo": "heart", "origins": SITE, "unlisted": "report"}
    return visitor.post("account/embeds/new", form).headers["Location"].rpartition("/")[2]


def ask(visitor: Visitor, key: str, origin: str | None, times: int = 1) -> None:
    """Views of an embed's logo, as browsers on a site ask for it."""
    for _ in range(times):
        answer = visitor.client.get(f"/logos/{key}/heart/blue/64.svg", headers={"Origin": origin} if origin else {})
        assert answer.status_code == 200
    visitor.parts.embeds.flush()


def rows(visitor: Visitor, lang: str = "en") -> list[list[str]]:
    """The texts of the cells of the account page's tables of use, row by row."""
    html = visitor.get(f"/{lang}/account").text
    _, _, embeds = html.partition('<section aria-labelledby="embeds">')
    part = type(visitor.html)(embeds.partition("</section>")[0])
    cells = [" ".join(one.text.split()) for one in part.elements if one.tag in ("td", "th")]
    table = [cells[at : at + 2] for at in range(0, len(cells), 2)]
    assert not part.mistakes
    return table


def test_each_site_is_shown_with_its_views_and_whether_it_is_listed(partner: Visitor) -> None:
    key = embed(partner)
    ask(partner, key, SITE, 3)
    ask(partner, key, NEW, 1)
    ask(partner, key, None, 2)
    assert rows(partner) == [
        ["Site", "Logo views"],
        [SITE, "3"],
        [f"{NEW} not listed", "1"],
        ["Sites that do not say who they are", "2"],
    ]
    (title,) = [one for one in partner.html.all("h4") if one.text == TITLE]
    assert [one for one in partner.html.all("div") if one.attributes.get("aria-labelledby") == title.attributes["id"]]


def test_more_than_twenty_sites_are_summed_as_other_sites(partner: Visitor) -> None:
    key = embed(partner)
    now = partner.parts.clock()
    origins = [f"https://site{number:02}.example" for number in range(23)]
    partner.parts.database.write(
        lambda session: session.add_all(
            LogoUse(hour=now, embed=key, variant="blue/64.png", origin=origin, views=1000 - at)
            for at, origin in enumerate([*origins, "other"])
        )
    )
    shown = rows(partner)[1:]
    assert [row[0].split()[0] for row in shown[:-1]] == origins[:20]
    assert shown[-1] == ["Other sites", f"{980 + 979 + 978 + 977:,}"]


def test_an_embed_that_was_not_seen_lately_says_so_while_it_works(app: Flask, partner: Visitor) -> None:
    key = embed(partner)
    old = partner.parts.clock() - timedelta(days=31)
    row = LogoUse(hour=old, embed=key, variant="blue/64.png", origin=SITE, views=5)
    partner.parts.database.write(lambda session: session.add(row))
    other = Visitor(app)
    other.join()
    other.accept()
    ask(partner, embed(other), SITE)
    assert rows(partner) == []
    assert NEVER in partner.get("account").text
    partner.post(f"account/embeds/{key}/revocation", {})
    assert TITLE not in partner.get("account").text


def test_an_embed_that_has_ended_still_tells_where_it_was_seen(partner: Visitor) -> None:
    key = embed(partner)
    ask(partner, key, SITE, 4)
    partner.get("account")
    partner.post(f"account/embeds/{key}/revocation", {})
    assert rows(partner) == [["Site", "Logo views"], [SITE, "4"]]


def test_the_public_page_of_an_embed_does_not_tell_where_it_is_seen(app: Flask, partner: Visitor) -> None:
    key = embed(partner)
    ask(partner, key, NEW)
    text = Visitor(app).get(f"/en/embeds/{key}").text
    assert NEW not in text
    assert TITLE not in text


@pytest.mark.parametrize("lang", ["ar", "en", "es", "fr", "ru", "zh"])
def test_the_digest_is_there_in_every_language(partner: Visitor, lang: str) -> None:
    key = embed(partner)
    ask(partner, key, NEW, 2)
    table = rows(partner, lang)
    assert len(table) == 2
    assert table[1][0].startswith(NEW)
    ids = [one.attributes["id"] for one in partner.html.elements if "id" in one.attributes]
    assert len(ids) == len(set(ids))


def test_a_long_address_breaks_before_a_dot_or_its_port(partner: Visitor) -> None:
    key = embed(partner)
    ask(partner, key, "https://shop.example.org:8443")
    text = partner.get("account").text
    assert "<bdi>https://www<wbr>.example<wbr>.org</bdi>" in text
    assert "<bdi>https://shop<wbr>.example<wbr>.org<wbr>:8443</bdi>" in text
    assert SITE in [one.text for one in partner.html.all("bdi")]


def test_a_logo_that_the_campaign_no_longer_has_breaks_no_page(
    partner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = embed(partner)
    ask(partner, key, SITE, 2)
    campaign = partner.parts.campaign
    left = replace(campaign, logos={name: logo for name, logo in campaign.logos.items() if name != "heart"})
    monkeypatch.setattr(partner.parts, "campaign", left)
    partner.parts.embeds.take_up(left)
    partner.parts.embeds.refresh()
    partner.get(f"embeds/{key}", status=404)
    assert rows(partner) == [["Site", "Logo views"], [SITE, "2"]]
