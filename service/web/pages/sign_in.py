"""Mailed links: signing in, confirming a join, letting a portal act. GET shows a button; only POST uses the link up."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, g, make_response, request, url_for

from ... import paths
from ...campaign.content import Use
from ...campaign.terms import TermsVersion
from ...campaign.text import msgid
from ...participants.sign_in import Confirmed, PendingLink
from ...problems import InvalidRequest, InvalidSignIn
from .. import limits, passkey_place, security
from ..context import client, deployment
from ..i18n import language, translate
from .blueprint import pages, query, root
from .downloads import get_file, standing_of, then, use_of
from .forms import FormMistakes, kept, sent
from .render import private, public, see_other
from .sent_to import hidden, shown

#: What the page of a mailed link says, by its purpose: title, explanation, button.
_WORDS = {
    "join": (
        msgid("Confirm your e-mail address"),
        msgid("Press the button to confirm that you want to join with this address. You then see what was decided."),
        msgid("Confirm and join"),
    ),
    "sign-in": (
        msgid("Sign in"),
        msgid("Press the button to sign in on this device."),
        msgid("Sign in now"),
    ),
    "member": (
        msgid("You are invited"),
        msgid("Press the button to accept the invitation and to sign in on this device."),
        msgid("Accept and sign in"),
    ),
    "grant": (
        msgid("May this site act for you?"),
        msgid("It could then accept terms and get download links in your name. You can end this by writing to us."),
        msgid("Allow it"),
    ),
}


@pages.get("/sign-in")
def sign_in() -> Response:
    """Ask for the address that gets the link."""
    return private("sign_in.html", mistakes=FormMistakes(), use=use_of(query("for")), **_ways())


@pages.post("/sign-in")
def sign_in_submit() -> Response:
    """Mail a link to an address that may sign in; what is seen is the same for every address."""
    use = use_of(sent("for"))
    if kept():
        return private("sign_in.html", mistakes=FormMistakes(), use=use)
    try:
        deployment().participants.sign_in.request_link(
            sent("email", 400), language(), limits.permit_mail, urlencode(then(use))
        )
    except InvalidRequest:
        mistakes = FormMistakes()
        mistakes.add("email", translate("Give an e-mail address such as name@example.org."))
        return private("sign_in.html", 422, mistakes=mistakes, use=use, **_ways())
    return see_other(url_for("pages.sign_in_sent", to=hidden(sent("email", 400))))


def _ways() -> dict[str, Any]:
    """Return the ways of staff to sign in beside the mailed link."""
    found = deployment()
    return {"staff_passkeys": found.passkeys.relying_party is not None, "staff_openid": found.openid.on}


@pages.get("/sign-in/sent")
def sign_in_sent() -> Response:
    """Show what to do next: a mail is on its way, if the address is known."""
    return private("sent.html", joining=False, to=shown(query("to", 1000)))


@pages.get("/sign-in/openid")
def sign_in_openid() -> Response:
    """Send the browser to the provider at which staff sign in."""
    limits.hit("passkey", client().network)
    leaving = deployment().openid.depart(language())
    response = see_other(leaving.url)
    return security.set_binding(response, leaving.binding)


@root.get(paths.OPENID_RETURN)
def sign_in_openid_return() -> Response:
    """Take what the provider sent back, and sign in whose mailbox it vouches for."""
    limits.hit("passkey", client().network)
    given = {name: query(name, 5000) for name in ("state", "code", "iss", "error") if name in request.args}
    done = deployment().openid.arrive(given, security.binding(), replaces=security.session_secret())
    if done.session is None:
        return security.drop_binding(see_other(url_for("pages.sign_in_passkey", lang=done.language)))
    return security.drop_binding(security.sign_in(see_other(url_for("staff.queue")), done.session, done.seconds))


@pages.get("/sign-out/openid")
def sign_out_openid() -> Response:
    """After signing out here: the way to sign out at the provider too."""
    return private("signed_out_openid.html", provider=deployment().openid.sign_out_url())


@pages.get("/sign-in/passkey")
def sign_in_passkey() -> Response:
    """Show the button by which staff use their passkey."""
    party = deployment().passkeys.relying_party
    return private("sign_in_passkey.html", offered=party is not None, elsewhere=passkey_place.elsewhere())


@pages.post("/sign-in/passkey/options")
def sign_in_passkey_options() -> Response:
    """Give the browser what it needs to use a passkey; it names nobody."""
    limits.hit("passkey", client().network)
    response = make_response(deployment().passkeys.ask())
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@pages.post("/sign-in/passkey")
def sign_in_passkey_submit() -> Response:
    """Sign in whose passkey answered."""
    limits.hit("passkey", client().network)
    done = deployment().passkeys.sign_in(
        sent("credential", 20_001), language=language(), replaces=security.session_secret()
    )
    assert done.session is not None  # a passkey is enough
    return security.sign_in(see_other(url_for("staff.queue")), done.session, done.seconds)


@pages.get("/join/<secret>")
def join_confirm(secret: str) -> Response:
    """Show the page of the mail that confirms a join."""
    return _button("join", secret)


@pages.post("/join/<secret>")
def join_confirm_submit(secret: str) -> Response:
    """Confirm, decide, sign in, and show the decision."""
    return _use("join", secret)


@pages.get("/sign-in/<secret>")
def sign_in_confirm(secret: str) -> Response:
    """Show the page of the mail that signs in."""
    return _button("sign-in", secret)


@pages.post("/sign-in/<secret>")
def sign_in_confirm_submit(secret: str) -> Response:
    """Sign in."""
    return _use("sign-in", secret)


@pages.get("/member/<secret>")
def member_confirm(secret: str) -> Response:
    """Show the page of the mail that invites a colleague."""
    return _button("member", secret)


@pages.post("/member/<secret>")
def member_confirm_submit(secret: str) -> Response:
    """Accept the invitation and sign in."""
    return _use("member", secret)


@pages.get("/grant/<secret>")
def grant_confirm(secret: str) -> Response:
    """Show the page of the mail by which a participant lets a portal act."""
    return _button("grant", secret)


@pages.post("/grant/<secret>")
def grant_confirm_submit(secret: str) -> Response:
    """Let the portal act; sign nobody in."""
    return _use("grant", secret)


@pages.get("/grant/done")
def grant_done() -> Response:
    """After a portal was allowed to act."""
    return public("granted.html")


@pages.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    there = "pages.home"
    if secret := security.session_secret():
        if deployment().openid.departure_of(secret) is not None:
            there = "pages.sign_out_openid"
        deployment().participants.sign_in.sign_out(secret)
    return security.sign_out(see_other(url_for(there)))


@pages.post("/account/sessions/<session_id>/end")
def session_end(session_id: str) -> Response:
    """End one of one's own sessions."""
    session = security.require_session()
    deployment().participants.sign_in.end_session(session.email, session_id)
    return see_other(url_for("pages.account", _anchor="sessions"))


@pages.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """End every session of whoever is signed in, this one too."""
    session = security.require_session()
    deployment().participants.sign_in.sign_out_everywhere(session.email)
    return security.sign_out(see_other(url_for("pages.home")))


def _button(purpose: str, secret: str) -> Response:
    found = deployment().participants.sign_in.peek(secret)
    if found.purpose != purpose:
        raise InvalidSignIn
    title, text, words = _WORDS[purpose]
    return private(
        "mailed_link.html",
        link=found,
        title=title,
        text=text,
        words=words,
        use=use_of(query("for")),
        terms=_terms_of(found, use_of(query("for"))),
        mistakes=FormMistakes(),
    )


def _terms_of(link: PendingLink, use: Use | None) -> tuple[TermsVersion, ...]:
    """Return the terms that a person who joins for one file accepts by the same button; none for all others."""
    found = deployment()
    kind = found.campaign.eligibility.find(link.kind or "")
    if use is None or kind is None or not kind.person:
        return ()
    terms = found.catalogue.current_version(use.package).terms
    return (found.campaign.terms.current(terms, found.clock()),)


def _use(purpose: str, secret: str) -> Response:
    if deployment().participants.sign_in.peek(secret).purpose != purpose:
        raise InvalidSignIn
    done = deployment().participants.sign_in.confirm(secret, replaces=security.session_secret())
    if done.session is None:
        return see_other(url_for("pages.grant_done" if purpose == "grant" else "pages.sign_in_passkey"))
    return security.sign_in(_after(done, purpose), done.session, done.seconds)


def _after(done: Confirmed, purpose: str) -> Response:
    """Return the way on: to the file that somebody came for, where nothing stands between; else to their pages."""
    # Staff come to work: theirs is the queue, even where they have joined themselves.
    if done.role != "participant" and purpose != "join":
        return see_other(url_for("staff.queue"))
    use = use_of(query("for"))
    if use is None or done.session is None or done.participant is None:
        return see_other(url_for("pages.account"))
    g.session = deployment().participants.sign_in.session(done.session)  # this request is theirs already
    chosen = (deployment().catalogue.current_version(use.package),)
    standing = standing_of(chosen)
    if standing.state == "ready" or (standing.state == "terms" and request.form.getlist("terms")):
        return get_file(chosen, use)
    return see_other(url_for("pages.download", **then(use)) if standing.state == "terms" else url_for("pages.account"))
