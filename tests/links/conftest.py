"""A recorder over a store that holds one participant, one package version and links, without any server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from service.ids import new_id
from service.links import Claim, Recorder
from service.store import Database
from service.store.tables import Acceptance, Bundle, BundledVersion, Link, PackageVersion, Participant

if TYPE_CHECKING:
    from service.campaign import Campaign
    from tests.conftest import FrozenClock

BASE = "https://emblem.example.org"
SECRETS = ("the-newest-secret-of-these-tests-000", "the-oldest-secret-of-these-tests-000")


@dataclass
class World:
    """A store with one approved participant that accepted the terms of one package."""

    database: Database
    campaign: Campaign
    clock: FrozenClock
    participant: str
    recorder: Recorder

    def link(self, **values: Any) -> Claim:
        """A new link; ``values`` change its row."""
        row: dict[str, Any] = {
            "id": new_id("lnk"),
            "participant": self.participant,
            "package": "logo",
            "version": "1.0.0",
            "issued_by": "staff:cli",
            "created_at": self.clock(),
            "expires_at": self.clock() + timedelta(days=7),
            "max_downloads": None,
            "counted": 0,
        } | values
        self.database.write(lambda session: session.add(Link(**row)))
        return Claim(row["id"], row["package"], row["version"], row["expires_at"], bundle=row.get("bundle"))

    def bundle(self, **versions: tuple[int, str]) -> str:
        """A bundle of the logo package and others, by their names: size in bytes and id of the terms of each."""
        name = new_id("bundle")

        def work(session: Any) -> None:
            logo = session.get(PackageVersion, ("logo", "1.0.0"))
            like = {column.key: getattr(logo, column.key) for column in PackageVersion.__table__.columns}
            for package, (size, terms) in versions.items():
                if session.get(PackageVersion, (package, "1.0.0")) is None:
                    session.add(PackageVersion(**like | {"package": package, "bytes": size, "terms": terms}))
            row = {"sha256": "0" * 64, "bytes": 5000, "storage_key": "packages/_bundles/x.zip"}
            session.add(Bundle(id=name, created_at=self.clock(), **row))
            session.flush()
            for package in ("logo", *versions):
                session.add(BundledVersion(bundle=name, package=package, version="1.0.0"))

        self.database.write(work)
        return name

    def change(self, table: type[Any], key: Any, **values: Any) -> None:
        """Changes one row."""

        def work(session: Any) -> None:
            row = session.get(table, key)
            for name, value in values.items():
                setattr(row, name, value)

        self.database.write(work)


def fill(database: Database, campaign: Campaign, clock: FrozenClock) -> str:
    """Writes the participant, the package version and the acceptance; returns the participant's id."""
    participant = new_id("par")
    now = clock() - timedelta(days=1)
    terms = campaign.terms.current("logo-terms", clock())

    def work(session: Any) -> None:
        session.add(
            Participant(
                id=participant,
                kind="civil_society",
                name="Example Society",
                email="society@example.org",
                country="AT",
                language="en",
                answers={},
                purposes=["information"],
                status="approved",
                outcome="approved",
                rule="test",
                reasons=[],
                policy="0" * 64,
                joined_via="staff:cli",
                created_at=now,
            )
        )
        session.add(
            PackageVersion(
                package="logo",
                version="1.0.0",
                kind="logo",
                terms="logo-terms",
                manifest={},
                source_digest="0" * 64,
                sha256="0" * 64,
                bytes=1000,
                media_type="application/zip",
                filename="logo-1.0.0.zip",
                storage_key="packages/logo/1.0.0.zip",
                published_at=now,
            )
        )
        session.flush()
        session.add(
            Acceptance(
                id=new_id("acc"),
                participant=participant,
                terms=terms.id,
                version=terms.version,
                language="en",
                digest=terms.digest("en"),
                via="staff:cli",
                commitment="0" * 64,
                accepted_at=now,
            )
        )

    database.write(work)
    return participant


@pytest.fixture
def world(database: Database, campaign: Campaign, clock: FrozenClock) -> World:
    participant = fill(database, campaign, clock)
    return World(database, campaign, clock, participant, Recorder(database, campaign, clock, SECRETS, BASE))
