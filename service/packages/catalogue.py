"""The catalogue: publishing what ``assets/`` and ``policies/`` hold, and what was published.

Publishing a version, in this order: build into a temporary file → store archive and preview under keys
that name their content → one transaction with the row and the entry of the log. A crash before the last
step leaves at most stored objects that nothing refers to; the same call then does it all again. Two
processes at once: one transaction wins, the other finds the row and is content.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import ledger
from ..campaign import CampaignError, Mistake, Mistakes
from ..campaign.loader import Campaign
from ..campaign.manifests import ARCHIVE_MEDIA_TYPE, PackageManifest
from ..campaign.terms import TermsVersion
from ..clock import Clock, timestamp
from ..problems import PackageDamaged, PackageWithdrawn, Problem, Unavailable, UnknownPackage, UnknownVersion
from ..storage import ObjectMissing, Storage
from ..store.database import Database
from ..store.tables import PackageVersion, PublishedPolicy, PublishedTerms
from ..store.upsert import insert_new
from .building import Built, build, check, source_digest
from .published import PublishedPackage, published_of
from .rights import Rights
from .separation import inks_of

Progress = Callable[[str], None]


class Catalogue:
    """The packages of one deployment. Safe to share between threads."""

    def __init__(self, database: Database, storage: Storage, campaign: Campaign, clock: Clock) -> None:
        self.database = database
        self.storage = storage
        self.campaign = campaign
        self.clock = clock
        self._inks = inks_of(campaign.brand)
        self._facts: dict[tuple[str, str], PublishedPackage] = {}
        self._previews: dict[str, bytes] = {}
        self._lock = threading.Lock()

    # Publishing

    def publish(self, progress: Progress | None = None) -> list[PublishedPackage]:
        """Publishes policies, terms and every package version that is not yet; returns the new package versions.

        CampaignError where a published version's sources have changed or a package cannot be built; nothing
        is published then. What is published already costs only the reading of its sources.
        """
        waiting, mistakes = self._compare()
        mistakes.raise_if_any()
        with tempfile.TemporaryDirectory(prefix="emblem-publish-") as folder:
            built = self._build(waiting, mistakes, Path(folder), progress)
            mistakes.raise_if_any()
            self._publish_rules()
            self._show_from_dates()
            new = [manifest for manifest, made in built if self._publish(manifest, made)]
        return [self.version(manifest.id, manifest.version) for manifest in new]

    def check(self) -> tuple[PackageManifest, ...]:
        """What ``publish`` would publish. CampaignError has every mistake, as there; nothing is kept or written."""
        waiting, mistakes = self._compare()
        try:
            check(*waiting, inks=self._inks)
        except CampaignError as error:
            mistakes.extend(error.mistakes)
        mistakes.raise_if_any()
        return tuple(waiting)

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

    def withdraw(self, package: str, version: str, reason: str) -> None:
        """Hands this version out no more; once withdrawn, nothing changes. UnknownPackage, UnknownVersion."""

        def work(session: Session) -> None:
            row = session.get(PackageVersion, (package, version), with_for_update=True)
            if row is None:
                raise self._unknown(session, package)
            if row.withdrawn_at is not None:
                return
            row.withdrawn_at = self.clock()
            row.withdrawn_reason = reason
            ledger.append(session, ledger.PackageWithdrawnEntry(package=package, version=version), row.withdrawn_at)

        self.database.write(work)

    # What is published

    def listed(self, lang: str = "en", kind: str | None = None) -> list[dict[str, Any]]:
        """The package object of the interface for the current version of each package, by id; URLs are the web's."""
        return [self.as_json(facts, lang) for facts in self.current(kind)]

    def get(self, package: str, lang: str = "en") -> dict[str, Any]:
        """The package object of the current version; UnknownPackage where there is none to show."""
        return self.as_json(self.current_version(package), lang)

    def versions(self, package: str, lang: str = "en") -> list[dict[str, Any]]:
        """Every version that is shown, newest first, with ``published_at`` and ``withdrawn``; UnknownPackage."""
        now = self.clock()
        with self.database.read() as session:
            rows = session.scalars(select(PackageVersion).where(PackageVersion.package == package)).all()
        shown = sorted((row for row in rows if _is_shown(row, now)), key=lambda row: self._of(row).order, reverse=True)
        if not shown:
            raise UnknownPackage()
        return [
            {
                **self.as_json(self._of(row), lang),
                "published_at": timestamp(row.published_at),
                "withdrawn": {"at": timestamp(row.withdrawn_at), "reason": row.withdrawn_reason}
                if row.withdrawn_at
                else None,
            }
            for row in shown
        ]

    def current(self, kind: str | None = None) -> list[PublishedPackage]:
        """The newest version of each package that is shown and not withdrawn, in the order of their ids."""
        now = self.clock()
        newest: dict[str, PublishedPackage] = {}
        with self.database.read() as session:
            shown = select(PackageVersion.package, PackageVersion.version, PackageVersion.visible_from)
            for package, version, visible_from in session.execute(shown.where(PackageVersion.withdrawn_at.is_(None))):
                if visible_from is not None and visible_from > now:
                    continue
                facts = self._facts.get((package, version))
                if facts is None:
                    facts = self._of(session.get_one(PackageVersion, (package, version)))
                if kind in (None, facts.kind):
                    newest[package] = max(newest.get(package, facts), facts, key=lambda item: item.order)
        return [newest[name] for name in sorted(newest)]

    def handed_out(self) -> list[PublishedPackage]:
        """Return every version that links may lead to: all but the withdrawn, those not shown yet included."""
        keys = select(PackageVersion.package, PackageVersion.version).where(PackageVersion.withdrawn_at.is_(None))
        with self.database.read() as session:
            found = session.execute(keys.order_by(PackageVersion.package, PackageVersion.version)).all()
        return [self.version(package, version) for package, version in found]

    def current_version(self, package: str) -> PublishedPackage:
        """The facts of the current version.

        UnknownPackage where nothing is shown, PackageWithdrawn where every version that is shown was withdrawn.
        """
        for facts in self.current():
            if facts.id == package:
                return facts
        self.versions(package)
        raise PackageWithdrawn(
            "Every version of this package has been withdrawn. Choose another one on the tools page."
        )

    def version(self, package: str, version: str) -> PublishedPackage:
        """The immutable facts of one published version, withdrawn or not yet shown; UnknownPackage, UnknownVersion."""
        known = self._facts.get((package, version))
        if known is not None:
            return known
        with self.database.read() as session:
            row = session.get(PackageVersion, (package, version))
            if row is None:
                raise self._unknown(session, package)
            return self._of(row)

    def preview(self, facts: PublishedPackage) -> bytes:
        """Return the PNG that shows a version; kept in memory once read. PackageDamaged if it is not as published."""
        with self._lock:
            known = self._previews.get(facts.preview_key)
        if known is None:
            try:
                known = self.storage.read(facts.preview_key)
            except ObjectMissing as error:
                raise PackageDamaged(private=f"{facts.preview_key} is missing") from error
            if hashlib.sha256(known).hexdigest() != facts.preview_sha256:
                raise PackageDamaged(private=f"{facts.preview_key} has other bytes than were published")
            with self._lock:
                self._previews[facts.preview_key] = known
        return known

    def as_json(self, facts: PublishedPackage, lang: str) -> dict[str, Any]:
        """The package object of the interface, with the version of its terms that is current now."""
        try:
            terms: str | None = self.campaign.terms.current(facts.terms, self.clock()).version
        except KeyError:
            terms = None  # its terms are not in force yet, or were taken out of the policies
        return facts.as_json(lang, terms)

    # Steps

    def _of(self, row: PackageVersion) -> PublishedPackage:
        return self._facts.setdefault((row.package, row.version), published_of(row))

    def _unknown(self, session: Session, package: str) -> Problem:
        known = session.scalar(select(PackageVersion.version).where(PackageVersion.package == package).limit(1))
        return UnknownVersion() if known else UnknownPackage()

    def _compare(self) -> tuple[list[PackageManifest], Mistakes]:
        """The manifests whose version is not published, and what changed under a published one."""
        waiting, mistakes = [], Mistakes()
        self._compare_terms(mistakes)
        for manifest in self.campaign.packages.values():
            with self.database.read() as session:
                row = session.get(PackageVersion, (manifest.id, manifest.version))
            if row is None:
                waiting.append(manifest)
            elif row.source_digest != source_digest(manifest, manifest.assets_dir, self._rights(manifest), self._inks):
                mistakes.extend(_changed(manifest))
        return waiting, mistakes

    def _rights(self, manifest: PackageManifest) -> Rights:
        return Rights.of(self.campaign.info.rights, manifest)

    def _build(
        self, waiting: Iterable[PackageManifest], mistakes: Mistakes, folder: Path, progress: Progress | None
    ) -> list[tuple[PackageManifest, Built]]:
        built = []
        for manifest in waiting:
            if progress:
                progress(f"{manifest.id} {manifest.version}")
            try:
                built.append(
                    (manifest, build(manifest, manifest.assets_dir, self._rights(manifest), folder, self._inks))
                )
            except CampaignError as error:
                mistakes.extend(error.mistakes)
            except OSError as error:
                detail = "The packages cannot be built in the temporary folder; see that it exists and has room."
                raise Unavailable(detail, private=str(error)) from error
        return built

    def _publish(self, manifest: PackageManifest, built: Built) -> bool:
        """Stores a built version and publishes it; False if another process did."""
        base = f"packages/{manifest.id}/{manifest.version}"
        preview_sha256 = hashlib.sha256(built.preview).hexdigest()
        key, preview_key = f"{base}/{built.sha256[:16]}.zip", f"{base}/{preview_sha256[:16]}.png"
        self.storage.put_new(preview_key, built.preview, "image/png")
        self.storage.put_new(key, built.path, ARCHIVE_MEDIA_TYPE)
        facts = {
            "title": manifest.title.as_json(),
            "description": manifest.description.as_json(),
            "licence": manifest.licence.as_json(),
            "languages": list(manifest.languages),
            "files": [file.as_json() for file in built.files],
            "preview": {"key": preview_key, "sha256": preview_sha256},
        }

        def work(session: Session) -> bool:
            at = self.clock()
            new = insert_new(
                session,
                PackageVersion,
                package=manifest.id,
                version=manifest.version,
                kind=manifest.kind,
                terms=manifest.terms,
                manifest=facts,
                source_digest=built.source_digest,
                sha256=built.sha256,
                bytes=built.bytes,
                media_type=ARCHIVE_MEDIA_TYPE,
                filename=manifest.filename,
                storage_key=key,
                visible_from=manifest.visible_from,
                published_at=at,
            )
            if new:
                ledger.append(
                    session,
                    ledger.PackagePublishedEntry(
                        package=manifest.id,
                        version=manifest.version,
                        sha256=built.sha256,
                        bytes=built.bytes,
                        terms=manifest.terms,
                    ),
                    at,
                )
                return True
            row = session.get_one(PackageVersion, (manifest.id, manifest.version))
            if row.source_digest != built.source_digest:
                raise CampaignError(_changed(manifest))
            return False

        return self.database.write(work)

    def _compare_terms(self, mistakes: Mistakes) -> None:
        """What was published of the terms stays as it is: people accepted exactly those bytes."""
        with self.database.read() as session:
            published = session.scalars(select(PublishedTerms)).all()
        for row in published:
            if row.id not in self.campaign.terms.ids():
                continue
            versions = {version.version: version for version in self.campaign.terms.versions(row.id)}
            version = versions.get(row.version)
            if version is None:
                continue
            for language, digest in row.digests.items():
                if language not in version.languages or version.digest(language) != digest:
                    mistakes.add(
                        Path("policies", "terms", row.id, row.version, f"{language}.md"),
                        1,
                        "This text was published and has changed since",
                        "Bring it back as it was, and write the change as a new version in terms.yaml",
                    )

    def _publish_rules(self) -> None:
        """Enters the digest of the policies in force, and each version of the terms, once into the log."""

        def work(session: Session) -> None:
            at = self.clock()
            if insert_new(session, PublishedPolicy, digest=self.campaign.digest, at=at):
                ledger.append(session, ledger.PolicyPublishedEntry(digest=self.campaign.digest), at)
            for terms in self.campaign.terms.ids():
                for version in self.campaign.terms.versions(terms):
                    _publish_terms(session, version, at)

        self.database.write(work)

    def _show_from_dates(self) -> None:
        """Takes over the dates from which versions are shown: unlike all else, they may change."""

        def work(session: Session) -> None:
            for manifest in self.campaign.packages.values():
                row = session.get(PackageVersion, (manifest.id, manifest.version))
                if row is not None and row.visible_from != manifest.visible_from:
                    row.visible_from = manifest.visible_from

        self.database.write(work)


def _is_shown(row: PackageVersion, now: datetime) -> bool:
    return row.visible_from is None or row.visible_from <= now


def _changed(manifest: PackageManifest) -> Iterable[Mistake]:
    return manifest.mistake(
        "version",
        f"The sources of {manifest.id} {manifest.version} have changed since it was published",
        "Raise version, or bring the sources back to what they were",
    ).all()


def _publish_terms(session: Session, version: TermsVersion, at: datetime) -> None:
    digests = {lang: version.digest(lang) for lang in version.languages}
    if not insert_new(session, PublishedTerms, id=version.id, version=version.version, digests=digests, at=at):
        row = session.get_one(PublishedTerms, (version.id, version.version), with_for_update=True)
        if digests.keys() <= row.digests.keys():
            return
        row.digests = digests  # a language was added; what was published before has been compared
    ledger.append(
        session,
        ledger.TermsPublishedEntry(
            terms=version.id, version=version.version, effective=timestamp(version.effective), digests=digests
        ),
        at,
    )
