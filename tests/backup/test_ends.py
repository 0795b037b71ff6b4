"""What has ended since a backup stays ended when it is put back, on each database and storage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service import ledger
from service.backup import apply_end, make, put_back
from service.ledger.recovery import Recovered, recover
from service.participants import Participants
from service.participants.decisions import Ruling, record
from service.participants.permissions import LAPSED
from service.privacy import Erasure
from service.storage import Storage
from service.store import Database, tables

from ..conftest import NOON
from ..ledger.conftest import ORIGIN
from ..participants.facts import everything
from ..privacy.conftest import PERSONAL

Restore = Callable[[], Recovered]


def quiet(_done: int, _total: int) -> None:
    """No progress is shown."""


@pytest.fixture
def restore(whole: str, database: Database, storage: Storage, erasure: Erasure, tmp_path: Path) -> Restore:
    """Makes a backup; what it gives seals what was done since, and puts the backup back."""
    keys = ledger.key_source(ledger.new_log_key(), ORIGIN)

    def sealer() -> ledger.Sealer:
        return ledger.Sealer(database, storage, keys, ORIGIN, lambda: NOON, tmp_path / "machine")

    storage.put_new("artwork/secret/file.png", b"a picture")
    storage.put_new("variants/1/logo.png", b"made anew")
    sealer().seal()
    make(sealer(), lambda: NOON, tmp_path / "backup", quiet)

    def run() -> Recovered:
        sealer().seal()
        with put_back(sealer(), tmp_path / "backup", lambda _: quiet, replace=True):
            return recover(sealer(), apply=apply_end(erasure))

    return run


def test_whoever_was_erased_since_is_erased_again(
    restore: Restore, whole: str, erasure: Erasure, people: Participants, database: Database, tmp_path: Path
) -> None:
    erasure.erase(whole, reason="Asked for.", by="staff:key_x")
    done = restore()
    assert done.applied == {"link.revoked": 1, "embed.revoked": 1, "key.revoked": 1, "participant.erased": 1}
    assert people.listing.get(whole).status == "erased"
    after = everything(database)
    assert [value for value in PERSONAL if value in after] == []
    assert (tmp_path / "backup/storage/artwork/secret/file.png").read_bytes() == b"a picture"
    assert not (tmp_path / "backup/storage/variants").exists()


def test_ends_of_every_kind_hold_and_sessions_are_over(
    restore: Restore, whole: str, people: Participants, database: Database
) -> None:
    people.decisions.decide(whole, "approved", reason="A mistake", by="staff:key_x")
    people.decisions.decide(whole, "declined", reason="Typed by staff", by="staff:key_x")
    ended = Ruling(LAPSED, (), "permission-ended", "0" * 64, "rule")

    def end(session: Any) -> None:
        record(session, session.get_one(tables.Participant, whole), ended, NOON, purposes=["fundraising"])

    database.write(end)
    with database.read() as session:
        member = session.scalars(select(tables.Member.id).where(tables.Member.participant == whole)).one()
    facts: dict[str, Any] = {"participant": whole, "by": "staff:key_x"}
    counted: dict[str, Any] = {
        "link": "lnk_0",
        "package": "blue-heart",
        "version": "1.0.0",
        "terms_version": None,
        "country": None,
    }
    counted |= {"participant_kind": "individual", "client_kind": "browser", "bytes": 1, "participant": whole}
    entries: list[ledger.Entry] = [
        ledger.LinkRevokedEntry(id="lnk_0", **facts),
        ledger.EmbedChangedEntry(embed="ebd_0", logo="blue-heart", origins=[], unlisted="refuse", **facts),
        ledger.EmbedRevokedEntry(embed="ebd_0", **facts),
        ledger.DownloadEntry(id="dl_8", counted=True, **counted),
        ledger.DownloadEntry(id="dl_9", counted=False, **counted),
        ledger.LinkRevokedEntry(id="lnk_unknown", **facts),
        ledger.MemberRemovedEntry(member=member, **facts),
        ledger.ParticipantErasedEntry(participant="par_unknown", by="staff"),
    ]
    database.write(lambda session: ledger.append_many(session, entries, NOON))
    done = restore()
    kinds = {"participant.decided": 3, "link.revoked": 1, "embed.changed": 1, "embed.revoked": 1, "download": 1}
    assert done.applied == kinds | {"member.removed": 1}
    assert done.unknown["participant.erased"] == 1
    now = people.listing.get(whole)
    assert (now.status, now.outcome, now.purposes, now.decided_by) == (LAPSED, LAPSED, ("fundraising",), "rule")
    with database.read() as session:
        link = session.get_one(tables.Link, "lnk_0")
        embed = session.get_one(tables.Embed, "ebd_0")
        assert (link.revoked_at, link.counted) == (NOON, 2)
        assert (embed.revoked_at, embed.origins, embed.unlisted) == (NOON, [], "refuse")
        decided = session.scalars(select(tables.Decision).order_by(tables.Decision.id.desc())).first()
        assert decided is not None
        assert (decided.outcome, decided.reasons, decided.by) == (LAPSED, [], "rule")
        assert session.get_one(tables.Member, member).removed_at == NOON
        assert session.scalars(select(tables.SignInSession)).all() == []
        assert session.scalars(select(tables.MailedLink)).all() == []
