"""Publications: policies and logos as they came into force, kept whole, so that every process reads the same.

What lies in the folders is a draft. Publishing keeps a copy of the files in the database, which is what every
process works by until the next publication, whatever happens to the drafts meanwhile.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import Session

from ..campaign import CampaignError, Mistake, TermsVersion
from ..store.database import Database
from ..store.tables import Publication as Row
from .archive import write_archive

_POLICIES, _ASSETS = "policies", "assets"
_LOGOS = f"{_ASSETS}/logos"


@dataclass(frozen=True)
class PublicationView:
    """One publication: the newest by ``number`` is in force. ``policies`` is the digest that decisions name."""

    number: int
    at: datetime
    policies: str
    sha256: str
    by: str | None = field(default=None, compare=False)
    reason: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Packed:
    """The files of a publication as a ZIP file, and the SHA-256 over their names and contents."""

    sha256: str
    files: bytes


def pack(policies_dir: Path, assets_dir: Path) -> Packed:
    """Pack every file of the policies and the logos, but for hidden ones and editors' copies."""
    members = members_of(policies_dir, assets_dir)
    digest = hashlib.sha256()
    for name in sorted(members):
        digest.update(f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n".encode())
    packed = io.BytesIO()
    write_archive(members, packed, compression=zipfile.ZIP_DEFLATED)
    return Packed(digest.hexdigest(), packed.getvalue())


def terms_path(version: TermsVersion, language: str) -> str:
    """Return the path that a text of terms has in a publication."""
    return "/".join((_POLICIES, "terms", version.id, version.version, f"{language}.md"))


def members_of(policies_dir: Path, assets_dir: Path) -> dict[str, bytes]:
    """Return the files that a publication of two folders has, by their paths in it."""
    return _members(policies_dir, _POLICIES) | _members(assets_dir / "logos", _LOGOS)


def _members(folder: Path, prefix: str) -> dict[str, bytes]:
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") or part.endswith("~") for part in name.parts):
            found[f"{prefix}/{name.as_posix()}"] = path.read_bytes()
    return found


class Publications:
    """The publications of one deployment, in the order in which they came into force."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._there = False  # whether the table is known to be there

    def newest(self) -> PublicationView | None:
        """Return the publication in force; None where nothing was published, or the schema is older than that."""
        with self._database.read() as session:
            self._there = self._there or inspect(session.connection()).has_table(Row.__tablename__)
            return self.newest_in(session) if self._there else None

    def newest_in(self, session: Session) -> PublicationView | None:
        """Return the publication in force, read in a transaction."""
        row = session.execute(_newest()).first()
        return PublicationView(row.number, row.at, row.policies, row.sha256) if row else None

    def list(self, limit: int) -> tuple[PublicationView, ...]:
        """Return the newest publications, with who published them and why."""
        columns = Row.number, Row.at, Row.policies, Row.sha256, Row.by, Row.reason
        with self._database.read() as session:
            rows = session.execute(select(*columns).order_by(Row.number.desc()).limit(limit))
            return tuple(PublicationView(*row) for row in rows)

    def files(self, publication: PublicationView) -> dict[str, bytes]:
        """Return the files of a publication by their paths."""
        with self._database.read() as session:
            packed = session.get_one(Row, publication.number).files
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def add(
        self,
        session: Session,
        policies: str,
        packed: Packed,
        at: datetime,
        by: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """Put files in force; False where they are the ones that are. ``by`` and ``reason``: who published, and why."""
        newest = self.newest_in(session)
        if newest is not None and newest.sha256 == packed.sha256:
            return False
        session.add(Row(at=at, policies=policies, sha256=packed.sha256, files=packed.files, by=by, reason=reason))
        session.flush()
        return True

    @contextmanager
    def opened(self, publication: PublicationView) -> Iterator[tuple[Path, Path]]:
        """Unpack a publication into a temporary folder: its ``policies`` and its ``assets``, without packages.

        Raises CampaignError where what the database holds of it is damaged.
        """
        with self._database.read() as session:
            files = session.get_one(Row, publication.number).files
        with tempfile.TemporaryDirectory(prefix="emblem-published-") as folder:
            try:
                with zipfile.ZipFile(io.BytesIO(files)) as archive:
                    archive.extractall(folder)
            except zipfile.BadZipFile as error:
                place = f"publication {publication.number}"
                mistake = Mistake(place, 0, f"It is damaged: {error}", "Put the database back from a backup")
                raise CampaignError([mistake]) from error
            yield Path(folder, _POLICIES), Path(folder, _ASSETS)


def _newest() -> Select[int, datetime, str, str]:
    return select(Row.number, Row.at, Row.policies, Row.sha256).order_by(Row.number.desc()).limit(1)
