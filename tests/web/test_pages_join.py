"""Joining and signing in on pages: nothing that was typed is lost, and only a pressed button uses a mailed link up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..parts.mails import text_of
from ..parts.willing import KINDS
from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_asked_what_its_eligibility_says_and_sees_its_decision(visitor: Visitor, kind: str) -> None:
    visitor.get(f"join?kind={kind}")
    names = {one.attributes.get("name") for tag in ("input", "select", "textarea") for one in visitor.html.all(tag)}
    asked = visitor.parts.campaign.eligibility.kind(kind)
    assert {f"answers.{field.name}" for field in asked.fields} <= names
    visitor.join(kind)
    text = visitor.get("account").text
    session = visitor.parts.participants.listing.list(kind=kind).items[0]
    assert session.email == visitor.address
    for reason in session.reasons:
        assert reason.replace("'", "&#39;") in text
    assert session.status in ("approved", "under_review")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("\u200b\u200b", "Écrivez le nom"),
        ("\u3164", "Rien n’est visible dans ce texte"),
        ("Quillmarsh\tSociété", "Ce texte contient une tabulation ou une fin de ligne"),
        ("Quillmarsh \x07", "caractères de contrôle"),
    ],
)
def test_what_cannot_be_right_is_said_in_words_of_the_visitors_language(app: Flask, name: str, said: str) -> None:
    visitor = Visitor(app, lang="fr")
    visitor.get("join?kind=civil_society")
    given = visitor.application("civil_society", name=name)
    given["answers.plan"] = "\u2060\u200b"
    visitor.post("join?kind=civil_society", given, status=422)
    text = {element.attributes.get("id"): element.text for element in visitor.html.all("p", class_="error")}
    assert said in text["f-name-error"]
    assert text["f-answers-plan-error"]
    assert "[^" not in "".join(text.values())


def test_blanks_round_what_is_pasted_are_no_mistake(app: Flask) -> None:
    visitor = Visitor(app)
    visitor.get("join?kind=civil_society")
    given = visitor.application("civil_society", name="\u202eQuillmarsh Society\t", email=f" {visitor.address}\t")
    visitor.post("join?kind=civil_society", given)
    visitor.get(visitor.mailed())
    visitor.post(visitor.mailed(), {})
    (joined,) = visitor.parts.participants.listing.list().items
    assert (joined.name, joined.email) == ("Quillmarsh Society", visitor.address)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("www.example.org", "https://www.example.org"),
        ("Example.org/heart?x=1", "https://Example.org/heart?x=1"),
        ("münchen.example:8443/", "https://münchen.example:8443/"),
        ("http://example.org/", "http://example.org/"),
    ],
)
def test_a_site_is_read_as_people_write_it(visitor: Visitor, typed: str, kept: str) -> None:
    visitor.join(website=typed)
    (joined,) = visitor.parts.participants.listing.list().items
    assert joined.website == kept


@pytest.mark.parametrize("typed", ["example", "me@example.org", "a site.org", "1.2.3", "ftp://example.org"])
def test_what_is_no_site_is_no_site_with_https_either(visitor: Visitor, typed: str) -> None:
    visitor.get("join?kind=individual")
    visitor.post("join?kind=individual", visitor.application("individual", website=typed), status=422)
    assert visitor.html.all("input", id="f-website")[0].attributes["value"] == typed


def test_every_mistake_is_beside_its_field_and_nothing_is_lost(visitor: Visitor) -> None:
    visitor.get("join?kind=intergovernmental_organization")
    given = visitor.application("intergovernmental_organization", name="", email="nobody", country="AT")
    given["answers.support_url"] = "not an address"
    given["answers.plan"] = "We will show it <b>everywhere</b>."
    del given["answers.support"]
    visitor.post("join?kind=intergovernmental_organization", given, status=422)
    (summary,) = visitor.html.all("div", class_="summary")
    targets = [
        link.attributes["href"][1:] for link in visitor.html.all("a") if link.attributes["href"].startswith("#f-")
    ]
    assert targets == ["f-name", "f-email", "f-answers-support", "f-answers-support_url"]
    ids = {element.attributes.get("id"): element for element in visitor.html.elements}
    for target in targets:
        assert ids[f"{target}-error"].text, target
        if ids[target].attributes.get("type") != "radio":
            assert ids[target].attributes["aria-invalid"] == "true"
            assert f"{target}-error" in ids[target].attributes["aria-describedby"].split()
    assert "error" in visitor.html.all("title")[0].text.lower()
    assert ids["f-email"].attributes["value"] == "nobody"
    assert ids["f-answers-plan"].text == given["answers.plan"]
    assert "selected" in next(o for o in visitor.html.all("option") if o.attributes["value"] == "AT").attributes
    assert summary.attributes["role"] == "alert"
    assert visitor.mails() == 0


def test_mistakes_are_told_in_french(visitor: Visitor) -> None:
    visitor.lang = "fr"
    visitor.get("join?kind=individual")
    visitor.post("join?kind=individual", {"kind": "individual"}, status=422)
    told = {one.text.removeprefix("Erreur\u00a0: ") for one in visitor.html.all("p", class_="error")}
    assert {"Écrivez le nom.", "Écrivez une adresse électronique.", "Répondez par oui ou par non."} <= told
    assert not [one for one in visitor.html.all("p", class_="error") if one.language != "fr"]


def test_a_refused_statement_declines_with_its_reason(visitor: Visitor) -> None:
    visitor.join(**{"answers.pledge": "no"})
    text = visitor.get("account").text
    assert "may only be used in line with the Protocol" in text
    assert visitor.html.all("span", class_="badge-declined")


def test_looking_at_the_mailed_page_uses_nothing_up(visitor: Visitor) -> None:
    visitor.get("join?kind=individual")
    visitor.post("join?kind=individual", visitor.application())
    path = visitor.mailed()
    scanner = visitor.app.test_client()
    for method in ("HEAD", "GET", "HEAD", "GET"):
        answer = scanner.open(path, method=method)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert visitor.parts.participants.listing.list().items == ()
    visitor.get(path)
    assert visitor.post(path, {}).headers["Location"] == "/en/account"
    assert len(visitor.parts.participants.listing.list().items) == 1
    visitor.get(path, status=410)
    assert visitor.client.get(path, headers={"Accept": "text/html"}).status_code == 410


def test_an_address_that_has_joined_looks_the_same_and_is_mailed_a_way_to_sign_in(visitor: Visitor) -> None:
    visitor.join()
    again = Visitor(visitor.app, address=visitor.address)
    again.get("join?kind=individual")
    known = again.post("join?kind=individual", again.application())
    other = Visitor(visitor.app)
    other.get("join?kind=individual")
    unknown = other.post("join?kind=individual", other.application())
    where = [answer.headers["Location"].partition("?to=") for answer in (known, unknown)]
    assert [(page, len(token)) for page, _, token in where] == [("/en/join/sent", len(where[0][2]))] * 2
    assert "/sign-in/" in again.mailed()
    assert "/join/" in other.mailed()


def test_signing_in_and_out(visitor: Visitor) -> None:
    visitor.join()
    visitor.get("account")
    visitor.post("sign-out", {})
    assert visitor.client.get("/en/account").headers["Location"] == "/en/sign-in"
    visitor.get("sign-in")
    assert visitor.post("sign-in", {"email": visitor.address}).headers["Location"].startswith("/en/sign-in/sent?to=")
    path = visitor.mailed()
    assert path.startswith("/en/sign-in/")
    visitor.get(path)
    visitor.post(path, {})
    assert visitor.get("account").headers["Cache-Control"] == "private, no-store"


def test_an_unknown_address_sees_the_same_and_gets_no_mail(visitor: Visitor) -> None:
    visitor.get("sign-in")
    assert visitor.post("sign-in", {"email": visitor.address}).headers["Location"].startswith("/en/sign-in/sent?to=")
    assert visitor.mails() == 0
    visitor.get("sign-in")
    visitor.post("sign-in", {"email": "no address"}, status=422)
    assert [one.attributes["value"] for one in visitor.html.all("input", id="f-email")] == ["no address"]


def test_a_link_works_on_the_page_of_its_purpose_only(visitor: Visitor) -> None:
    visitor.get("join?kind=individual")
    visitor.post("join?kind=individual", visitor.application())
    secret = visitor.mailed().rpartition("/")[2]
    for page in (f"sign-in/{secret}", f"grant/{secret}", "join/none-such", "sign-in/none-such"):
        visitor.get(page, status=410)
    visitor.get("sign-in")
    visitor.post(f"sign-in/{secret}", {}, status=410)
    visitor.get(f"join/{secret}")
    visitor.post(f"join/{secret}", {})


def test_a_participant_lets_a_portal_act_and_ends_it(visitor: Visitor) -> None:
    from service.problems import AlreadyJoined

    visitor.join()
    people = visitor.parts.participants
    (participant,) = people.listing.list().items
    key, _ = people.api_keys.create("portal", name="Example portal", by="staff:cli")
    again = {
        "kind": participant.kind,
        "name": "Example Person",
        "email": visitor.address,
        "country": "AT",
        "language": "en",
        "website": None,
        "answers": dict(participant.answers or {}),
        "purposes": ["information"],
    }
    with pytest.raises(AlreadyJoined):
        people.joining.join(again, via=f"portal:{key.id}")
    path = visitor.mailed()
    assert "Example portal" in visitor.get(path).text
    assert not people.access.may_act(key, participant.id)
    assert visitor.post(path, {}).headers["Location"] == "/en/grant/done"
    assert people.access.may_act(key, participant.id)
    visitor.get("account")
    assert [portal.name for portal in people.access.portals(participant.id)] == ["Example portal"]
    visitor.post(f"account/portals/{key.id}/end", {})
    assert not people.access.may_act(key, participant.id)


def test_an_organization_checks_its_answers_and_may_change_them(visitor: Visitor) -> None:
    visitor.get("join?kind=civil_society")
    given = visitor.application("civil_society", name="Quillmarsh", website="quillmarsh.example.org")
    page = visitor.post("join?kind=civil_society", given | {"step": "check"}, status=200).text
    assert "https://quillmarsh.example.org" in page
    assert visitor.mails() == 0
    again = dict(visitor.html.hidden)
    visitor.post("join?kind=civil_society", {"step": "change"}, status=200)
    (name,) = visitor.html.all("input", name="name")
    assert name.attributes["value"] == "Quillmarsh"
    sent = visitor.client.post("/en/join?kind=civil_society", data=again | {"step": "send"})
    assert visitor.address in visitor.get(sent.headers["Location"]).text
    assert visitor.address not in sent.headers["Location"]
    assert visitor.mails() == 1


def test_a_form_in_another_language_keeps_what_was_typed(visitor: Visitor) -> None:
    visitor.get("join?kind=individual")
    (button,) = (one for one in visitor.html.all("button", name="keep") if one.attributes["lang"] == "ar")
    given = {"name": "Quill", "email": "half-typed@", "purposes": "fundraising", "keep": "yes"}
    page = visitor.post(button.attributes["formaction"], given, status=200).text
    assert 'lang="ar" dir="rtl"' in page
    (name,) = visitor.html.all("input", name="name")
    assert name.attributes["value"] == "Quill"
    assert [
        box.attributes["value"] for box in visitor.html.all("input", type="checkbox") if "checked" in box.attributes
    ] == ["fundraising"]
    for path, fields in (("report", {"url": "shop.example.org"}), ("sign-in", {"email": "half@"})):
        visitor.get(path)
        (button,) = (one for one in visitor.html.all("button", name="keep") if one.attributes["lang"] == "ru")
        assert (
            next(iter(fields.values()))
            in visitor.post(button.attributes["formaction"], fields | {"keep": "yes"}, status=200).text
        )


def test_the_journey_ends_at_the_package_where_it_began(visitor: Visitor) -> None:
    visitor.get("tools/posters")
    (link,) = {link for link in visitor.html.links() if link.startswith("/en/join?")}
    assert link == "/en/join?for=tool.posters"
    visitor.get(link)
    (kind,) = (one for one in visitor.html.links() if "kind=civil_society" in one)
    visitor.get(kind)
    visitor.post("join?kind=civil_society", visitor.application("civil_society"))
    mailed = visitor.mailed()
    assert "?for=tool.posters" in text_of(visitor.letters()[-1])
    visitor.get(f"{mailed}?for=tool.posters")
    done = visitor.post(f"{mailed}?for=tool.posters", {})
    assert done.headers["Location"] == "/en/download?for=tool.posters"
    visitor.get(done.headers["Location"])
    ready = visitor.post("download", {"name": "Kim Example", "capacity": "Director"})
    assert "begin=1" in ready.headers["Location"]
    (link_made,) = visitor.parts.links.list().items
    assert [one.id for one in link_made.packages] == ["posters"]
