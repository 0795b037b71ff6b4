"""The sealed log of the audit's tests with downloads and logo uses of known facts, and people who may be erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from service.campaign import Campaign
from service.participants import Participants, Signatory
from service.store import Database, tables

from ..audit.conftest import deployment, make
from ..conftest import NOON
from ..participants.conftest import Make, application, erasure, mailer, outbox, people, portal

__all__ = ["application", "deployment", "erasure", "mailer", "make", "outbox", "people", "portal"]

PERSONAL = (
    "Quillmarsh",
    "quill.erased@example.org",
    "quillmarsh.example.org",
    "Adalberta Erased",
    "Adalberta pier",
    "Head of something",
    "Typed by staff",
    "Key of theirs",
    "203.0.113.0/24",
    "c1ient",
)


@pytest.fixture
def whole(people: Participants, campaign: Campaign, application: Make, portal: str, database: Database) -> str:
    """A participant with everything that one can have."""
    joined = people.joining.join(
        application(
            name="Quillmarsh Zoë",
            email="quill.erased@example.org",
            answers={"plan": "At the Adalberta pier."},
        ),
        via=portal,
    )
    people.decisions.decide(joined.id, "approved", reason="Typed by staff about Quillmarsh", by="staff:key_x")
    version = campaign.terms.versions("logo-terms")[0]
    people.acceptances.accept(
        joined.id,
        terms="logo-terms",
        version=version.version,
        language="en",
        digest=version.digest("en"),
        signatory=Signatory("Adalberta Erased", "Head of something"),
        via=portal,
    )
    people.decisions.decide(joined.id, "suspended", reason="Typed by staff again", by="staff:key_x")
    people.api_keys.create("partner", participant=joined.id, name="Key of theirs", by="staff")
    people.sign_in.confirm(people.sign_in.issue_url("quill.erased@example.org").rpartition("/")[2])
    people.sign_in.request_link("quill.erased@example.org")
    database.write(lambda session: _more(session, joined.id))
    return joined.id


def _more(session: Any, participant: str) -> None:
    """A link with a download, an embed, and remembered answers, as the other rooms write them."""
    for number, revoked in enumerate((None, NOON)):
        session.add(
            tables.Link(
                id=f"lnk_{number}",
                participant=participant,
                package="blue-heart",
                version="1.0.0",
                issued_by="portal:key_x",
                created_at=NOON,
                expires_at=NOON + timedelta(days=7),
                counted=1,
                revoked_at=revoked,
            )
        )
        session.add(
            tables.Embed(
                key=f"ebd_{number}",
                participant=participant,
                logo="blue-heart",
                origins=["https://quillmarsh.example.org"],
                unlisted="report",
                created_at=NOON,
                revoked_at=revoked,
            )
        )
    session.flush()
    session.add(tables.LinkClient(link="lnk_0", client="c1ient", last_at=NOON, counted=True))
    session.add(
        tables.Download(
            id="dl_0",
            at=NOON,
            link="lnk_0",
            participant=participant,
            package="blue-heart",
            version="1.0.0",
            counted=True,
            status=200,
            client_kind="browser",
            client_prefix="203.0.113.0/24",
            client_hash="c1ient",
            bytes=1000,
        )
    )
    answers = {
        "by-id": {"id": participant, "name": "Quillmarsh Zoë"},
        "by-email": {"value": "quill.erased@example.org"},
        "by-name": {"value": "Quillmarsh Zoë"},
        "other": {"id": "par_other"},
    }
    for key, answer in answers.items():
        session.add(
            tables.IdempotentRequest(
                scope="key_x /api/v1/participants",
                key=key,
                request_sha256="0" * 64,
                status=201,
                answer=answer,
                created_at=NOON,
            )
        )
