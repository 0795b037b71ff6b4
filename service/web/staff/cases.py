"""The desk's console: the queue, a case with everything needed to decide it, and what staff do with it.

A decision here can be undone for 30 seconds, and the next case opens at once. Everything works without a script.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import Response, request, url_for
from markupsafe import Markup

from ...campaign.text import msgid
from ...campaign.typed_text import LONGEST_TEXT
from ...desk import MISUSE_OUTCOMES, MOST_BYTES, OUTCOMES, STATUSES, UNDO_FOR, CaseView, Filter
from ...desk.reading import Counts
from ...desk.replies import letter_until
from ...participants import ParticipantView, StaffMemberView
from ...problems import CaseDecided, ChangedMeanwhile, Conflict, Forbidden, InvalidRequest, NotFound, Problem
from ..case_files import file_response
from ..context import actor, deployment
from ..i18n import language, translate, translate_error
from ..pages.blueprint import query
from ..pages.check import VERDICT_WORDS
from ..pages.forms import FormMistakes, required, sent
from ..pages.render import private, see_other
from ..security import current_session
from ..uploads import content, said_of_file, takes_file
from .blueprint import PAGE, acted, staff
from .participants import shown_application

_MOST_AT_ONCE = 100  # cases that are decided with one reason
_SUGGESTED = 6  # participants that a search in a case names at most
_FILTERS = ("kind", "participant_kind", "country", "purpose", "q")
_ALL = "all"  # in place of a team: the cases of all of them
#: What happened to a case, in words.
EVENT_WORDS = {
    "opened": msgid("opened"),
    "note": msgid("wrote"),
    "returned": msgid("asked the applicant"),
    "answered": msgid("answered"),
    "file": msgid("added a file"),
    "assigned": msgid("assigned it"),
    "named": msgid("said whose use it is"),
    "letter": msgid("wrote to the participant"),
    "replied": msgid("answered the letter"),
    "first_approval": msgid("approved first"),
    "decided": msgid("decided"),
    "deciding": msgid("decided, can be undone"),
    "undone": msgid("undid the decision"),
    "withdrawn": msgid("withdrew it"),
    "closed": msgid("closed it"),
}
_REASON = msgid("Write the reason; the participant is told.")


@staff.get("")
def queue() -> Response:
    """Show what waits, the soonest due first; filters stay in the address."""
    return _queue(FormMistakes())


@staff.post("/cases")
def decide_many() -> Response:
    """Decide every case that is ticked, with one reason; each can be undone on its page for 30 seconds."""
    mistakes, outcome = FormMistakes(), sent("outcome")
    reason = required(mistakes, "reason", _REASON, LONGEST_TEXT, lines=True)
    cases = request.form.getlist("case")[:_MOST_AT_ONCE]
    if not cases:
        mistakes.add("case", translate(msgid("Tick at least one case.")))
    if outcome not in OUTCOMES:
        mistakes.add("outcome", translate(msgid("Choose one.")))
    if mistakes:
        return _queue(mistakes, 422)
    late = 0
    for case in cases:
        version = sent(f"version-{case}")
        try:
            deployment().desk.deciding.suspense(
                case, outcome, reason=reason, by=actor(), expected={int(version) if version.isdigit() else -1}
            )
        except (ChangedMeanwhile, Conflict, Forbidden, InvalidRequest, NotFound):
            late += 1
    return see_other(url_for("staff.queue", many=len(cases) - late, late=late or None, **_kept(_chosen()[0])))


@staff.post("/undo")
def undo_many() -> Response:
    """Take back one's own decisions that are named, those of them that still can be."""
    mine = {one.id for one in deployment().desk.reading.undoable(actor())}
    back = 0
    for case in mine.intersection(request.form.getlist("case")):
        try:
            deployment().desk.deciding.undo(case, by=actor())
        except (Conflict, NotFound):
            continue
        back += 1
    return see_other(url_for("staff.queue", back=back, **_kept(_chosen()[0])))


@staff.post("/digests")
def digests() -> Response:
    """Be mailed who waits, or no more."""
    session = current_session()
    if session is not None and session.staff:
        deployment().participants.staff.digests(session.staff, wanted=sent("wanted") == "yes")
    return see_other(url_for("staff.queue"))


@staff.get("/cases/<case>")
def case(case: str) -> Response:
    """Show one case: what is asked for, what is known, what was said, and the forms to decide or to ask."""
    return _case(case, FormMistakes())


@staff.post("/cases/<case>/decision")
def case_decide(case: str) -> Response:
    """Decide as it was read, with 30 seconds to undo it; the next case opens."""
    mistakes = FormMistakes()
    reason = required(mistakes, "reason", _REASON, LONGEST_TEXT, lines=True)
    version = sent("version")
    if mistakes:
        return _case(case, mistakes, 422)
    if sent("preview") in OUTCOMES + MISUSE_OUTCOMES:
        return _case(case, mistakes, preview=(sent("preview"), reason))
    purposes = request.form.getlist("purposes")[:20] if sent("narrows") and sent("outcome") == "approved" else None
    if purposes == []:
        mistakes.add("purposes", translate(msgid("Tick at least one purpose, or decline.")))
        return _case(case, mistakes, 422)
    try:
        asked = deployment().desk.reading.get(case, staff=True).purposes
        deployment().desk.deciding.suspense(
            case,
            sent("outcome"),
            reason=reason,
            by=actor(),
            purposes=None if purposes is None or set(purposes) == set(asked) else purposes,
            expected={int(version)} if version.isdigit() else None,
        )
    except ChangedMeanwhile:
        return _case(case, mistakes, 412, since=int(version) if version.isdigit() else 0)
    except (Conflict, Forbidden, InvalidRequest) as problem:
        mistakes.add("", _said(problem))
        return _case(case, mistakes, problem.status)
    given, chosen = _chosen()
    before, after = deployment().desk.reading.beside(case, chosen)
    following = after or before  # at the end of the queue what was passed over comes again
    if following is None:
        return see_other(url_for("staff.queue", decided=case, **_kept(given)))
    return see_other(url_for("staff.case", case=following, decided=case, **_kept(given)))


@staff.post("/cases/<case>/undo")
def case_undo(case: str) -> Response:
    """Take a decision back while it can be."""
    try:
        deployment().desk.deciding.undo(case, by=actor())
    except Conflict as problem:
        mistakes = FormMistakes()
        mistakes.add("", translate(msgid("It is in force already, so it cannot be undone any more.")))
        return _case(case, mistakes, problem.status)
    return see_other(url_for("staff.case", case=case, **_kept(_chosen()[0])))


@staff.post("/cases/<case>/messages")
def case_write(case: str) -> Response:
    """Ask the applicant, which returns the case, or keep a note for staff."""
    mistakes, back = FormMistakes(), sent("to") == "applicant"
    name = "question" if back else "note"
    text = required(mistakes, name, msgid("Write something here."), LONGEST_TEXT, lines=True)
    if not mistakes and back and sent("preview"):
        return _case(case, mistakes, preview=("return", text))
    seen = sent("version")
    if not mistakes:
        expected = {int(seen)} if back and seen.isdigit() else None
        try:
            deployment().desk.conversation.write(case, text, by=actor(), visible=back, back=back, expected=expected)
        except ChangedMeanwhile:
            return _case(case, mistakes, 412, since=int(seen))
        except (CaseDecided, InvalidRequest) as problem:
            mistakes.add(name, _said(problem))
    if mistakes:
        return _case(case, mistakes, 422)
    return see_other(url_for("staff.case", case=case, **_kept(_chosen()[0])))


@staff.post("/cases/<case>/assignment")
def case_assign(case: str) -> Response:
    """Take the case, give it to somebody else of the staff, or give it back."""
    session = current_session()
    to: str | None = sent("to")
    if to == "me":
        to = session.staff if session is not None else None
    elif to == "nobody":
        to = None
    else:
        to = deployment().participants.staff.get(sent("assignee")).id
    seen = sent("version")
    try:
        deployment().desk.conversation.assign(case, to, by=actor(), expected={int(seen)} if seen.isdigit() else None)
    except ChangedMeanwhile:
        return _case(case, FormMistakes(), 412, since=int(seen))
    except CaseDecided as problem:
        mistakes = FormMistakes()
        mistakes.add("", _said(problem))
        return _case(case, mistakes, problem.status)
    return see_other(url_for("staff.case", case=case, **_kept(_chosen()[0])))


@staff.post("/cases/<case>/participant")
def case_name(case: str) -> Response:
    """Say whose use of the logo a report of misuse tells of: by id, or by what only one participant is found by."""
    mistakes, wanted = FormMistakes(), sent("participant")
    found = _found(wanted)
    if len(found) > 1:
        mistakes.add("participant", translate(msgid("Several participants are found by this. Choose one.")))
        return _case(case, mistakes, 422, found=found)
    if wanted and not found:
        mistakes.add("participant", translate(msgid("No participant is found by this.")))
        return _case(case, mistakes, 422)
    try:
        deployment().desk.misuse.name(case, found[0].id if found else None, by=actor())
    except (CaseDecided, InvalidRequest) as problem:
        mistakes.add("participant", _said(problem))
        return _case(case, mistakes, 422)
    return see_other(url_for("staff.case", case=case, **_kept(_chosen()[0])))


@staff.post("/cases/<case>/letter")
def case_letter(case: str) -> Response:
    """Write to the participant of a report of misuse, with a day until which it is to be put right."""
    mistakes, days = FormMistakes(), sent("days")
    text = required(mistakes, "letter", msgid("Write something here."), LONGEST_TEXT, lines=True)
    if not mistakes:
        try:
            number = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else None
            deployment().desk.misuse.write(case, text, days=number, by=actor())
        except InvalidRequest as problem:
            for error in problem.errors:
                mistakes.add("days" if error.pointer == "/days" else "letter", translate_error(error))
        except CaseDecided as problem:
            mistakes.add("letter", _said(problem))
    if mistakes:
        return _case(case, mistakes, 422)
    return see_other(url_for("staff.case", case=case, **_kept(_chosen()[0])))


@staff.post("/cases/<case>/files")
@takes_file(MOST_BYTES)
def case_add_file(case: str) -> Response:
    """Add a file, which is for staff until a message names it."""
    mistakes, file = FormMistakes(), request.files.get("file")
    if file is None or not file.filename:
        mistakes.add("file", translate(msgid("Choose a picture or a PDF.")))
        return _case(case, mistakes, 422)
    try:
        deployment().desk.files.add(
            case, content(file, MOST_BYTES), file.filename, by=actor(), staff=True, language=language()
        )
    except NotFound:
        raise
    except Problem as problem:
        mistakes.add("file", _said(problem) if isinstance(problem, CaseDecided) else said_of_file(problem, MOST_BYTES))
        return _case(case, mistakes, problem.status)
    return see_other(url_for("staff.case", case=case, _anchor="files", **_kept(_chosen()[0])))


@staff.get("/cases/<case>/files/<file>")
def case_file(case: str, file: str) -> Response:
    """Give a file of a case, to download."""
    _require_staff()
    return file_response(deployment().desk.files.get(case, file, staff=True))


def _found(words: str) -> tuple[ParticipantView, ...]:
    """Return a few participants that an id, or parts of a name, an address or a site find."""
    if not words:
        return ()
    listing = deployment().participants.listing
    return tuple(listing.several([words]).values()) or listing.list(q=words, limit=_SUGGESTED).items


def _suggested(seen: CaseView) -> tuple[ParticipantView, ...]:
    """Return whom a report of misuse may be about: who is found by the host that it names."""
    if seen.kind != "misuse" or seen.participant or seen.status != "open":
        return ()
    host = (urlsplit((seen.report or {}).get("url", "")).hostname or "").removeprefix("www.")
    return _found(host)


def _said(problem: Problem) -> Markup:
    """Return what a problem says, with the name of whoever was quicker."""
    if "by" not in problem.values:
        return translate_error(problem)
    return translate(problem.template, **{**problem.values, "by": acted(str(problem.values["by"]))})


def _require_staff() -> None:
    session = current_session()
    if session is None or session.role != "staff":
        raise Forbidden("Cases are for the campaign's staff alone.")


def _chosen() -> tuple[dict[str, str], Filter]:
    """Return what the address filters by, without what no case can have."""
    campaign = deployment().campaign
    known = {
        "kind": ("joining", "change", "renewal", "misuse"),
        "participant_kind": [kind.id for kind in campaign.eligibility.kinds],
        "purpose": list(campaign.eligibility.purposes),
    }
    given = {name: query(name) for name in _FILTERS}
    for name, options in known.items():
        if given[name] not in options:
            given[name] = ""
    status = query("status")
    given["status"] = status if status in STATUSES else "open"
    session = current_session()
    given["mine"] = "yes" if query("mine") == "yes" else ""
    mine = session.staff if session is not None and given["mine"] else None
    narrowed = {name: value for name, value in given.items() if value and name != "mine"}
    team = query("team")
    known_team = team if team in {one.id for one in campaign.desk.teams} else None
    own = session.staff if session is not None and known_team is None and team != _ALL else None
    given["team"] = known_team or (_ALL if team == _ALL else "")
    return given, Filter(assignee=mine, team=known_team, within=own, **narrowed)


def _kept(given: dict[str, str]) -> dict[str, Any]:
    """Return what keeps the place in the queue in the addresses of cases: the filters that are chosen."""
    return {name: value for name, value in given.items() if value and (name, value) != ("status", "open")}


def _queue(mistakes: FormMistakes, status: int = 200) -> Response:
    found = deployment()
    given, chosen = _chosen()
    session = current_session()
    if session is None or session.role != "staff":  # auditors see how much waits, and nothing of it
        return private("staff/queue_counts.html", status, counts=found.desk.reading.counts(Filter()))
    page = found.desk.reading.list(chosen, cursor=query("cursor") or None, limit=PAGE, brief=True)
    ids = {one.participant for one in page.items if one.participant}
    undoable = found.desk.reading.undoable(actor())
    people = found.participants.listing.several(ids | {one.participant for one in undoable if one.participant})
    counts: Counts = found.desk.reading.counts(Filter(team=chosen.team, within=chosen.within))
    return private(
        "staff/queue.html",
        status,
        page=page,
        kept=_kept(given),
        people=people,
        given=given,
        counts=counts,
        now=found.clock(),
        statuses=STATUSES,
        mistakes=mistakes,
        values=request.form,
        undoable=undoable,
        many=query("many"),
        back=query("back"),
        late=query("late"),
        seconds=int(UNDO_FOR.total_seconds()),
        digest=session.staff is not None and found.participants.staff.get(session.staff).digest,
    )


def _recent(case: str) -> CaseView | None:
    """The case that was decided a moment ago, while that can be undone."""
    if not case:
        return None
    try:
        found = deployment().desk.reading.get(case, staff=True)
    except NotFound:
        return None
    return found if found.pending is not None else None


def _case(
    case: str,
    mistakes: FormMistakes,
    status: int = 200,
    *,
    since: int | None = None,
    preview: tuple[str, str] | None = None,
    found: Sequence[ParticipantView] = (),
) -> Response:
    """Show a case: with what happened ``since`` a version, or with the mail that an outcome and a text would send."""
    _require_staff()
    parts = deployment()
    reading = parts.desk.reading
    seen = reading.get(case, staff=True)
    decided, related = _recent(query("decided")), reading.related(seen)
    listing = parts.participants.listing
    person = listing.get(seen.participant) if seen.participant else None
    others = [one.participant for one in (*related, *((decided,) if decided else ())) if one.participant]
    given, chosen = _chosen()
    before, after = reading.beside(case, chosen)
    session = current_session()
    return private(
        "staff/case.html",
        status,
        case=seen,
        person=person,
        application=shown_application(person) if person is not None else None,
        asked=[] if person is None else _asked(seen, person),
        related=related,
        people=listing.several(others),
        purposes=[parts.campaign.eligibility.purposes[one] for one in seen.purposes if _narrows(seen)],
        found=found or _suggested(seen),
        checks={one.id: one.artwork_check for one in seen.files},
        verdict_words=VERDICT_WORDS,
        event_words=EVENT_WORDS,
        letter_until=letter_until(seen),
        meanwhile=[] if since is None else reading.events(case, since),
        before=before,
        after=after,
        mine=session.staff if session is not None else None,
        kept=_kept(given),
        teams=[team for team in parts.campaign.desk.teams if team.id in seen.teams],
        colleagues=_colleagues(seen),
        decided=decided,
        seconds=int(UNDO_FOR.total_seconds()),
        mistakes=mistakes,
        values=request.form,
        previewed=preview[0] if preview else "",
        letter=parts.desk.deciding.preview(seen, _reader(seen, person), *preview) if preview else None,
        answers=_answers(seen, person),
        now=parts.clock(),
    )


def _narrows(seen: CaseView) -> bool:
    """Tell whether an approval may be for some of the purposes alone."""
    known = deployment().campaign.eligibility.purposes
    return seen.kind != "misuse" and not seen.lifts and len(seen.purposes) > 1 and known.keys() >= set(seen.purposes)


def _colleagues(seen: CaseView) -> list[tuple[StaffMemberView, bool]]:
    """Everybody to whom a case can be given, with whether it is one of their teams' cases; those first."""
    theirs = [(one, bool(set(one.teams) & set(seen.teams))) for one in deployment().participants.staff.list()]
    return sorted(theirs, key=lambda found: (not found[1], found[0].label.casefold()))


def _asked(seen: CaseView, person: ParticipantView) -> list[dict[str, Any]]:
    """The changes that are asked for, with the question of each in words."""
    campaign = deployment().campaign
    labels = {f"answers.{field.name}": field.label for field in campaign.eligibility.kind(person.kind).fields}
    purposes = campaign.eligibility.purposes

    def words(name: str, value: Any) -> Any:
        if name != "purposes":
            return [value]
        return [purposes[one].label if one in purposes else one for one in value or ()]

    return [
        {
            "label": labels.get(change.name),
            "name": change.name,
            "before": words(change.name, change.before),
            "after": words(change.name, change.after),
        }
        for change in seen.changes
    ]


def _reader(seen: CaseView, person: ParticipantView | None) -> str:
    """The language of whoever is told: of a report of misuse who reported it."""
    if seen.kind == "misuse" or person is None:
        return str((seen.report or {}).get("language") or "en")
    return person.language


def _answers(seen: CaseView, person: ParticipantView | None) -> dict[str, Any]:
    """The answers that staff often give, in the reader's language, by what they are used for; the chosen one first."""
    reader = _reader(seen, person)
    wanted = query("answer")
    uses = MISUSE_OUTCOMES if seen.kind == "misuse" else (*OUTCOMES, "return")
    made: dict[str, Any] = {}
    for use in uses:
        templates = deployment().campaign.desk.templates(use)
        chosen = next((one for one in templates if one.id == wanted), templates[0] if templates else None)
        text = ""
        if chosen is not None and (use != "return" or chosen.id == wanted):
            text = chosen.text.get(reader)
        made[use] = {"templates": templates, "text": text, "language": reader}
    return made
