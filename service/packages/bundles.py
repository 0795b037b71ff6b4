"""Bundles: several packages in one ZIP file, with a folder for each, made once for that set of versions.

The file depends on nothing but the versions in it, so every process makes the same bytes: the folders in the order
of the packages' ids, and in each the files of its package. It is stored under a key that names its content before its
row is written; a crash between the two leaves an object that nothing refers to, and the next call writes the row.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rfc8785
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..campaign.manifests import ARCHIVE_MEDIA_TYPE
from ..clock import Clock
from ..problems import PackageDamaged
from ..storage import ObjectMissing, Storage
from ..store.database import Database
from ..store.tables import Bundle as Row
from ..store.tables import BundledVersion
from ..store.upsert import insert_new
from .archive import write_archive
from .catalogue import Catalogue
from .published import PublishedPackage

#: Raised when the making itself changes what comes out: the same set of versions is another bundle then.
GENERATOR = 1
_NAME = 8  # digits of a bundle's id in the name of its file


class UnknownBundle(LookupError):
    """There is no bundle of this id."""


@dataclass(frozen=True)
class StoredBundle:
    """A stored bundle, as links lead to it. ``packages`` are in the order of their ids."""

    id: str
    packages: tuple[PublishedPackage, ...]
    bytes: int
    sha256: str
    storage_key: str

    @property
    def version(self) -> str:
        """Return its versions in words, for whoever looks after the stored files."""
        return " + ".join(f"{package.id} {package.version}" for package in self.packages)

    @property
    def media_type(self) -> str:
        """Return what it is served as."""
        return ARCHIVE_MEDIA_TYPE

    @property
    def filename(self) -> str:
        """Return the name that it is saved under; another set has another name."""
        return f"campaign-tools-{self.id[:_NAME]}.zip"

    @property
    def all_terms(self) -> tuple[str, ...]:
        """Return the ids of the terms that apply to what is in it, each once."""
        return tuple(dict.fromkeys(package.terms for package in self.packages))


class Bundles:
    """The bundles of one deployment. Safe to share between threads."""

    def __init__(self, database: Database, storage: Storage, catalogue: Catalogue, clock: Clock) -> None:
        self._database = database
        self._storage = storage
        self._catalogue = catalogue
        self._clock = clock
        self._known: dict[str, StoredBundle] = {}

    def make(self, packages: Sequence[PublishedPackage]) -> StoredBundle:
        """Return the bundle of these versions, of different packages; made where it is not there yet, or not any more.

        PackageDamaged where a stored package is not what was published.
        """
        chosen = tuple(sorted(packages, key=lambda package: package.id))
        name = bundle_id(chosen)
        try:
            found = self.find(name)
        except UnknownBundle:
            found = None
        if found is not None and self._storage.size(found.storage_key) == found.bytes:
            return found
        with self._written(chosen) as (path, sha256, size):
            made = StoredBundle(name, chosen, size, sha256, f"packages/_bundles/{name}/{sha256[:16]}.zip")
            if found is None:
                self._storage.put_new(made.storage_key, path, ARCHIVE_MEDIA_TYPE)
                self._database.write(lambda session: self._add(session, made))
            else:  # it was lost; what is made of the same versions is the same file
                self._storage.replace(found.storage_key, path, ARCHIVE_MEDIA_TYPE)
        return self.find(name)

    def find(self, name: str) -> StoredBundle:
        """Return a bundle by its id; asks the database once a process. UnknownBundle where there is none."""
        known = self._known.get(name)
        if known is not None:
            return known
        inside = select(BundledVersion.package, BundledVersion.version).where(BundledVersion.bundle == name)
        with self._database.read() as session:
            row = session.get(Row, name)
            versions = session.execute(inside.order_by(BundledVersion.package)).all()
        if row is None:
            raise UnknownBundle(name)
        packages = tuple(self._catalogue.version(package, version) for package, version in versions)
        return self._known.setdefault(name, StoredBundle(row.id, packages, row.bytes, row.sha256, row.storage_key))

    def handed_out(self) -> list[StoredBundle]:
        """Return every bundle of which no version is withdrawn, in the order of their ids."""
        with self._database.read() as session:
            names = session.scalars(select(Row.id).order_by(Row.id)).all()
        offered = {(package.id, package.version) for package in self._catalogue.handed_out()} if names else set()
        found = [self.find(name) for name in names]
        return [one for one in found if all((package.id, package.version) in offered for package in one.packages)]

    @contextmanager
    def _written(self, packages: Sequence[PublishedPackage]) -> Iterator[tuple[Path, str, int]]:
        """Write the file of these packages into a temporary one: its path, SHA-256 and size in bytes."""
        members: dict[str, builtins.bytes] = {}
        for package in packages:
            members |= {f"{package.id}/{path}": content for path, content in self._contents(package)}
        with tempfile.TemporaryDirectory(prefix="emblem-bundle-") as folder:
            path = Path(folder, "bundle.zip")
            with path.open("wb") as opened:
                write_archive(members, opened)
            with path.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            yield path, digest, path.stat().st_size

    def _contents(self, package: PublishedPackage) -> Iterator[tuple[str, builtins.bytes]]:
        try:
            archive = self._storage.read(package.storage_key)
        except ObjectMissing as error:
            raise PackageDamaged(private=f"{package.storage_key} is missing") from error
        if hashlib.sha256(archive).hexdigest() != package.sha256:
            raise PackageDamaged(private=f"{package.storage_key} is not what was published")
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for path in opened.namelist():
                yield path, opened.read(path)

    def _add(self, session: Session, made: StoredBundle) -> None:
        values = {"sha256": made.sha256, "bytes": made.bytes, "storage_key": made.storage_key}
        if insert_new(session, Row, id=made.id, created_at=self._clock(), **values):
            session.add_all(
                BundledVersion(bundle=made.id, package=package.id, version=package.version) for package in made.packages
            )


def bundle_id(packages: Sequence[PublishedPackage]) -> str:
    """Return the id of the bundle of these versions: 40 hex digits of a SHA-256 over their names."""
    named: list[list[str]] = sorted([package.id, package.version] for package in packages)
    return hashlib.sha256(rfc8785.dumps([GENERATOR, named])).hexdigest()[:40]
