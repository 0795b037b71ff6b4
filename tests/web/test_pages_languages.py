"""Pages speak the visitor's language, and where the campaign has not written a text yet, it is marked as English.

How much of a page is in another language is counted by script for Arabic, Chinese and Russian, and by stop words
for English, French and Spanish: short words that stand in every second line of one language and in none of the
others. Names stay as they are: of formats, files, sites and the six languages themselves.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from service import settings as settings_room
from service.campaign import LANGUAGES
from service.certificates.documents import words as certificate_words
from service.desk.letters import texts as desk_texts
from service.packages import Damage
from service.participants.emails import texts as participants_texts
from service.problems import REGISTRY
from service.store import Database, migrate
from service.web.i18n import translated

from ..conftest import FrozenClock, environment
from ..participants.test_emails import written
from ..parts.willing import KINDS
from .test_pages import PAGES
from .visitor import VOID, Visitor

if TYPE_CHECKING:
    from flask import Flask

ALL_PAGES = (
    *PAGES,
    *(f"join?kind={kind}" for kind in KINDS),
    *(f"tools/{tool}" for tool in ("email-and-letterhead", "event-kit", "posters", "social-media-kit", "web-banners")),
    "terms/tool-terms",
    "terms/logo-terms/2024-07-30",
    "terms/tool-terms/2024-07-30",
    "/problems/link-expired?lang={lang}",
    "wear",
    "build",
    "check",
    "verify",
    "report",
)
CONSOLE = (
    *("", "/participants", "/links", "/embeds", "/catalogue", "/terms", "/audit", "/downloads"),
    *("/artwork", "/publishing", "/keys", "/webhooks", "/passkeys", "/outbox"),
)
OWN = ("account", "account/embeds/new", "sign-in/passkey")  # a request shows what somebody typed
MOST_FOREIGN = 0.01

#: Of each language, words that the other two do not have.
STOP_WORDS = {
    "en": "the of and to is are for with you your that this it be by from at not or we our they their have has was "
    "what which who when where how will can may if so only must does its any all these those been there",
    "es": "los las del al con por para una su sus lo como está sin sobre más ha ser cuando donde quien esta este "
    "estos estas ese eso usted también hasta desde cada muy puede qué",
    "fr": "et du aux avec par pour sa ses ce cette ces est sont sans plus été être quand où qui vous votre vos "
    "nous notre il elle ils dans ne pas ou aussi jusque chaque leur leurs peut dont",
}
NATIVE_NAMES = frozenset(["العربية", "English", "Español", "Français", "Русский", "中文"])
#: Names of an interface that its errors speak of: headers and their values, fields, commands.
INTERFACE = """
    etag if match retry after content range type accept allow idempotency key authorization bearer emb on auto case
    errors renewal origin audit emblem verify format application ffffff
"""
PROGRAMS = frozenset(INTERFACE.split())
#: Names that are the same in every language: formats, standards and units; the campaign's own are translated.
FORMATS = """
    svg png webp avif jxl pdf zip html css cmyk rgb px mm kb mb gb b sha utc rgba jpeg cookie cookies csv parquet json
    url typst api xmp http https eps trimbox bleedbox react wordpress oembed
    javascript pin webhook webhooks
"""
NAMES = frozenset([*FORMATS.split(), *(name.lower() for name in NATIVE_NAMES)])


class Words(HTMLParser):
    """The words that a page says, without those of code, of paths and of links to other languages."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        to_another_language = "hreflang" in given or given.get("name") == "keep"
        left_out = tag in ("cite", "code", "pre", "script", "style", "bdi") or to_another_language
        left_out = left_out or "digest" in (given.get("class") or "")
        if tag not in VOID:
            self._open.append((tag, left_out))
        if not any(out for _, out in self._open):
            said = ["alt", "aria-label", "placeholder", *(["content"] if given.get("name") == "description" else [])]
            self.text += [given[name] or "" for name in said if name in given]

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(out for _, out in self._open):
            self.text.append(data)

    @property
    def words(self) -> list[str]:
        """The words in small letters; what holds a digit, a dot, a slash or an at sign is a name."""
        kept = re.sub(r"\S*[\w-][./@_][\w/-]\S*|\S*\d\S*", " ", "\n".join(self.text))
        return [word.lower() for word in re.findall(r"[^\W\d_]+", kept)]


def foreign_share(lang: str, words: list[str]) -> float:
    """Which part of the words is in another language than ``lang``, from 0 to 1."""
    scripts: Counter[str] = Counter()
    words = [word for word in words if word not in NAMES]
    for word in words:
        first = word[0]
        if "\u0600" <= first <= "\u06ff":
            scripts["ar"] += 1
        elif "\u0400" <= first <= "\u04ff":
            scripts["ru"] += 1
        elif "\u4e00" <= first <= "\u9fff":
            scripts["zh"] += max(1, len(word) // 2)  # Chinese does not part its words: most have two characters
        else:
            scripts["latin"] += 1
    own = lang if lang in ("ar", "ru", "zh") else "latin"
    share = 1 - scripts[own] / max(1, scripts.total())
    if own == "latin":
        counts = {name: sum(word in set(stop.split()) for word in words) for name, stop in STOP_WORDS.items()}
        share += 1 - counts[lang] / max(1, sum(counts.values()))
    return share


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_are_in_the_language_of_the_visitor(app: Flask, lang: str) -> None:
    visitor = Visitor(app, lang)
    shares = {}
    for page in ALL_PAGES:
        words = Words(visitor.get(page.format(lang=lang)).text).words
        assert len(words) > 5, page
        shares[page] = foreign_share(lang, words)
    assert {page: share for page, share in shares.items() if share > MOST_FOREIGN} == {}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_account_and_console_are_in_the_language_of_their_reader(app: Flask, lang: str) -> None:
    visitor, staff = Visitor(app, lang), Visitor(app, lang)
    visitor.join()
    visitor.accept()
    staff.sign_in_as_staff()
    campaign, alerts, packages = visitor.parts.campaign, visitor.parts.alerts, visitor.parts.catalogue.current()
    version = visitor.parts.catalogue.current_version("logo").version
    assert alerts.report_damage([Damage("logo", version, "packages/logo", "is missing")]) == 1
    visitor.parts.sealer.seal()
    title = alerts.title("package-damaged")
    assert title is not None
    assert title.get(lang) in staff.get(f"/staff/audit?lang={lang}").text
    # Names that stand there: of the person, and the ids of packages and terms that staff sort by.
    names = {"example", "person", "par", "lnk"}.union(
        *(name.split("-") for name in (*(package.id for package in packages), *campaign.terms.ids()))
    )
    for who, listed in ((visitor, OWN), (staff, [f"/staff{page}?lang={lang}" for page in CONSOLE])):
        for page in listed:
            words = [word for word in Words(who.get(page).text).words if word not in names]
            assert len(words) > 20, page
            assert foreign_share(lang, words) <= MOST_FOREIGN, (page, sorted(filter(str.isascii, words)))


def _foreign(lang: str, text: str, names: frozenset[str] = PROGRAMS) -> float:
    words = [word for word in Words(text).words if word not in names]
    assert len(words) > 20, words
    return foreign_share(lang, words)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_case_is_in_the_language_of_each_who_reads_it(app: Flask, lang: str) -> None:
    visitor, staff = Visitor(app, lang), Visitor(app, lang)
    told = visitor.parts.campaign.info.home.lead.get(lang)  # what people write, they write in their language
    visitor.join(
        "civil_society",
        name="2026",
        purposes=["commercial"],
        **{
            name: told
            for name, said in visitor.application("civil_society").items()
            if name.startswith("answers.") and " " in str(said)
        },
    )
    staff.sign_in_as_staff()
    staff.get(f"/staff?lang={lang}")
    link = next(one.attributes["href"] for one in staff.html.all("a") if "data-case" in one.attributes)
    case = link.partition("?")[0].rpartition("/")[2]
    (participant,) = (one.id for one in visitor.parts.participants.listing.list().items)
    pages = [
        staff.get(f"/staff/cases/{case}?lang={lang}").text,
        staff.get(f"/staff/participants/{participant}?lang={lang}").text,
        visitor.get(f"account/cases/{case}").text,
        visitor.get("account").text,
    ]
    names = PROGRAMS | {"par", "cas", "example", "visitor", "org"}
    for page in pages:
        words = [word for word in Words(page).words if word not in names]
        assert foreign_share(lang, words) <= MOST_FOREIGN, sorted(filter(str.isascii, words))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_errors_are_in_the_language_of_whoever_meets_them(app: Flask, lang: str) -> None:
    visitor = Visitor(app, lang)
    pages = {page: visitor.get(page, 404).text for page in ("nowhere", "verify/crt_none", "tools/none", "embeds/none")}
    pages["problems"] = " ".join(
        translated(said, lang) for problem in REGISTRY.values() for said in (problem.title, problem.help)
    )
    for page, name, data in (
        ("check", "a.png", b"\x89PNG\r\n\x1a\n and nothing more"),
        ("check", "a.txt", b"neither picture nor document"),
        ("check", "a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="https://example.org/a.png"/></svg>'),
    ):
        sent = visitor.client.post(
            f"/{lang}/{page}", data={"file": (BytesIO(data), name)}, headers={"Accept": "text/html"}
        )
        assert sent.status_code in (415, 422), name
        pages[name] = sent.text
    assert {page: share for page, text in pages.items() if (share := _foreign(lang, text)) > MOST_FOREIGN} == {}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_mails_and_certificates_are_in_the_language_of_their_reader(lang: str) -> None:
    """Each text that is filled in and sent or printed: of mails, of the desk's letters, and of certificates."""
    found = [text.get(lang) for texts in (participants_texts(), desk_texts()) for text in written(texts)]
    found += certificate_words(lang).values()
    assert len(found) > 80
    words = [word for text in found for word in Words(re.sub(r"\{\w+\}|https?:\S+", " ", text)).words]
    assert foreign_share(lang, words) <= MOST_FOREIGN
    for text in found:  # no single one was forgotten among the others
        own = [word for word in Words(re.sub(r"\{\w+\}", " ", text)).words if word not in NAMES]
        assert len(own) < 20 or foreign_share(lang, own) < 0.5, text


def test_words_of_another_language_are_counted(app: Flask) -> None:
    """The measure itself: a page in one language is foreign in every other, and a sentence of it is seen."""
    pages = {lang: Words(Visitor(app, lang).get("protocol").text).words for lang in LANGUAGES}
    for lang, words in pages.items():
        for other in LANGUAGES:
            if other != lang:
                assert foreign_share(other, words) > 0.8, (lang, other)
                assert foreign_share(lang, words + pages[other][len(pages[other]) // 2 :][:40]) > MOST_FOREIGN


# ---- texts that a campaign has not translated


def _without(value: object, languages: set[str]) -> object:
    """A value of YAML without the texts in these languages."""
    if isinstance(value, dict):
        kept = {name: _without(item, languages) for name, item in value.items()}
        return {name: item for name, item in kept.items() if name not in languages} if "en" in kept else kept
    return [_without(item, languages) for item in value] if isinstance(value, list) else value


@pytest.fixture
def english_only(tmp_path: Path, clock: FrozenClock) -> Iterator[Flask]:
    """A deployment whose policies are written in English alone."""
    from service.app import create_app

    policies = tmp_path / "policies"
    shutil.copytree(settings_room.shipped("policies"), policies)
    for path in policies.rglob("*.yaml"):
        written = _without(yaml.safe_load(path.read_text(encoding="utf-8")), set(LANGUAGES) - {"en"})
        for version in written.get("versions", []) if isinstance(written, dict) else []:
            version["languages"] = ["en"]
        path.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    for path in policies.rglob("*.md"):
        if path.stem != "en":
            path.unlink()
    # Nothing is published there, so that the files themselves are in force.
    given = settings_room.load(environment(tmp_path / "english") | {"EMBLEM_POLICIES_DIR": str(policies)})
    database = Database(given.database_url)
    migrate.upgrade(database)
    database.close()
    made = create_app(settings=given, clock=clock)
    yield made
    made.extensions["emblem"].close()


def test_texts_without_translation_are_english_from_left_to_right(english_only: Flask) -> None:
    visitor = Visitor(english_only, "ar")
    campaign = visitor.parts.campaign
    for page, text in (
        ("", campaign.info.home.lead.get("en")),
        ("privacy", "Of the device that downloads we keep a shortened network address"),
        ("protocol", campaign.protocol.about.get("en")),
        ("rules", campaign.brand.forbidden[0].why.get("en")),
        ("join", campaign.eligibility.kinds[0].help.get("en")),
        ("join?kind=individual", "To prevent trafficking, to punish traffickers"),
    ):
        visitor.get(page)
        holding = [element for element in visitor.html.elements if text[:40] in element.text]
        # The paragraph itself is marked, not only the words in it: it begins at its own side of the page.
        marked = holding[-1]
        while marked.attributes.get("lang") != "en":
            assert marked.tag in ("p", "li"), (page, marked)
            holding.pop()
            marked = holding[-1]
        assert (marked.attributes["dir"], marked.tag in ("p", "li", "div")) == ("ltr", True), (page, marked)
        assert visitor.html.all("a", href="/ar/privacy")[0].language == "ar"


def test_terms_without_translation_are_marked_as_english(english_only: Flask) -> None:
    visitor = Visitor(english_only, "ru")
    visitor.get("terms/logo-terms")
    (article,) = visitor.html.all("article")
    assert (article.attributes["lang"], article.attributes["dir"]) == ("en", "ltr")
    terms = visitor.parts.campaign.terms.current("logo-terms", visitor.parts.clock())
    assert visitor.html.all("span", class_="digest")[0].text == terms.digest("en")


def test_pages_of_the_shipped_campaign_mark_nothing_as_untranslated(app: Flask) -> None:
    visitor = Visitor(app)
    for visitor.lang in LANGUAGES:
        for page in ALL_PAGES:
            visitor.get(page.format(lang=visitor.lang))
            for element in visitor.html.elements:
                if element.language != visitor.lang and element.text.strip():
                    said = element.text.strip()
                    assert said in NATIVE_NAMES or said.lower() in FORMATS.split(), (visitor.lang, page, element)
