"""The visitor's language: which it is, the catalogue's texts in it, and the marks on texts that are not in it.

A text without a translation is shown in English inside ``lang="en" dir="ltr"``, so that screen readers
and the bidirectional algorithm treat it as what it is. Texts come from two places: the interface's
catalogue (``translations/``) and the campaign's own localized ``Text`` objects.
"""

from __future__ import annotations

import gettext as gettext_module
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

import babel.dates
import babel.numbers
from babel import Locale
from flask import Flask, g, has_request_context, request
from markupsafe import Markup, escape

from ..campaign import LANGUAGES, direction
from ..campaign.dates import written_date
from ..problems import FieldError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRANSLATIONS = Path(__file__).resolve().parent / "translations"
_ENGLISH = Markup(' lang="en" dir="ltr"')
#: Where day and time are not written as in English, in CLDR's letters.
_INSTANTS = {
    "ar": "d MMMM y، HH:mm",
    "es": "d 'de' MMMM 'de' y, HH:mm",
    "ru": "d MMMM y'\u202fг.', HH:mm",
    "zh": "y年M月d日 HH:mm",
}
#: What stands between the parts of a list where it is no comma and space.
_COMMAS = {"ar": "، ", "zh": "，"}
#: Letters of B, kB, MB and GB where they are others.
_BYTES = {
    "ar": ("بايت", "كيلوبايت", "ميغابايت", "غيغابايت"),
    "fr": ("o", "ko", "Mo", "Go"),
    "ru": ("Б", "кБ", "МБ", "ГБ"),
}


class Localized(Protocol):
    """Read the campaign's texts: the words for a language, and which language they really are in."""

    def get(self, lang: str) -> str:
        """The text in ``lang``, or in English."""

    def language(self, lang: str) -> str:
        """The language that ``get(lang)`` answers in."""


class _Untranslated(gettext_module.NullTranslations):
    """Answers the empty text, which no translation is: that is how a missing one is seen."""

    def gettext(self, message: str) -> str:
        return ""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return ""


@cache
def _catalogue(lang: str) -> gettext_module.NullTranslations:
    path = TRANSLATIONS / lang / "LC_MESSAGES" / "messages.mo"
    if lang == "en":
        return gettext_module.NullTranslations()
    if not path.is_file():
        return _Untranslated()
    with path.open("rb") as file:
        catalogue = gettext_module.GNUTranslations(file)
    catalogue.add_fallback(_Untranslated())
    return catalogue


def language() -> str:
    """The language of this request: of its path, else chosen with ``?lang=``, else by Accept-Language."""
    if not has_request_context():
        return "en"
    if "lang" not in g:
        first = request.path.split("/", 2)[1]
        wished = request.args.get("lang", "")
        g.lang = first if first in LANGUAGES else wished if wished in LANGUAGES else negotiated()
    found: str = g.lang
    return found


def negotiated() -> str:
    """The best of our languages for the request's Accept-Language; English where none fits.

    A region or script asks for its language (``fr-CA`` for ``fr``), before what is liked less.
    """
    for tag, quality in request.accept_languages:
        primary = tag.partition("-")[0].lower()
        if quality > 0 and primary in LANGUAGES:
            return primary
    return "en"


def _fill(text: str, variables: dict[str, Any]) -> Markup:
    safe = escape(text)
    return safe % variables if variables else safe


def _marked(text: str, msgid: str, variables: dict[str, Any]) -> Markup:
    if text:
        return _fill(text, variables)
    return Markup('<span lang="en" dir="ltr">{}</span>').format(_fill(msgid, variables))


def translate(msgid: str, **variables: Any) -> Markup:
    """The text for HTML, escaped; ``%(name)s`` takes variables, escaped unless they are markup."""
    return _marked(_catalogue(language()).gettext(msgid), msgid, variables)


def translate_count(singular: str, plural: str, number: int, **variables: Any) -> Markup:
    """The form for ``number``, which is also the variable ``%(num)s``, written as the language writes numbers."""
    catalogue, lang = _catalogue(language()), language()
    text = catalogue.ngettext(singular, plural, number)
    values = {"num": babel.numbers.format_decimal(number, locale=lang), **variables}
    return _marked(text, singular if number == 1 else plural, values)


def translated(msgid: str, lang: str) -> str:
    """The text in a language that need not be the visitor's; in English where it is not translated."""
    return _catalogue(lang).gettext(msgid) or msgid


def translate_plain(msgid: str, **variables: Any) -> str:
    """The text where no element can mark its language: attributes, ``<title>``, ``<option>``, mail."""
    text = translated(msgid, language())
    return text % variables if variables else text


def mark(msgid: str) -> Markup:
    """The attributes for an element that holds ``translate_plain(msgid)``: empty where it is translated."""
    return Markup("") if _catalogue(language()).gettext(msgid) else _ENGLISH


def localized(text: Localized | str) -> Markup:
    """A campaign's text for HTML, escaped, marked where it is not in the visitor's language."""
    if isinstance(text, str):
        return translate(text)
    lang = language()
    words, given = escape(text.get(lang)), text.language(lang)
    if given == lang:
        return words
    return Markup('<span lang="{}" dir="{}">{}</span>').format(given, direction(given), words)


def translate_error(error: FieldError | Problem) -> Markup:
    """The detail of a problem or of one field, with its values put in after translation."""
    return translate(error.template, **error.values) if error.template else translate(error.detail)


def has_words(error: Problem) -> bool:
    """Tell whether a problem's detail is written in the visitor's language; those of programs are in English."""
    return bool(_catalogue(language()).gettext(error.template or error.detail))


def localized_plain(text: Localized | str) -> str:
    """A campaign's text where no element can mark its language."""
    return translate_plain(text) if isinstance(text, str) else text.get(language())


def lang_of(text: Localized | str) -> Markup:
    """The attributes for an element that holds ``localized_plain(text)``."""
    if isinstance(text, str):
        return mark(text)
    given = text.language(language())
    return Markup("") if given == language() else Markup(' lang="{}" dir="{}"').format(given, direction(given))


def format_date(value: date | datetime) -> str:
    """A day, written out, in UTC."""
    return written_date(value, language())


def format_instant(value: datetime | str) -> Markup:
    """Day and time in UTC, as a ``<time>`` element; of an instant, or of its RFC 3339 text."""
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    pattern = _INSTANTS.get(language(), "d MMMM y, HH:mm")
    text = babel.dates.format_datetime(value, format=pattern, locale=language())
    return Markup('<time datetime="{}">{} UTC</time>').format(value.isoformat(), text)


def format_day(value: datetime) -> Markup:
    """A day in UTC in its short form, as a ``<time>`` element with the instant."""
    form = "d MMM y" if language() == "en" else "medium"  # the day first, as everywhere here
    text = babel.dates.format_date(value, format=form, locale=language())
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), text)


def format_clock(value: datetime) -> Markup:
    """A time of the day in UTC to the second, as a ``<time>`` element with the instant."""
    return Markup('<time datetime="{}">{} UTC</time>').format(value.isoformat(), f"{value:%H:%M:%S}")


def format_age(value: timedelta) -> str:
    """A length of time in its largest unit, from hours on, such as ``3 days``."""
    return babel.dates.format_timedelta(value, granularity="hour", threshold=1, locale=language())


def format_number(value: float) -> str:
    """A number as the language writes it."""
    return babel.numbers.format_decimal(value, locale=language())


def format_bytes(value: int) -> str:
    """A file's size with two or three significant digits, such as ``1.2 MB`` (decimal units)."""
    amount, power = float(value), 0
    while amount >= 1000 and power < 3:
        amount, power = amount / 1000, power + 1
    digits = "#,##0" if amount >= 10 or power == 0 else "#,##0.0"
    # Only a locale's English pattern is sure to have the short unit's usual form (kB, MB).
    number = babel.numbers.format_decimal(amount, format=digits, locale=language())
    symbol = _BYTES.get(language(), ("B", "kB", "MB", "GB"))[power]
    return f"{number}\u00a0{symbol}"


def language_name(tag: str) -> str:
    """The name of a language in itself."""
    return LANGUAGES.get(tag) or Locale.parse(tag).get_display_name() or tag


def in_language(lang: str) -> str:
    """This page's address in another language, with what was chosen on it (its query)."""
    first = request.path.split("/", 2)[1]
    query = [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]
    if first in LANGUAGES:
        path = f"/{lang}{request.path[len(first) + 1 :]}"
    else:
        path, query = request.path, [*query, ("lang", lang)]
    return quote(path) + ("?" + urlencode(query) if query else "")


def form_in_language(action: str, lang: str) -> str:
    """Return where a form of ours is sent to be shown in another language, with what was typed in it."""
    return f"/{lang}/{action.split('/', 2)[2]}"


def install(app: Flask) -> None:
    """Gives every template the functions of this module under short names."""
    functions: dict[str, Callable[..., Any] | Mapping[str, str]] = {
        "_": translate,
        "_n": translate_count,
        "_attr": translate_plain,
        "_mark": mark,
        "lang_of": lang_of,
        "direction": direction,
        "in_language": in_language,
        "form_in_language": form_in_language,
        "language_name": language_name,
        "LANGUAGES": LANGUAGES,
    }
    app.jinja_env.globals.update(functions)
    app.jinja_env.filters.update(
        localized=localized,
        plain=localized_plain,
        longdate=format_date,
        instant=format_instant,
        day=format_day,
        clocktime=format_clock,
        age=format_age,
        said=translate_error,
        number=format_number,
        filesize=format_bytes,
    )
    app.context_processor(
        lambda: {"lang": language(), "dir": direction(language()), "comma": _COMMAS.get(language(), ", ")}
    )
