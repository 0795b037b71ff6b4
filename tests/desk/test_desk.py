"""The desk itself: two people, the clock, the console's decisions that can be undone, mails, misuse and forgetting."""

from __future__ import annotations

import itertools
import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.campaign import Campaign
from service.desk import UNDO_FOR, Filter, Wish
from service.desk.forgetting import drop_reporters
from service.desk.states import CaseAction, State, allowed, follow
from service.problems import CaseDecided, CaseOpen, ChangedMeanwhile, Conflict, Forbidden, InvalidRequest, Problem
from service.storage import open_storage
from service.store import Database
from service.store.desk_tables import Case, CaseEvent, CaseWords
from service.store.tables import Participant

from ..conftest import FrozenClock
from ..participants.facts import entries, everything
from ..parts.mails import text_of
from . import drawing
from .conftest import STAFF, Office, office_of

ANNE, BEN = "staff:stf_anne", "staff:stf_ben"
WHY = "Looked at by Quillmarsh's friend."
PDF = b"%PDF-1.7\n"


# ---- two people


@pytest.fixture
def strict(database: Database, two_people: Campaign, clock: FrozenClock, tmp_path: Path) -> Office:
    return office_of(database, two_people, clock, tmp_path)


def test_two_people_approve_and_one_declines(strict: Office) -> None:
    case = strict.held()
    first = strict.desk.deciding.decide(case.id, "approved", reason=WHY, by=ANNE)
    assert (first.status, first.needs_second, strict.status(case.participant)) == ("open", True, "under_review")
    with pytest.raises(Forbidden):
        strict.desk.deciding.decide(case.id, "approved", reason=WHY, by=ANNE)
    second = strict.desk.deciding.decide(case.id, "approved", reason=WHY, by=BEN)
    assert (second.status, second.needs_second, second.decided_by) == ("decided", False, BEN)
    assert strict.status(case.participant) == "approved"
    other = strict.held()
    assert strict.desk.deciding.decide(other.id, "declined", reason=WHY, by=ANNE).status == "decided"
    assert len(entries(strict.database, "case.decided")) == 2


def test_what_the_applicant_adds_needs_both_again(strict: Office) -> None:
    case = strict.held()
    strict.desk.deciding.decide(case.id, "approved", reason=WHY, by=ANNE)
    strict.desk.conversation.answer(case.id, "One thing more.", by="portal:key_x")
    assert strict.desk.deciding.decide(case.id, "approved", reason=WHY, by=ANNE).status == "open"


def test_the_participants_own_decision_keeps_to_two_people_too(strict: Office) -> None:
    case = strict.held()
    assert case.participant
    decide = strict.desk.deciding.decide_participant
    assert decide(case.participant, "approved", reason=WHY, by=ANNE).status == "under_review"
    assert decide(case.participant, "approved", reason=WHY, by=BEN).status == "approved"


# ---- the console


def test_a_decision_of_the_console_is_in_force_after_a_while(office: Office) -> None:
    case = office.held()
    before = len(office.outbox.all())
    waits = office.desk.deciding.suspense(case.id, "approved", reason=WHY, by=ANNE)
    assert (waits.status, waits.pending and waits.pending.by) == ("open", ANNE)
    assert office.desk.deciding.settle() == 0
    assert (office.status(case.participant), len(office.outbox.all())) == ("under_review", before)
    assert entries(office.database, "case.decided") == []
    for action in (office.desk.deciding.decide, office.desk.deciding.suspense):
        with pytest.raises(ChangedMeanwhile):
            action(case.id, "declined", reason=WHY, by=BEN)
    with pytest.raises(CaseDecided):
        office.desk.conversation.answer(case.id, "x", by="portal:key_x")
    office.clock.advance(UNDO_FOR.total_seconds())
    assert office.desk.deciding.settle() == 1
    assert office.desk.deciding.settle() == 0
    assert (office.get(case.id).decided_by, office.status(case.participant)) == (ANNE, "approved")
    assert len(office.outbox.all()) == before + 1
    with pytest.raises(Conflict):
        office.desk.deciding.undo(case.id, by=ANNE)


def test_a_decision_that_is_undone_leaves_nothing_behind(office: Office) -> None:
    case = office.held()
    office.desk.conversation.write(case.id, "What for?", by=ANNE, back=True)
    mails = len(office.outbox.all())
    office.desk.deciding.suspense(case.id, "declined", reason=WHY, by=ANNE)
    undone = office.desk.deciding.undo(case.id, by=BEN)
    assert (undone.status, undone.pending, undone.outcome) == ("returned", None, None)
    office.clock.advance(60)
    assert office.desk.deciding.settle() == 0
    assert (len(office.outbox.all()), entries(office.database, "case.decided")) == (mails, [])


def test_a_console_decision_that_became_impossible_is_given_back(office: Office) -> None:
    case = office.held()
    assert case.participant
    office.desk.deciding.suspense(case.id, "approved", reason=WHY, by=ANNE)
    office.people.decisions.decide(case.participant, "suspended", reason=WHY, by=BEN)
    office.clock.advance(60)
    assert office.desk.deciding.settle() == 0
    assert (office.get(case.id).status, office.status(case.participant)) == ("open", "suspended")
    with pytest.raises(Conflict):
        office.desk.deciding.decide(case.id, "approved", reason=WHY, by=ANNE)


# ---- at once


def test_of_many_who_decide_at_once_one_is_heard(office: Office) -> None:
    case = office.held()
    mails = len(office.outbox.all())
    outcomes: list[str] = []
    ready = threading.Barrier(4)

    def decide(number: int) -> None:
        ready.wait()
        try:
            outcome = ("approved", "declined")[number % 2]
            office.desk.deciding.decide(case.id, outcome, reason=WHY, by=f"staff:stf_{number}", expected={1})
            outcomes.append(outcome)
        except ChangedMeanwhile:
            pass

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1
    assert office.status(case.participant) == outcomes[0]
    assert len(entries(office.database, "case.decided")) == 1
    assert len(office.outbox.all()) == mails + 1


# ---- requests


def test_one_case_at_a_time(office: Office) -> None:
    case = office.held()
    assert case.participant
    with pytest.raises(CaseOpen) as caught:
        office.desk.requests.ask(case.participant, "joining", by="portal:key_x")
    assert caught.value.extra == {"case": case.id}


def test_a_suspended_participant_asks_for_nothing(office: Office) -> None:
    participant = office.join(purposes=("information",))
    office.people.decisions.decide(participant, "suspended", reason=WHY, by=ANNE)
    with pytest.raises(Conflict):
        office.desk.requests.ask(participant, "change", by="page", wish=Wish(purposes=["fundraising"]))


def test_declining_an_approved_participant_declines_what_it_asks_for(office: Office) -> None:
    participant = office.join(purposes=("information",))
    case = office.desk.requests.ask(participant, "change", by="page", wish=Wish(purposes=["fundraising"]))
    office.desk.deciding.decide_participant(participant, "declined", reason=WHY, by=ANNE)
    assert (office.status(participant), office.get(case.id).outcome) == ("declined", "declined")


def test_who_waited_before_there_were_cases_gets_one(office: Office) -> None:
    held = office.held()
    with_case = held.participant

    def forget(session: Session) -> None:
        session.execute(delete(CaseEvent))
        session.execute(delete(CaseWords))
        session.execute(delete(Case))

    office.database.write(forget)
    assert (office.waiting(), office.desk.requests.adopt(), office.desk.requests.adopt()) == (0, 1, 0)
    assert office.case_of(str(with_case)).kind == "joining"


# ---- time


def test_both_sides_are_told_once_when_the_time_is_over(office: Office) -> None:
    case = office.held()
    other = office.held()
    office.desk.conversation.write(other.id, "What for?", by=ANNE, back=True)
    assert office.desk.deadlines.tell() == 0
    office.clock.now = case.due_at + timedelta(seconds=1)
    assert (office.desk.deadlines.tell(), office.desk.deadlines.tell()) == (1, 0)
    assert len(office.outbox.to(STAFF)) == 1
    assert "takes longer" in office.outbox.to("quill.1@example.org")[-1]["Subject"]
    assert office.desk.reading.counts(Filter()).overdue == 1


# ---- mails


def test_mails_are_written_in_the_language_of_the_applicant(office: Office) -> None:
    participant = office.join(language="fr")
    case = office.case_of(participant)
    office.desk.conversation.write(case.id, "Où donc ?", by=ANNE, back=True)
    office.desk.conversation.answer(case.id, "Ici.", by="page")
    office.desk.conversation.write(case.id, "Merci.", by=ANNE)
    office.desk.conversation.write(case.id, "Une note.", by=ANNE, visible=False)
    mails = office.outbox.to("quill.1@example.org")[1:]
    assert [mail["Content-Language"] for mail in mails] == ["fr", "fr"]
    assert "Où donc ?" in text_of(mails[0])
    assert "Merci." in text_of(mails[1])


def test_who_reported_misuse_hears_what_became_of_it(office: Office) -> None:
    said = {"url": "https://shop.example.org/", "description": "Mugs.", "email": "me@example.org", "language": "es"}
    case = office.desk.misuse.report(said)
    with pytest.raises(InvalidRequest):
        office.desk.conversation.write(case, "Who?", by=ANNE, back=True)
    office.desk.deciding.decide(case, "dismissed", reason="Dentro de las normas.", by=ANNE)
    received, decided = office.outbox.to("me@example.org")
    assert case in text_of(received)
    assert "Dentro de las normas." in text_of(decided)


def test_who_reported_misuse_is_forgotten_some_time_after_it_was_decided(office: Office) -> None:
    """The mailbox goes; what was reported stays, and so does the mailbox of a case that still waits."""
    said = {"url": "https://shop.example.org/", "description": "Mugs.", "email": "me@example.org", "language": "es"}
    ended, waiting = (office.desk.misuse.report(said) for _ in range(2))
    office.desk.misuse.report({"url": "https://shop.example.org/", "description": "Hats."})
    office.clock.advance(200 * 86400)
    office.desk.deciding.decide(ended, "dismissed", reason="Fine.", by=ANNE)
    at = office.clock()
    assert drop_reporters(office.database, at) == 0
    assert drop_reporters(office.database, at + timedelta(seconds=1)) == 1
    assert drop_reporters(office.database, at + timedelta(seconds=1)) == 0
    with office.database.read() as session:
        kept = session.get_one(Case, ended).report
        left = session.get_one(Case, waiting).report
    assert kept == {"url": said["url"], "email": None, "language": "es", "source": "page"}
    assert left == {**kept, "email": "me@example.org"}


def test_what_the_service_noticed_is_one_case(office: Office) -> None:
    participant = office.join(purposes=("information",))
    suspect = office.desk.misuse.suspect
    first = suspect("https://x.example.org", "Seen.", participant=participant, source="alert")
    assert first is not None
    assert suspect("https://x.example.org", "Again.", participant=participant, source="alert") is None
    office.desk.deciding.decide(first, "dismissed", reason=WHY, by=ANNE)
    assert suspect("https://x.example.org", "Again.", participant=participant, source="alert") is None
    office.clock.advance(91 * 86400)
    assert suspect("https://x.example.org", "Again.", participant=participant, source="alert") is not None


def test_an_answer_to_a_letter_is_soon_due_for_staff(office: Office) -> None:
    participant = office.join(purposes=("information",))
    case = office.desk.misuse.report({"url": "https://shop.example.org/", "description": "Mugs."})
    office.desk.misuse.name(case, participant, by=ANNE)
    office.desk.misuse.write(case, "Yours?", days=20, by=ANNE)
    address = text_of(office.outbox.to("quill.1@example.org")[-1])
    token = re.findall(r"/letter/(\S+)", address)[0]
    late = office.get(case).due_at
    assert office.desk.replies.read(token).until == late
    office.desk.replies.answer(token, "No.")
    assert office.get(case).due_at < late
    assert office.desk.replies.read(token).until == late
    office.clock.advance(30 * 86400)
    office.desk.replies.answer(token, "Still not.")
    assert not office.get(case).is_overdue(office.clock())
    for _ in range(18):
        office.desk.replies.answer(token, "No.")
    with pytest.raises(InvalidRequest):
        office.desk.replies.answer(token, "No.")
    office.desk.deciding.suspense(case, "dismissed", reason=WHY, by=ANNE)
    with pytest.raises(CaseDecided):
        office.desk.replies.answer(token, "No.")


def test_a_suspension_is_lifted_by_people_alone(office: Office) -> None:
    participant = office.join(purposes=("information",))
    office.people.decisions.decide(participant, "suspended", reason=WHY, by=ANNE)
    asked = office.desk.requests.ask(participant, "joining", by="page", message="Why?")
    assert asked.status == "open"
    with pytest.raises(Problem):
        office.desk.requests.ask(participant, "change", by="page")
    office.desk.deciding.decide(asked.id, "declined", reason=WHY, by=ANNE)
    assert office.status(participant) == "suspended"
    again = office.desk.requests.ask(participant, "joining", by="page")
    office.desk.deciding.decide_participant(participant, "approved", reason=WHY, by=ANNE)
    assert office.status(participant) == office.get(again.id).outcome == "approved"


def test_cases_are_found_by_what_was_written_and_whom_they_are_about(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = office.held()
    report = office.desk.misuse.report({"url": "https://shop.example.org/", "description": "Mugs of Åsgård."})
    office.desk.conversation.write(case.id, "Ask Quentin's friend.", by=ANNE, visible=False)

    def found(q: str, **who: str) -> list[str]:
        return [one.id for one in office.desk.reading.list(Filter(q=q, **who)).items]

    for _ in range(2):
        assert found("quillmarsh") == found("quentin") == found(case.id.lower()) == [case.id]
        assert found("shop.example") == found("asgard mugs") == [report]
        assert sorted(found("example.org")) == sorted([case.id, report])
        assert found("nowhere") == found("quentin", applicant=str(case.participant)) == []
        assert found("quillmarsh", applicant=str(case.participant)) == [case.id]
        monkeypatch.setattr("service.store.word_search.FEW", 0)  # as where many hold it
    office.erasure.erase(str(case.participant), reason="Asked for.", by=ANNE)
    assert found("quentin") == []
    assert found(case.id) == [case.id]


def test_a_list_by_kind_or_country_is_the_same_where_many_are_meant(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    austrian, kenyan = (office.case_of(office.join(country=country)) for country in ("AT", "KE"))

    def found(**wanted: str) -> list[str]:
        return [one.id for one in office.desk.reading.list(Filter(**wanted)).items]

    for _ in range(2):
        assert (found(country="AT"), found(country="KE"), found(country="FR")) == ([austrian.id], [kenyan.id], [])
        assert set(found(participant_kind="civil_society")) == {austrian.id, kenyan.id}
        assert found(participant_kind="individual", country="AT") == []
        monkeypatch.setattr("service.desk.reading.FEW", 0)  # as where many are meant


def test_colleagues_share_a_domain_that_is_not_a_providers(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case, colleague = office.held(), office.held()
    office.join(email="quill@example.org.example")
    assert [one.id for one in office.desk.reading.related(case)] == [colleague.id]
    monkeypatch.setattr("service.store.word_search.FEW", 1)  # two share it
    assert office.desk.reading.related(case) == ()


# ---- forgetting


def test_nothing_that_was_written_is_left_of_an_erased_participant(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.verdicts.Verdicts.available", lambda _: False)
    case = office.held()
    assert case.participant
    added = office.desk.files.add(case.id, PDF, "Secretplan.pdf", by="page", staff=False, language="en")
    office.desk.conversation.write(case.id, "Secretnote", by=ANNE, visible=False)
    office.desk.conversation.answer(case.id, "Secretanswer", by="page", files=[added.id])
    office.desk.deciding.suspense(case.id, "declined", reason="Secretreason", by=ANNE)
    office.erasure.erase(case.participant, reason="Asked for.", by=ANNE)
    assert "Secret" not in everything(office.database)
    assert office.desk.files.drop() == 1
    assert list(open_storage((tmp_path / "storage").as_uri()).list("cases/")) == []
    office.clock.advance(60)
    assert office.desk.deciding.settle() == 0
    assert office.get(case.id).status == "closed"


# ---- the state machine


def test_what_has_ended_takes_notes_alone() -> None:
    for state in (State.DECIDED, State.CLOSED):
        assert allowed(state) == {CaseAction.NOTE}
        for action in set(CaseAction) - {CaseAction.NOTE, CaseAction.OPEN}:
            with pytest.raises(Problem):
                follow(state, action)


def test_the_drawing_is_as_the_code_makes_it() -> None:
    page = drawing.PAGE.read_text(encoding="utf-8")
    assert page == drawing.drawn(page), "run `python -m tests.reference`"
    assert all(state.value in drawing.drawing() for state in State)
    assert all(action.value in drawing.drawing() for action in CaseAction)


def test_lists_by_several_filters_are_what_reading_every_case_finds(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By purpose, country and kind together, with few and with many of each, page by page, and after changes."""
    for purposes, where in ((("fundraising",), "AT"), (("fundraising", "commercial"), "KE"), (("commercial",), "AT")):
        office.join(purposes=purposes, country=where)
    asked = office.case_of(office.join(purposes=("fundraising",), country="KE"))
    office.desk.conversation.write(asked.id, "For what?", by=ANNE, back=True)
    office.clock.advance(30 * 86400)  # what is answered is due later than all others
    office.desk.conversation.answer(asked.id, "To sell.", wish=Wish(purposes=["commercial"]), by="portal:key_x")
    first = office.case_of(office.join(purposes=("fundraising",)))
    office.desk.deciding.decide(first.id, "approved", reason=WHY, by=ANNE)
    report = office.desk.misuse.suspect("https://shop.example/", "Mugs.", participant=first.participant, source="test")
    with office.database.read() as session:
        rows = [(case, session.get(Participant, case.participant)) for case in session.scalars(select(Case))]
    assert report
    rows.sort(key=lambda row: (row[0].due_at, row[0].id))

    def found(wanted: Filter) -> list[str]:
        cursor: str | None = None
        ids: list[str] = []
        while True:
            page = office.desk.reading.list(wanted, cursor=cursor, limit=2)
            ids += [one.id for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return ids

    for few in (500, 1):
        monkeypatch.setattr("service.desk.reading.FEW", few)
        for purpose, country, kind, status in itertools.product(
            (None, "fundraising", "commercial"), (None, "AT", "KE"), (None, "joining", "misuse"), (None, "decided")
        ):
            wanted = Filter(purpose=purpose, country=country, kind=kind, status=status)
            right = [
                case.id
                for case, person in rows
                if purpose in (None, *case.purposes)
                and (country is None or (person is not None and person.country == country))
                and kind in (None, case.kind)
                and status in (None, case.status)
            ]
            assert found(wanted) == right, wanted
            waiting = [case for case, _ in rows if case.id in right and case.status == "open"]
            assert status or office.desk.reading.counts(wanted).open == len(waiting), wanted
