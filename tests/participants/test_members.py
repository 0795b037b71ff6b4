"""The people of a participant: invited by mail, each with the own mailbox, and never none."""

from __future__ import annotations

import pytest

from service.campaign import Campaign
from service.participants import Participants, Signatory
from service.privacy import Erasure
from service.problems import (
    AlreadyJoined,
    Conflict,
    Individual,
    InvalidRequest,
    InvalidSignIn,
    LastMember,
    NotFound,
    ParticipantNotApproved,
)
from service.store import Database

from ..conftest import FrozenClock
from .conftest import Make, Outbox
from .facts import entries, everything

KIM = {"name": "Kim Example", "email": "Kim@Example.net", "capacity": "Press officer"}


@pytest.fixture
def joined(people: Participants, application: Make, portal: str) -> str:
    return people.joining.join(application(), via=portal).id


def test_whoever_joined_is_the_first_member_and_a_colleague_signs_in(
    people: Participants, joined: str, outbox: Outbox, database: Database, clock: FrozenClock
) -> None:
    (first,) = people.members.of(joined)
    assert (first.status, first.email) == ("active", people.listing.get(joined).email)
    clock.advance(1)
    kim = people.members.invite(joined, **KIM, by="portal:key_x")
    assert (kim.status, kim.email, kim.capacity) == ("invited", "kim@example.net", "Press officer")
    assert people.members.of(joined) == (kim, first)
    secret = outbox.secret("kim@example.net", "member")
    assert people.sign_in.peek(secret).purpose == "member"
    assert people.members.of(joined)[0].status == "invited", "looking uses nothing up"
    confirmed = people.sign_in.confirm(secret)
    assert (confirmed.role, confirmed.participant) == ("participant", joined)
    session = people.sign_in.session(str(confirmed.session))
    assert session is not None
    assert (session.member, session.participant) == (kim.id, joined)
    assert people.members.of(joined)[0].status == "active"
    (entry,) = entries(database, "member.added")
    assert (entry["member"], entry["participant"], entry["by"]) == (kim.id, joined, "portal:key_x")


def test_an_invitation_that_ended_leaves_the_mailbox_to_sign_in(
    people: Participants, joined: str, outbox: Outbox, clock: FrozenClock
) -> None:
    people.members.invite(joined, **KIM, by="participant")
    secret = outbox.secret("kim@example.net", "member")
    clock.advance(7 * 86400)
    with pytest.raises(InvalidSignIn):
        people.sign_in.confirm(secret)
    people.sign_in.request_link("kim@example.net")
    people.sign_in.confirm(outbox.secret("kim@example.net", "sign-in"))
    assert {member.status for member in people.members.of(joined)} == {"active"}


def test_handing_over(people: Participants, joined: str, outbox: Outbox, database: Database, application: Make) -> None:
    """A colleague leaves: the mail of the participant goes to who remains, and the mailbox is free again."""
    (first,) = people.members.of(joined)
    assert first.email is not None
    session = people.sign_in.confirm(people.sign_in.issue_url(first.email).rpartition("/")[2]).session
    kim = people.members.invite(joined, **KIM, by="participant")
    with pytest.raises(LastMember):
        people.members.remove(joined, first.id, by="participant")  # who was invited has not come yet
    people.sign_in.confirm(outbox.secret("kim@example.net", "member"))
    people.members.remove(joined, first.id, by="participant")
    assert people.sign_in.session(str(session)) is None
    assert people.listing.get(joined).email == "kim@example.net"
    with pytest.raises(LastMember):
        people.members.remove(joined, kim.id, by="staff:cli")
    with pytest.raises(NotFound):
        people.members.remove(joined, first.id, by="participant")
    assert [entry["member"] for entry in entries(database, "member.removed")] == [first.id]
    anew = people.joining.join(application(email=first.email), via="staff:cli")
    assert anew.id != joined


def test_an_invited_person_can_be_taken_out_again(people: Participants, joined: str, outbox: Outbox) -> None:
    kim = people.members.invite(joined, **KIM, by="participant")
    secret = outbox.secret("kim@example.net", "member")
    people.members.remove(joined, kim.id, by="participant")
    with pytest.raises(InvalidSignIn):
        people.sign_in.confirm(secret)
    assert len(people.members.of(joined)) == 1


def test_a_mailbox_belongs_to_one_participant(people: Participants, joined: str, application: Make) -> None:
    people.members.invite(joined, **KIM, by="participant")
    other = people.joining.join(application(), via="staff:cli")
    for participant in (joined, other.id):
        with pytest.raises(AlreadyJoined):
            people.members.invite(participant, **KIM, by="participant")
    with pytest.raises(AlreadyJoined) as caught:
        people.joining.join(application(email="kim@example.net"), via="staff:cli")
    assert caught.value.extra == {"participant": joined}


def test_who_has_no_members_to_invite(people: Participants, application: Make, joined: str, erasure: Erasure) -> None:
    person = people.joining.join(application("individual"), via="staff:cli").id
    assert len(people.members.of(person)) == 1
    with pytest.raises(Individual):
        people.members.invite(person, **KIM, by="participant")
    people.decisions.decide(joined, "declined", reason="No.", by="staff:cli")
    with pytest.raises(ParticipantNotApproved):
        people.members.invite(joined, **KIM, by="participant")
    erasure.erase(joined, reason="Asked for.", by="staff:cli")
    with pytest.raises(Conflict):
        people.members.invite(joined, **KIM, by="participant")
    with pytest.raises(NotFound):
        people.members.invite("par_nobody", **KIM, by="participant")


def test_what_a_member_cannot_be_called(people: Participants, joined: str, outbox: Outbox) -> None:
    with pytest.raises(InvalidRequest) as caught:
        people.members.invite(joined, name="", email="nobody", capacity="a\nb", by="participant")
    assert [error.pointer for error in caught.value.errors] == ["/name", "/email", "/capacity"]
    assert not outbox.to("nobody")


def test_an_acceptance_says_who_signed(
    people: Participants, joined: str, campaign: Campaign, clock: FrozenClock, outbox: Outbox, database: Database
) -> None:
    (first,) = people.members.of(joined)

    def accept(terms: str, name: str, member: str | None = None) -> str | None:
        current = campaign.terms.current(terms, clock())
        accepted, _ = people.acceptances.accept(
            joined,
            terms=terms,
            version=current.version,
            language="en",
            digest=current.digest("en"),
            signatory=Signatory(name, "Secretary"),
            via="portal:key_x",
            member=member,
        )
        return accepted.member

    logo, tools = campaign.terms.ids()
    assert accept(logo, "Somebody") == first.id, "there is nobody else"
    kim = people.members.invite(joined, **KIM, by="participant")
    people.sign_in.confirm(outbox.secret("kim@example.net", "member"))
    assert accept(tools, "kim example") == kim.id
    assert [entry["member"] for entry in entries(database, "terms.accepted")] == [first.id, kim.id]


def test_erasure_reaches_members(
    people: Participants, joined: str, outbox: Outbox, erasure: Erasure, database: Database
) -> None:
    people.members.invite(joined, **KIM, by="participant")
    session = people.sign_in.confirm(outbox.secret("kim@example.net", "member")).session
    gone = people.members.invite(joined, name="Gone Example", email="gone@example.net", by="participant")
    people.members.remove(joined, gone.id, by="participant")
    removed = erasure.erase(joined, reason="Asked for by Kim Example.", by="staff:cli")
    assert removed["members"] == 2
    assert people.sign_in.session(str(session)) is None
    assert outbox.to("kim@example.net") == []
    assert people.members.of(joined) == ()
    stored = everything(database)
    for personal in ("Kim Example", "kim@example.net", "Press officer", "Gone Example", "gone@example.net"):
        assert personal not in stored
