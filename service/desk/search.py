"""Finding cases by their id, by what a report of misuse says, by their messages, and by whom they are about."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import Session

from ..participants.search import WORDS as PEOPLE
from ..store.desk_tables import Case, CaseMessage, CaseWords
from ..store.word_search import FEW, WordTable, folded

WORDS = WordTable(CaseWords.case, CaseWords.words, CaseWords.number, "case_words_index")


def finds(session: Session, query: str) -> ColumnElement[bool]:
    """Return the condition for cases that staff find: every word stands in the case, or in whom it is about."""
    cases, people = WORDS.few(session, query), PEOPLE.few(session, query)
    if cases is not None and people is not None:
        theirs = select(Case.id).where(Case.participant.in_(people)).limit(FEW + 1)
        cases += session.scalars(theirs)
        if len(cases) <= 2 * FEW:
            return Case.id.in_(cases)
    return or_(WORDS.holds(Case.id, query), PEOPLE.holds(Case.participant, query))


def finds_own(query: str) -> ColumnElement[bool]:
    """Return the condition for cases that an applicant, or its portal, finds: without what is staff's alone.

    It is asked case by case, of which they have few.
    """
    wanted = query.lower()
    said = func.lower(CaseMessage.text).contains(wanted, autoescape=True)
    texts = exists().where(CaseMessage.case == Case.id, CaseMessage.visible, said)
    return or_(func.lower(Case.id).contains(wanted, autoescape=True), texts, PEOPLE.holds(Case.participant, query))


def remember(session: Session, case: Case) -> None:
    """Write down what a new case is found by."""
    report = case.report or {}
    said = (case.id, report.get("url"), report.get("email"))
    session.add(CaseWords(case=case.id, words="\n".join(folded(value) for value in said if value)))


def add(session: Session, case: str, text: str) -> None:
    """Let a case be found by one text more, under the lock of its row."""
    session.flush()  # of a case that was opened a moment ago
    row = session.scalar(select(CaseWords).where(CaseWords.case == case))
    if row is None:
        session.add(CaseWords(case=case, words=folded(f"{case}\n{text}")))
    else:
        row.words = f"{row.words}\n{folded(text)}"


def forget(session: Session, cases: list[str]) -> None:
    """Let cases be found by their ids alone, and by nothing that anybody wrote."""
    session.execute(update(CaseWords).where(CaseWords.case.in_(cases)).values(words=func.lower(CaseWords.case)))
