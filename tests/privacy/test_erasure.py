"""Erasure: what is known of a person goes, figures and the log stay."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from service import ledger
from service.answers.participants import ParticipantAnswer
from service.campaign import Campaign
from service.participants import Participants, Signatory
from service.participants.views import accepted_record, joined_record
from service.privacy import Erasure
from service.problems import AlreadyJoined, InvalidRequest, InvalidSignIn, NotFound
from service.store import Database, tables

from ..conftest import FrozenClock
from ..participants.conftest import Make, Outbox
from ..participants.facts import entries, everything
from .conftest import PERSONAL


def test_no_personal_value_is_left_in_any_table(
    erasure: Erasure, people: Participants, whole: str, database: Database
) -> None:
    before = everything(database)
    assert [value for value in PERSONAL if value not in before] == []
    erasure.erase(whole, reason="Asked for.", by="staff:key_x")
    after = everything(database)
    assert [value for value in PERSONAL if value in after] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_personal_value_is_left_in_the_database_files(
    erasure: Erasure, people: Participants, whole: str, tmp_path: Path
) -> None:
    def left() -> list[str]:
        content = b"".join(path.read_bytes() for path in tmp_path.glob("emblem.sqlite3*"))
        return [value for value in PERSONAL if value.encode() in content]

    assert left() == list(PERSONAL)
    erasure.erase(whole, reason="Asked for.", by="staff")
    assert left() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_long_reader_does_not_hold_an_erasure_up(
    erasure: Erasure, people: Participants, whole: str, database: Database
) -> None:
    with database.read() as session:
        session.execute(select(tables.Participant)).all()
        began = time.monotonic()
        erasure.erase(whole, reason="Asked for.", by="staff")
        assert time.monotonic() - began < 5
    assert people.listing.get(whole).status == "erased"


def test_the_answer_says_what_was_removed(erasure: Erasure, people: Participants, whole: str, outbox: Outbox) -> None:
    mails = len(outbox.to("quill.erased@example.org"))
    assert mails >= 4
    removed = erasure.erase(whole, reason="Asked for.", by="staff:key_x")
    assert removed == {
        "links": 1,
        "embeds": 1,
        "keys": 1,
        "sessions": 1,
        "members": 1,
        "mailed_links": 2,
        "acceptances": 1,
        "downloads": 1,
        "artwork_checks": 0,
        "certificates": 0,
        "cases": 0,
        "answers": 3,
        "mails": mails,
    }
    assert outbox.to("quill.erased@example.org") == []
    assert set(erasure.erase(whole, reason="Asked for.", by="staff:key_x").values()) == {0}


def test_each_end_is_an_entry_and_figures_stay(
    erasure: Erasure, people: Participants, whole: str, database: Database
) -> None:
    erasure.erase(whole, reason="Asked for.", by="staff:key_x")
    assert [entry["id"] for entry in entries(database, "link.revoked")] == ["lnk_0"]
    assert [entry["embed"] for entry in entries(database, "embed.revoked")] == ["ebd_0"]
    assert len(entries(database, "key.revoked")) == 1
    (entry,) = entries(database, "participant.erased")
    assert (entry["participant"], entry["by"]) == (whole, "staff:key_x")
    with database.read() as session:
        download = session.get(tables.Download, "dl_0")
        assert download is not None
        assert (download.counted, download.bytes, download.participant) == (True, 1000, whole)
        assert all(link.revoked_at for link in session.scalars(select(tables.Link)))
        assert all(embed.revoked_at for embed in session.scalars(select(tables.Embed)))


def test_what_is_seen_afterwards(erasure: Erasure, people: Participants, whole: str) -> None:
    """ "GET answers 200 with status: "erased" and no name"."""
    erasure.erase(whole, reason="Asked for.", by="staff")
    for role in ("staff", "portal", "auditor"):
        value = ParticipantAnswer.of(people.listing.get(whole), role).as_json()
        assert value["status"] == "erased"
        assert not {"name", "email", "website", "answers", "suspension"} & set(value)
        assert (value["kind"], value["country"]) == ("civil_society", "AT")


def test_commitments_cannot_be_computed_again(
    erasure: Erasure, people: Participants, whole: str, database: Database, campaign: Campaign
) -> None:
    """ "erasing the salt erases them": not even whoever knows the record can show that the log holds it."""
    with database.read() as session:
        person = session.get(tables.Participant, whole)
        signed = session.scalars(select(tables.Acceptance)).one()
        assert person is not None
        assert person.salt is not None
        assert signed.salt is not None
        records = joined_record(person), accepted_record(signed)
        made = [ledger.commitment(salt, record) for salt, record in zip((person.salt, signed.salt), records)]  # noqa: B905
        salts = [person.salt.hex(), signed.salt.hex()]
    recorded = [entries(database, kind)[0]["commitment"] for kind in ("participant.joined", "terms.accepted")]
    assert made == recorded
    erasure.erase(whole, reason="Asked for.", by="staff")
    with database.read() as session:
        person = session.get(tables.Participant, whole)
        signed = session.scalars(select(tables.Acceptance)).one()
        assert person is not None
        assert (person.salt, signed.salt) == (None, None)
    left = everything(database)
    assert [salt for salt in salts if salt in left] == []
    assert all(commitment in left for commitment in recorded)


def test_keys_sessions_and_mailed_links_end(
    erasure: Erasure, people: Participants, application: Make, portal: str, outbox: Outbox
) -> None:
    joined = people.joining.join(application(), via=portal)
    email = str(joined.email)
    _, key = people.api_keys.create("partner", participant=joined.id, by="staff")
    assert people.api_keys.authenticate(key)
    people.sign_in.request_link(email)
    session = str(people.sign_in.confirm(outbox.secret(email, "sign-in")).session)
    people.sign_in.request_link(email)
    secret = outbox.secret(email, "sign-in")
    erasure.erase(joined.id, reason="Asked for.", by="staff")
    assert people.api_keys.authenticate(key) is None
    assert people.sign_in.session(session) is None
    with pytest.raises(InvalidSignIn):
        people.sign_in.confirm(secret)


def test_the_address_may_join_anew(erasure: Erasure, people: Participants, application: Make, portal: str) -> None:
    given = application()
    first = people.joining.join(given, via=portal)
    erasure.erase(first.id, reason="Asked for.", by="staff")
    second = people.joining.join(given, via=portal)
    assert second.id != first.id
    with pytest.raises(AlreadyJoined):
        people.joining.join(given, via=portal)


def test_a_reason_is_kept_unless_it_repeats_what_is_erased(
    erasure: Erasure, people: Participants, application: Make, portal: str
) -> None:
    kept, dropped = (people.joining.join(application(), via=portal) for _ in range(2))
    erasure.erase(kept.id, reason="Asked for by mail.", by="staff")
    erasure.erase(dropped.id, reason=f"Asked for by {str(dropped.name).upper()}.", by="staff")
    assert people.decisions.of(kept.id)[0].reasons == ("Asked for by mail.",)
    assert people.decisions.of(dropped.id)[0].reasons == ()


def test_a_reason_of_a_rule_stays(erasure: Erasure, people: Participants, application: Make, portal: str) -> None:
    joined = people.joining.join(application("intergovernmental_organization"), via=portal)
    erasure.erase(joined.id, reason="Asked for.", by="staff")
    assert people.listing.get(joined.id).reasons == joined.reasons
    assert [found.outcome for found in people.decisions.of(joined.id)] == ["erased", "review"]


def test_others_keep_everything(
    erasure: Erasure, people: Participants, application: Make, portal: str, outbox: Outbox
) -> None:
    gone, other = (people.joining.join(application(), via=portal) for _ in range(2))
    erasure.erase(gone.id, reason="Asked for.", by="staff")
    assert people.listing.get(other.id) == other
    assert len(outbox.to(str(other.email))) == 1


def test_bad_erasures(erasure: Erasure, people: Participants, whole: str) -> None:
    with pytest.raises(NotFound):
        erasure.erase("par_nobody", reason="Asked for.", by="staff")
    with pytest.raises(InvalidRequest):
        erasure.erase(whole, reason="", by="staff")
    assert people.listing.get(whole).status == "suspended"


def test_nothing_is_written_about_somebody_behind_their_erasure(
    erasure: Erasure,
    people: Participants,
    campaign: Campaign,
    application: Make,
    portal: str,
    database: Database,
    clock: FrozenClock,
) -> None:
    version = campaign.terms.versions("logo-terms")[0]
    for _ in range(3):
        joined = people.joining.join(application(name="Racing Quillmarsh"), via=portal)
        barrier = threading.Barrier(4)

        def run(work: Callable[[], object], barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            try:
                work()
            except Exception as problem:
                assert type(problem).__module__ == "service.problems"  # noqa: PT017

        def accept(who: str = joined.id) -> object:
            return people.acceptances.accept(
                who,
                terms="logo-terms",
                version=version.version,
                language="en",
                digest=version.digest("en"),
                signatory=Signatory("Racing Ada", "Racing Quillmarsh"),
                via=portal,
            )

        works: list[Callable[[], object]] = [
            accept,
            lambda who=joined.id: erasure.erase(who, reason="Asked for.", by="staff"),  # type: ignore[misc]
            lambda who=joined.id: people.api_keys.create("partner", participant=who, name="Racing", by="staff"),  # type: ignore[misc]
            lambda email=str(joined.email): people.sign_in.confirm(people.sign_in.issue_url(email).rpartition("/")[2]),  # type: ignore[misc]
        ]
        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert "Racing" not in everything(database)
        assert str(joined.email) not in everything(database)
        everybodys = people.api_keys.list()
        assert [key.participant for key in everybodys if not key.revoked_at] == [None]  # the portal's alone
