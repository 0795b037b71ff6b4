"""The catalogue: the package versions that were published, and those of them that are handed out."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import ledger
from ..campaign import Campaign
from ..clock import Clock
from ..problems import PackageDamaged, PackageWithdrawn, Problem, UnknownPackage, UnknownVersion
from ..storage import ObjectMissing, Storage
from ..store.database import Database
from ..store.tables import PackageVersion
from .published import ListedVersion, PublishedPackage, published_of


class Catalogue:
    """The packages of one deployment. Safe to share between threads."""

    def __init__(self, database: Database, storage: Storage, campaign: Campaign, clock: Clock) -> None:
        self.database = database
        self.storage = storage
        self.campaign = campaign
        self.clock = clock
        self._published: dict[tuple[str, str], PublishedPackage] = {}
        self._previews: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def store_single(self, published: PublishedPackage, path: str) -> None:
        """Store one file of a version beside its archive, so that it can be sent alone; once is enough.

        KeyError where the version has no such file, PackageDamaged where the archive does not hold what was published.
        """
        single = published.single(path)
        if self.storage.size(single.storage_key) is not None:
            return
        try:
            with zipfile.ZipFile(io.BytesIO(self.storage.read(published.storage_key))) as archive:
                content = archive.read(path)
        except (ObjectMissing, zipfile.BadZipFile, KeyError) as error:
            raise PackageDamaged(private=f"{published.storage_key}: {error}") from error
        if hashlib.sha256(content).hexdigest() != single.sha256:
            raise PackageDamaged(private=f"{path} in {published.storage_key} is not what was published")
        self.storage.put_new(single.storage_key, content, single.media_type)

    def withdraw(self, package: str, version: str, reason: str, *, by: str) -> None:
        """Hand a version out no more; once withdrawn, nothing changes. Raises UnknownPackage or UnknownVersion."""

        def work(session: Session) -> None:
            row = session.get(PackageVersion, (package, version), with_for_update=True)
            if row is None:
                raise self._unknown(session, package)
            if row.withdrawn_at is not None:
                return
            row.withdrawn_at = self.clock()
            row.withdrawn_reason, row.withdrawn_by = reason, by
            entry = ledger.PackageWithdrawnEntry(package=package, version=version, by=by)
            ledger.append(session, entry, row.withdrawn_at)

        self.database.write(work)

    def versions(self, package: str) -> list[ListedVersion]:
        """Return every version that is shown, newest first, the withdrawn ones included. Raises UnknownPackage."""
        now = self.clock()
        with self.database.read() as session:
            rows = session.scalars(select(PackageVersion).where(PackageVersion.package == package)).all()
        shown = sorted((row for row in rows if _is_shown(row, now)), key=lambda row: self._of(row).order, reverse=True)
        if not shown:
            raise UnknownPackage()
        return [ListedVersion(self._of(row), row.withdrawn_at, row.withdrawn_reason, row.withdrawn_by) for row in shown]

    def current(self, kind: str | None = None) -> list[PublishedPackage]:
        """Return the newest version of each package that is shown and not withdrawn, in the order of their ids."""
        now = self.clock()
        newest: dict[str, PublishedPackage] = {}
        with self.database.read() as session:
            shown = select(PackageVersion.package, PackageVersion.version, PackageVersion.visible_from)
            for package, version, visible_from in session.execute(shown.where(PackageVersion.withdrawn_at.is_(None))):
                if visible_from is not None and visible_from > now:
                    continue
                published = self._published.get((package, version))
                if published is None:
                    published = self._of(session.get_one(PackageVersion, (package, version)))
                if kind in (None, published.kind):
                    newest[package] = max(newest.get(package, published), published, key=lambda item: item.order)
        return [newest[name] for name in sorted(newest)]

    def ids(self) -> list[str]:
        """Return the ids of all packages that were ever published."""
        with self.database.read() as session:
            return list(session.scalars(select(PackageVersion.package).distinct().order_by(PackageVersion.package)))

    def handed_out(self) -> list[PublishedPackage]:
        """Return every version that links may lead to: all but the withdrawn, those not shown yet included."""
        keys = select(PackageVersion.package, PackageVersion.version).where(PackageVersion.withdrawn_at.is_(None))
        with self.database.read() as session:
            found = session.execute(keys.order_by(PackageVersion.package, PackageVersion.version)).all()
        return [self.version(package, version) for package, version in found]

    def current_version(self, package: str) -> PublishedPackage:
        """Return the current version of a package.

        UnknownPackage where nothing is shown, PackageWithdrawn where every version that is shown was withdrawn.
        """
        for published in self.current():
            if published.id == package:
                return published
        self.versions(package)
        raise PackageWithdrawn(
            "Every version of this package has been withdrawn. Choose another one on the tools page."
        )

    def version(self, package: str, version: str) -> PublishedPackage:
        """Return one published version, also a withdrawn one; UnknownPackage or UnknownVersion where there is none."""
        known = self._published.get((package, version))
        if known is not None:
            return known
        with self.database.read() as session:
            row = session.get(PackageVersion, (package, version))
            if row is None:
                raise self._unknown(session, package)
            return self._of(row)

    def shown_version(self, package: str, version: str) -> PublishedPackage:
        """Return a version that the public may see; UnknownPackage or UnknownVersion for one whose date is to come."""
        now = self.clock()
        with self.database.read() as session:
            row = session.get(PackageVersion, (package, version))
            if row is not None and _is_shown(row, now):
                return self._of(row)
            others = session.scalars(select(PackageVersion).where(PackageVersion.package == package))
            raise UnknownVersion() if any(_is_shown(other, now) for other in others) else UnknownPackage()

    def preview(self, published: PublishedPackage) -> bytes:
        """Return the PNG that shows a version; kept in memory once read. PackageDamaged if it is not as published."""
        with self._lock:
            known = self._previews.get(published.preview_key)
        if known is None:
            try:
                known = self.storage.read(published.preview_key)
            except ObjectMissing as error:
                raise PackageDamaged(private=f"{published.preview_key} is missing") from error
            if hashlib.sha256(known).hexdigest() != published.preview_sha256:
                raise PackageDamaged(private=f"{published.preview_key} has other bytes than were published")
            with self._lock:
                self._previews[published.preview_key] = known
        return known

    def _of(self, row: PackageVersion) -> PublishedPackage:
        return self._published.setdefault((row.package, row.version), published_of(row))

    def _unknown(self, session: Session, package: str) -> Problem:
        known = session.scalar(select(PackageVersion.version).where(PackageVersion.package == package).limit(1))
        return UnknownVersion() if known else UnknownPackage()


def _is_shown(row: PackageVersion, now: datetime) -> bool:
    return row.visible_from is None or row.visible_from <= now
