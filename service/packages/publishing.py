"""Publishing: what ``policies/`` and ``assets/`` hold comes into force, once and for good.

In this order: build every new package version into a temporary file → one transaction with the publication of
policies and logos and their entries of the log → for each package, store archive and preview under keys that name
their content, then one transaction with the row and its entry. A crash before the last step leaves at most stored
objects that nothing refers to; the same call then does the rest. Two processes at once: one transaction wins, the
other finds the row and is content.
"""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import ledger
from ..campaign import Campaign, CampaignError, Mistake, Mistakes, load
from ..campaign.manifests import ARCHIVE_MEDIA_TYPE, PackageManifest
from ..campaign.terms import TermsVersion
from ..clock import Clock, timestamp
from ..png import PngOptimisers
from ..problems import ConfigurationError, Unavailable
from ..storage import Storage
from ..store.database import Database
from ..store.tables import PackageVersion, PublishedPolicy, PublishedTerms
from ..store.upsert import insert_new
from .building import Built, Making, build, check, files_digest, source_digest
from .content_credentials import LEAST_LIFE, ContentCredentials
from .draft import Draft, NewTerms, compare
from .inks import print_inks_of
from .publications import Publications, members_of, pack, terms_path
from .published import PublishedPackage, published_of
from .rights import Rights
from .stored import StoredPackages

Progress = Callable[[int, int], None]  # told how many files are made, and of how many


@dataclass(frozen=True)
class PublishResult:
    """The result of publishing: what was not in force, or not there, before.

    ``policies`` is the digest of the policies where they or the logos changed, else None; ``terms`` are ids and
    versions; ``repaired`` are packages whose stored file was damaged and could be made again.
    """

    policies: str | None = None
    terms: tuple[tuple[str, str], ...] = ()
    packages: tuple[PublishedPackage, ...] = ()
    repaired: tuple[PublishedPackage, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.policies or self.terms or self.packages or self.repaired)


class Publisher:
    """Publishes one state of the files. ``draft`` is the campaign that they hold, ``credentials`` sign its files."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        clock: Clock,
        draft: Campaign,
        policies_dir: Path,
        assets_dir: Path,
        credentials: ContentCredentials | None = None,
    ) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._draft = draft
        self._inks = print_inks_of(draft.brand)
        self._credentials = credentials
        self._condition = draft.brand.print_condition
        self._folders = (policies_dir, assets_dir)
        self._publications = Publications(database)
        self._stored = StoredPackages(storage)

    @classmethod
    def of(
        cls,
        database: Database,
        storage: Storage,
        clock: Clock,
        policies_dir: Path,
        assets_dir: Path,
        credentials: ContentCredentials | None = None,
    ) -> Publisher:
        """Read the files. CampaignError has every mistake in them."""
        return cls(database, storage, clock, load(policies_dir, assets_dir), policies_dir, assets_dir, credentials)

    @property
    def campaign(self) -> Campaign:
        """The campaign that the files hold."""
        return self._draft

    def digest(self) -> str:
        """Return what tells this state of the files from another: SHA-256 over all that would be published."""
        packages = [f"{one.id} {one.version} {self._source_digest(one)}" for one in self._draft.packages.values()]
        return hashlib.sha256("\n".join([pack(*self._folders).sha256, *packages]).encode()).hexdigest()

    def draft(self) -> Draft:
        """Return what publishing would change; CampaignError where it could not, as in ``publish``."""
        waiting, mistakes = self._compare()
        mistakes.raise_if_any()
        newest = self._publications.newest()
        before = {} if newest is None else self._publications.files(newest)
        with self._database.read() as session:
            known = {(row.id, row.version) for row in session.scalars(select(PublishedTerms))}
        versions = [one for name in self._draft.terms.ids() for one in self._draft.terms.versions(name)]
        return Draft(
            compare(before, members_of(*self._folders), self._texts_before()),
            tuple(
                NewTerms(one.id, one.version, one.effective) for one in versions if (one.id, one.version) not in known
            ),
            tuple((manifest.id, manifest.version) for manifest in waiting),
        )

    def _texts_before(self) -> dict[str, str]:
        """Return for the path of each text of terms that of the same language in the version before."""
        found = {}
        for name in self._draft.terms.ids():
            for newer, older in itertools.pairwise(self._draft.terms.versions(name)):
                for language in {*newer.languages} & {*older.languages}:
                    found[terms_path(newer, language)] = terms_path(older, language)
        return found

    def publish(
        self, progress: Progress | None = None, *, by: str | None = None, reason: str | None = None
    ) -> PublishResult:
        """Publish policies, logos, terms and every package version that is not yet; return what is new.

        ``by`` and ``reason`` are who publishes and why: the publication keeps both, the log's entries the first.

        CampaignError where a published version's sources have changed or a package cannot be built; nothing
        is published then. What is published already costs only the reading of its sources.
        """
        waiting, mistakes = self._compare()
        mistakes.raise_if_any()
        with tempfile.TemporaryDirectory(prefix="emblem-publish-") as folder:
            built = self._build(waiting, mistakes, Path(folder), progress)
            mistakes.raise_if_any()
            policies, terms = self._publish_rules(by, reason)
            self._show_from_dates()
            new = [manifest for manifest, made in built if self._publish(manifest, made, by)]
            repaired = self._repair(Path(folder))
        return PublishResult(policies, terms, tuple(map(self._row, new)), repaired)

    def publish_rules(self, *, by: str | None = None, reason: str | None = None) -> PublishResult:
        """Publish policies, logos and terms alone. CampaignError where a published text has changed."""
        mistakes = Mistakes()
        self._compare_terms(mistakes)
        mistakes.raise_if_any()
        return PublishResult(*self._publish_rules(by, reason))

    def check(self) -> tuple[bool, tuple[PackageManifest, ...]]:
        """Return whether policies or logos wait to be published, and the packages that do; write nothing.

        CampaignError has every mistake, as in ``publish``.
        """
        waiting, mistakes = self._compare()
        try:
            check(*waiting, inks=self._inks)
        except CampaignError as error:
            mistakes.extend(error.mistakes)
        mistakes.raise_if_any()
        newest = self._publications.newest()
        return newest is None or newest.sha256 != pack(*self._folders).sha256, tuple(waiting)

    def _compare(self) -> tuple[list[PackageManifest], Mistakes]:
        """Return the manifests whose version is not published, and what changed under a published one."""
        waiting, mistakes = [], Mistakes()
        self._compare_terms(mistakes)
        for manifest in self._draft.packages.values():
            with self._database.read() as session:
                row = session.get(PackageVersion, (manifest.id, manifest.version))
            if row is None:
                waiting.append(manifest)
            elif row.source_digest != self._source_digest(manifest):
                mistakes.extend(_changed(manifest))
        return waiting, mistakes

    def _source_digest(self, manifest: PackageManifest) -> str:
        rights = self._rights(manifest)
        return source_digest(manifest, manifest.assets_dir, rights, self._inks, self._condition)

    def _rights(self, manifest: PackageManifest) -> Rights:
        return Rights.of(self._draft.info.rights, manifest)

    def _build(
        self, waiting: Sequence[PackageManifest], mistakes: Mistakes, folder: Path, progress: Progress | None = None
    ) -> list[tuple[PackageManifest, Built]]:
        built = []
        credentials = self._lasting_credentials() if waiting else None
        total, made = sum(1 + len(manifest.files) for manifest in waiting), itertools.count(1)

        def told() -> None:
            if progress:
                progress(next(made), total)

        with PngOptimisers() as optimise:
            for manifest in waiting:
                try:
                    made_files = build(
                        manifest,
                        manifest.assets_dir,
                        self._rights(manifest),
                        folder,
                        self._inks,
                        credentials,
                        self._condition,
                        Making(optimise, told),
                    )
                    built.append((manifest, made_files))
                except CampaignError as error:
                    mistakes.extend(error.mistakes)
                except OSError as error:
                    detail = "The packages cannot be built in the temporary folder; see that it exists and has room."
                    raise Unavailable(detail, private=str(error)) from error
        return built

    def _lasting_credentials(self) -> ContentCredentials | None:
        """Return what files are signed with. ConfigurationError where readers would refuse it, today or soon."""
        found = self._credentials
        if found is not None and found.expires - self._clock() < LEAST_LIFE:
            end = f"its certificate ends on {found.expires:%Y-%m-%d}, and with it every file that it signs"
            fix = "make another with `emblem secrets content-credentials FILE`"
            raise ConfigurationError([f"EMBLEM_CONTENT_CREDENTIALS: {end}: {fix}."])
        return found

    def _publish(self, manifest: PackageManifest, built: Built, by: str | None) -> bool:
        """Store a built version and publish it; False if another process did."""
        base = f"packages/{manifest.id}/{manifest.version}"
        preview_sha256 = hashlib.sha256(built.preview).hexdigest()
        key, preview_key = f"{base}/{built.sha256[:16]}.zip", f"{base}/{preview_sha256[:16]}.png"
        self._storage.put_new(preview_key, built.preview, "image/png")
        self._storage.put_new(key, built.path, ARCHIVE_MEDIA_TYPE)
        facts = {
            "title": manifest.title.as_json(),
            "description": manifest.description.as_json(),
            "licence": manifest.licence.as_json(),
            "languages": list(manifest.languages),
            "files": [file.as_json() for file in built.files],
            "preview": {"key": preview_key, "sha256": preview_sha256},
        }
        signed_by = self._credentials.digest if self._credentials else None

        def work(session: Session) -> bool:
            at = self._clock()
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
                        by=by,
                        files=files_digest(built.files),
                        signed_by=signed_by,
                    ),
                    at,
                )
                return True
            row = session.get_one(PackageVersion, (manifest.id, manifest.version))
            if row.source_digest != built.source_digest:
                raise CampaignError(_changed(manifest))
            return False

        return self._database.write(work)

    def _compare_terms(self, mistakes: Mistakes) -> None:
        """Note published texts of the terms that have changed: people accepted exactly those bytes."""
        with self._database.read() as session:
            published = session.scalars(select(PublishedTerms)).all()
        for row in published:
            if row.id not in self._draft.terms.ids():
                continue
            versions = {version.version: version for version in self._draft.terms.versions(row.id)}
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

    def _publish_rules(self, by: str | None, reason: str | None) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """Put policies and logos in force and enter their digest and each version of the terms into the log, once."""
        packed = pack(*self._folders)

        def work(session: Session) -> tuple[str | None, tuple[tuple[str, str], ...]]:
            at = self._clock()
            before = self._publications.newest_in(session)
            known = not insert_new(session, PublishedPolicy, digest=self._draft.digest, at=at)
            if not known or (before is not None and before.policies != self._draft.digest):
                ledger.append(session, ledger.PolicyPublishedEntry(digest=self._draft.digest, by=by), at)
            new = self._publications.add(session, self._draft.digest, packed, at, by, reason)
            terms = tuple(
                (version.id, version.version)
                for name in self._draft.terms.ids()
                for version in self._draft.terms.versions(name)
                if _publish_terms(session, version, at, by)
            )
            return (self._draft.digest if new else None), terms

        return self._database.write(work)

    def _show_from_dates(self) -> None:
        """Take over the dates from which versions are shown: unlike all else, they may change."""

        def work(session: Session) -> None:
            for manifest in self._draft.packages.values():
                row = session.get(PackageVersion, (manifest.id, manifest.version))
                if row is not None and row.visible_from != manifest.visible_from:
                    row.visible_from = manifest.visible_from

        self._database.write(work)

    def _repair(self, folder: Path) -> tuple[PublishedPackage, ...]:
        """Make damaged stored files again from sources that did not change, where that gives the published bytes.

        Signed ones never come out the same: they have to come from a backup, as `doctor` says.
        """
        published = [self._row(manifest) for manifest in self._draft.packages.values()]
        damaged = {found.package for found in self._stored.examine(published)}
        repaired = []
        for package in published:
            if package.id in damaged:
                ((_, made),) = self._build([self._draft.packages[package.id]], Mistakes(), folder)
                if made.sha256 == package.sha256:
                    self._storage.replace(package.storage_key, made.path, package.media_type)
                    repaired.append(package)
        return tuple(repaired)

    def _row(self, manifest: PackageManifest) -> PublishedPackage:
        with self._database.read() as session:
            return published_of(session.get_one(PackageVersion, (manifest.id, manifest.version)))


def _changed(manifest: PackageManifest) -> Iterable[Mistake]:
    return manifest.mistake(
        "version",
        f"The sources of {manifest.id} {manifest.version} have changed since it was published",
        "Raise version, or bring the sources back to what they were",
    ).all()


def _publish_terms(session: Session, version: TermsVersion, at: datetime, by: str | None) -> bool:
    """Enter a version of the terms, or the languages that came to it; False where nothing is new."""
    digests = {lang: version.digest(lang) for lang in version.languages}
    if not insert_new(session, PublishedTerms, id=version.id, version=version.version, digests=digests, at=at):
        row = session.get_one(PublishedTerms, (version.id, version.version), with_for_update=True)
        if digests.keys() <= row.digests.keys():
            return False
        row.digests = digests  # a language was added; what was published before has been compared
    ledger.append(
        session,
        ledger.TermsPublishedEntry(
            terms=version.id, version=version.version, effective=timestamp(version.effective), digests=digests, by=by
        ),
        at,
    )
    return True
