"""The mails to participants, in English and French. They lead to pages, never to a download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..campaign import Text


@dataclass(frozen=True)
class Letter:
    """The subject and the text of one mail, and the language that they are really in."""

    subject: str
    text: str
    language: str


_LANGUAGES = ("en", "fr")

_FOOTER = Text.of(
    "You get this mail because this address was given to {campaign}. If that was not you, you need do nothing.",
    fr="Vous recevez ce message parce que cette adresse a été donnée à {campaign}. "
    "Si ce n’était pas vous, vous n’avez rien à faire.",
)

_SIGN_IN = (
    Text.of("Sign in to {campaign}", fr="Connexion à {campaign}"),
    Text.of(
        "Open this page and press its button to sign in. It works once, within {minutes} minutes:\n\n{url}",
        fr="Ouvrez cette page et appuyez sur le bouton pour vous connecter. "
        "Elle fonctionne une seule fois, dans les {minutes} minutes :\n\n{url}",
    ),
)

_CONFIRM = (
    Text.of("Confirm that you join {campaign}", fr="Confirmez votre participation à {campaign}"),
    Text.of(
        "Somebody, most likely you, wants to join {campaign} with this address. To confirm it, open this page "
        "and press its button, within 24 hours:\n\n{url}\n\nBefore that nothing is decided, and after that time "
        "what was written is deleted.",
        fr="Quelqu’un, sans doute vous, souhaite rejoindre {campaign} avec cette adresse. Pour le confirmer, ouvrez "
        "cette page et appuyez sur le bouton, dans les 24 heures :\n\n{url}\n\nRien n’est décidé avant cela ; passé "
        "ce délai, ce qui a été écrit est supprimé.",
    ),
)

_ALREADY = (
    Text.of("You have joined {campaign} already", fr="Vous participez déjà à {campaign}"),
    Text.of(
        "Somebody, most likely you, wanted to join {campaign} with this address, which has joined already. "
        "Open this page and press its button to sign in. It works once, within {minutes} minutes:\n\n{url}",
        fr="Quelqu’un, sans doute vous, a voulu rejoindre {campaign} avec cette adresse, qui y participe déjà. "
        "Ouvrez cette page et appuyez sur le bouton pour vous connecter. Elle fonctionne une seule fois, dans les "
        "{minutes} minutes :\n\n{url}",
    ),
)

_GRANT = (
    Text.of("May this site act for you at {campaign}?", fr="Ce site peut-il agir pour vous auprès de {campaign} ?"),
    Text.of(
        "You joined {campaign} some time ago. The site “{portal}” would like to accept terms and get download links "
        "in your name. If you want that, open this page and press its button, within 7 days:\n\n{url}\n\nIf you do "
        "not want it, do nothing.",
        fr="Vous avez rejoint {campaign} il y a quelque temps. Le site « {portal} » souhaite accepter des conditions "
        "et obtenir des liens de téléchargement en votre nom. Si vous le voulez, ouvrez cette page et appuyez sur le "
        "bouton, dans les 7 jours :\n\n{url}\n\nSi vous ne le voulez pas, ne faites rien.",
    ),
)

_DECISIONS = {
    "approved": (
        Text.of("{campaign}: you are approved", fr="{campaign} : votre participation est approuvée"),
        Text.of(
            "You are approved: once you have accepted the terms of use, the logo and the tools are yours to use.",
            fr="Votre participation est approuvée : après avoir accepté les conditions d’utilisation, vous pouvez "
            "utiliser le logo et les outils.",
        ),
    ),
    "review": (
        Text.of("{campaign}: we are looking at what you wrote", fr="{campaign} : votre demande est à l’étude"),
        Text.of(
            "Thank you for joining. A person looks at your application before it is decided, and you will get a mail.",
            fr="Merci de votre demande. Une personne l’examine avant toute décision, et vous recevrez un message.",
        ),
    ),
    "declined": (
        Text.of("{campaign}: your application was declined", fr="{campaign} : votre demande n’a pas été acceptée"),
        Text.of(
            "Your application was declined. If something has changed, or is not right, answer this mail.",
            fr="Votre demande n’a pas été acceptée. Si quelque chose a changé ou n’est pas exact, répondez à ce "
            "message.",
        ),
    ),
    "suspended": (
        Text.of("{campaign}: you are suspended", fr="{campaign} : votre participation est suspendue"),
        Text.of(
            "Your participation is suspended: download links and logos shown by link do not work until it is lifted. "
            "If this is not right, answer this mail.",
            fr="Votre participation est suspendue : les liens de téléchargement et les logos affichés par lien ne "
            "fonctionnent plus jusqu’à nouvel ordre. Si ce n’est pas justifié, répondez à ce message.",
        ),
    ),
}

_NEW_TERMS = (
    Text.of("{campaign}: please accept the new terms", fr="{campaign} : merci d’accepter les nouvelles conditions"),
    Text.of(
        "New terms are in force for the logo that your websites show: “{title}”. It is shown until {date}. "
        "To have it shown after that, read and accept them on your account page:\n\n{url}",
        fr="De nouvelles conditions sont en vigueur pour le logo que vos sites affichent : « {title} ». Il est "
        "affiché jusqu’au {date}. Pour qu’il le soit encore ensuite, lisez-les et acceptez-les sur la page de votre "
        "compte :\n\n{url}",
    ),
)

_REASONS = Text.of("Why:", fr="Motifs :")
_ACCOUNT = Text.of("Everything about it is on your account page:", fr="Tout se trouve sur la page de votre compte :")


class Letters:
    """The letters of one campaign."""

    def __init__(self, campaign: Text) -> None:
        """``campaign`` is its name."""
        self._campaign = campaign

    def sign_in(self, language: str, url: str, minutes: int) -> Letter:
        """A link to sign in, asked for on the sign-in page."""
        return self._letter(language, _SIGN_IN, url=url, minutes=str(minutes))

    def confirm_joining(self, language: str, url: str) -> Letter:
        """A link that confirms the address of someone who joins on the public page."""
        return self._letter(language, _CONFIRM, url=url)

    def already_joined(self, language: str, url: str, minutes: int) -> Letter:
        """What a known address gets instead of ``confirm_joining``."""
        return self._letter(language, _ALREADY, url=url, minutes=str(minutes))

    def grant(self, language: str, url: str, portal: str) -> Letter:
        """A portal's wish to act for a participant that joined elsewhere."""
        return self._letter(language, _GRANT, url=url, portal=portal)

    def decision(self, language: str, outcome: str, reasons: Sequence[str], url: str) -> Letter:
        """A decision with its reasons; ``url`` is the account page."""
        written = _written(language)
        subject, text = _DECISIONS[outcome]
        why = ["\n\n".join([_REASONS.get(written), *reasons])] if reasons else []
        body = "\n\n".join([text.get(written), *why, f"{_ACCOUNT.get(written)}\n{url}"])
        return self._finished(written, subject.get(written).format(campaign=self._campaign.get(written)), body)

    def new_terms(self, language: str, title: Callable[[str], str], date: Callable[[str], str], url: str) -> Letter:
        """New terms that someone whose logo is shown by link has to accept; ``date`` is when it stops otherwise.

        ``title`` and ``date`` give their text in the language that the letter is really in.
        """
        written = _written(language)
        return self._letter(language, _NEW_TERMS, title=title(written), date=date(written), url=url)

    def _letter(self, language: str, texts: tuple[Text, Text], **values: str) -> Letter:
        written = _written(language)
        values["campaign"] = self._campaign.get(written)
        subject, body = (text.get(written).format_map(values) for text in texts)
        return self._finished(written, subject, body)

    def _finished(self, written: str, subject: str, body: str) -> Letter:
        footer = _FOOTER.get(written).format(campaign=self._campaign.get(written))
        return Letter(subject, f"{body}\n\n-- \n{footer}\n", written)


def _written(language: str) -> str:
    return language if language in _LANGUAGES else "en"
