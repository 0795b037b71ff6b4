"""Links: issuing, listing and revoking signed, expiring download links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import ledger, paths
from ..campaign import Campaign
from ..clock import Clock, timestamp
from ..ids import new_id
from ..packages import Bundles, Catalogue, NoSuchFile, PublishedFile, PublishedPackage, UnknownBundle
from ..participants import granted
from ..participants.revocation import check_reason_given
from ..problems import (
    Conflict,
    FieldError,
    InvalidLink,
    InvalidRequest,
    NotFound,
    PackageWithdrawn,
    ParticipantNotApproved,
    PermissionLapsed,
    Problem,
    TermsNotAccepted,
    UnknownPackage,
    UnknownVersion,
)
from ..store import Database
from ..store.paging import Page, paginate
from ..store.tables import Download, Link, Participant
from .addresses import check_filename
from .permission import LinkState, read_state, select_states, states_of
from .tokens import Claim, Tokens

MOST_DOWNLOADS = 1_000_000
MOST_PACKAGES = 50  # in one link
Also = Callable[[Session, Participant], None]


@dataclass(frozen=True)
class IssuedLink:
    """A link as its owner sees it; ``url`` carries the token.

    ``file`` is what is sent; ``packages`` are the versions that it leads to, one unless several were asked for.
    """

    state: LinkState
    file: PublishedFile
    packages: tuple[PublishedPackage, ...]
    url: str
    status: str

    @property
    def id(self) -> str:
        """Return the link's id."""
        return self.state.link


@dataclass(frozen=True)
class DownloadView:
    """A recorded download, with what is kept of its client for people to read."""

    id: str
    at: datetime
    link: str
    participant: str
    package: str
    version: str
    path: str | None
    counted: bool
    range: str | None
    status: int
    client_kind: str
    client_prefix: str | None
    bytes: int
    bytes_sent: int | None

    @classmethod
    def of(cls, row: Download) -> DownloadView:
        """The download of a row."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})


class Links:
    """The links of one deployment."""

    def __init__(
        self,
        database: Database,
        campaign: Campaign,
        catalogue: Catalogue,
        bundles: Bundles,
        tokens: Tokens,
        clock: Clock,
        *,
        base_url: str,
        ages: tuple[int, int],
    ) -> None:
        """``ages``: the default and the longest life of a link, in seconds."""
        self._database = database
        self._campaign = campaign
        self._catalogue = catalogue
        self._bundles = bundles
        self._tokens = tokens
        self._clock = clock
        self._base_url = base_url
        self._default_age, self._longest_age = ages

    def issue(
        self,
        participant: str,
        package: str | Sequence[str],
        *,
        issued_by: str,
        version: str | None = None,
        path: str | None = None,
        expires_in: int | None = None,
        max_downloads: int | None = None,
    ) -> IssuedLink:
        """Issue a link to an approved participant that accepted the current terms of the package.

        Several packages, by a sequence of their ids, come in one file, in their current versions.
        ``path`` names one of the package's files, to which the link leads alone.
        ``expires_in`` is in seconds. Raises InvalidRequest, NotFound (participant), UnknownPackage,
        UnknownVersion, PackageWithdrawn, ParticipantNotApproved, PermissionLapsed or TermsNotAccepted.
        """
        several = not isinstance(package, str)
        ids = [package] if isinstance(package, str) else list(package)
        self._check_values(expires_in, max_downloads, ids)
        chosen = sorted((self._published(one, version) for one in ids), key=lambda one: one.id)
        published = chosen[0]
        if path is not None:
            self._single(published, path)
        link = new_id("lnk")
        if several:
            with self._database.read() as session:  # before a file is made for somebody
                _approved(session.get(Participant, participant), self._base_url)
        bundle = self._bundles.make(chosen).id if several else None

        def work(session: Session) -> LinkState:
            now = self._clock()
            owner = session.get(Participant, participant, with_for_update={"read": True})  # no erasure meanwhile
            _approved(owner, self._base_url)
            # Tokens carry whole seconds.
            expires = now.replace(microsecond=0) + timedelta(seconds=expires_in or self._default_age)
            session.add(
                Link(
                    id=link,
                    participant=participant,
                    package=published.id,
                    version=published.version,
                    bundle=bundle,
                    path=path,
                    issued_by=issued_by,
                    created_at=now,
                    expires_at=expires,
                    max_downloads=max_downloads,
                    counted=0,
                )
            )
            session.flush()
            state = read_state(session, self._campaign.terms.in_force(now), link)
            for one in state.versions:
                if one.withdrawn:
                    raise self._withdrawn(one.package, one.version)
            for one in state.versions:
                if not one.accepted:
                    raise TermsNotAccepted.of(one.terms, one.terms_version, self._base_url, state.language)
            ledger.append(
                session,
                ledger.LinkIssuedEntry(
                    id=link,
                    participant=participant,
                    package=None if several else published.id,
                    version=None if several else published.version,
                    path=path,
                    packages={one.id: one.version for one in chosen} if several else None,
                    expires_at=timestamp(expires),
                    max_downloads=max_downloads,
                    by=issued_by,
                ),
                now,
            )
            return state

        return self._issued(self._database.write(work))

    def get(self, link: str) -> IssuedLink:
        """Return a link by its id; NotFound where there is none."""
        with self._database.read() as session:
            row = session.execute(select_states().where(Link.id == link)).first()
            if row is None:
                raise NotFound("There is no link of this id.")
            (state,) = states_of(session.connection(), self._campaign.terms.in_force(self._clock()), [row])
        return self._issued(state)

    def file_of(self, claim: Claim, filename: str) -> PublishedFile:
        """Return the published file that an address leads to: its token's claim, and the file's name behind it.

        Asks the database only for a version that this process has not seen yet, and for a token of earlier
        deployments, which says no package. Raises InvalidLink where there is no such link or version, or where
        the name is not the file's.
        """
        try:
            file = self._claimed(claim)
        except (UnknownPackage, UnknownVersion, NoSuchFile, UnknownBundle) as error:
            raise InvalidLink(private="its version is not in the catalogue") from error
        check_filename(filename, file.filename)
        return file

    def _claimed(self, claim: Claim) -> PublishedFile:
        if claim.bundle is not None:
            return self._bundles.find(claim.bundle)
        published = self._catalogue.version(claim.package or self._package_of(claim.link), claim.version)
        return published if claim.path is None else published.single(claim.path)

    def _package_of(self, link: str) -> str:
        with self._database.read() as session:
            found = session.scalar(select(Link.package).where(Link.id == link))
        if found is None:
            raise InvalidLink
        return found

    def list(
        self,
        *,
        participant: str | None = None,
        portal: str | None = None,
        package: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[IssuedLink]:
        """Links, newest first: of one participant, or of those that a portal key may act for, or all.

        ``package`` narrows the list to links to that package alone, by itself or as one of its files.
        """
        statement = select_states()
        if package:
            statement = statement.where(Link.package == package, Link.bundle.is_(None))
        if participant:
            statement = statement.where(Link.participant == participant)
        now = self._clock()
        with self._database.read() as session:
            if portal:
                statement = statement.where(granted(session, portal, Link.participant))
            page = paginate(session, statement, Link.created_at, Link.id, cursor=cursor, limit=limit)
            states = states_of(session.connection(), self._campaign.terms.in_force(now), page.items)
            return Page(tuple(self._issued(state) for state in states), page.next_cursor)

    def revoke(self, link: str, *, by: str, reason: str | None = None, also: Also | None = None) -> None:
        """End a link at once; nothing happens to one that is revoked already. ``also`` is done with it.

        Raises NotFound or InvalidRequest.
        """
        checked = check_reason_given(reason)

        def work(session: Session) -> None:
            now = self._clock()
            found = _locked(session, link)
            if found.revoked_at is None:
                found.revoked_at, found.revoked_by, found.revoked_reason = now, by, checked
                ledger.append(session, ledger.LinkRevokedEntry(id=link, participant=found.participant, by=by), now)
                if also is not None:
                    also(session, session.get_one(Participant, found.participant))

        self._database.write(work)

    def restore(self, link: str, *, by: str, also: Also | None = None) -> None:
        """Take the end of a link back; nothing happens to one that goes on. ``also`` is done with it.

        Raises NotFound, or Conflict where its participant is erased.
        """

        def work(session: Session) -> None:
            found = _locked(session, link)
            owner = session.get_one(Participant, found.participant)
            if owner.status == "erased":
                raise Conflict("Its participant is erased, so the link cannot come back.")
            if found.revoked_at is not None:
                found.revoked_at = found.revoked_by = found.revoked_reason = None
                entry = ledger.LinkRestoredEntry(id=link, participant=found.participant, by=by)
                ledger.append(session, entry, self._clock())
                if also is not None:
                    also(session, owner)

        self._database.write(work)

    def counted_since(self, link: str, since: datetime) -> int:
        """Count the downloads of a link since an instant."""
        with self._database.read() as session:
            mine = select(func.count()).select_from(Download)
            return session.scalar(mine.where(Download.link == link, Download.at >= since, Download.counted)) or 0

    def downloads(
        self,
        *,
        participant: str | None = None,
        package: str | None = None,
        link: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        portal: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[DownloadView]:
        """Return recorded downloads, newest first; ``until`` is not included."""
        statement = select(Download)
        conditions = {
            Download.participant: participant,
            Download.package: package,
            Download.link: link,
        }
        for column, value in conditions.items():
            if value:
                statement = statement.where(column == value)
        if since:
            statement = statement.where(Download.at >= since)
        if until:
            statement = statement.where(Download.at < until)
        with self._database.read() as session:
            if portal:
                statement = statement.where(granted(session, portal, Download.participant))
            page = paginate(session, statement, Download.at, Download.id, cursor=cursor, limit=limit)
            return page.map(lambda row: DownloadView.of(row[0]))

    def url(self, state: LinkState, filename: str) -> str:
        """Return the link's URL, its token signed anew with the same text."""
        if state.bundle is not None:
            claim = Claim(state.link, "", "", state.expires_at, bundle=state.bundle)
        else:
            (only,) = state.versions
            claim = Claim(state.link, only.package, only.version, state.expires_at, state.path)
        return self._base_url + paths.download(self._tokens.sign(claim, state.created_at), filename)

    def _issued(self, state: LinkState) -> IssuedLink:
        packages = tuple(self._catalogue.version(one.package, one.version) for one in state.versions)
        file: PublishedFile
        if state.bundle is not None:
            file = self._bundles.find(state.bundle)
        else:
            file = packages[0] if state.path is None else packages[0].single(state.path)
        return IssuedLink(state, file, packages, self.url(state, file.filename), state.status(self._clock()))

    def _check_values(self, expires_in: int | None, max_downloads: int | None, packages: Sequence[str]) -> None:
        errors = [
            FieldError(f"/packages/{index}", f"{one} is named before; name each package once.")
            for index, one in enumerate(packages)
            if one in packages[:index]
        ]
        if not 1 <= len(packages) <= MOST_PACKAGES:
            errors.append(FieldError("/packages", f"Name between 1 and {MOST_PACKAGES} packages."))
        if expires_in is not None and not 1 <= expires_in <= self._longest_age:
            errors.append(FieldError("/expires_in", f"Give between 1 and {self._longest_age} seconds."))
        if max_downloads is not None and not 1 <= max_downloads <= MOST_DOWNLOADS:
            errors.append(FieldError("/max_downloads", f"Give between 1 and {MOST_DOWNLOADS}, or leave it out."))
        if errors:
            raise InvalidRequest(errors=errors)

    def _published(self, package: str, version: str | None) -> PublishedPackage:
        if version is not None:
            if version not in {shown.package.version for shown in self._catalogue.versions(package)}:
                raise UnknownVersion(f"See {paths.package_versions(package)} for the versions that there are.")
            return self._catalogue.version(package, version)
        return self._catalogue.current_version(package)

    def _single(self, published: PublishedPackage, path: str) -> None:
        """Has one file of a package stored on its own; InvalidRequest where the package has none of this path."""
        if path not in {file["path"] for file in published.files}:
            detail = (
                f"{published.id} {published.version} has no such file; its files are those of the package's answer."
            )
            raise InvalidRequest(errors=[FieldError("/path", detail)])
        self._catalogue.store_single(published, path)

    def _withdrawn(self, package: str, version: str) -> Problem:
        return PackageWithdrawn(f"Version {version} of {package} has been withdrawn; ask for a link without version.")


def _approved(owner: Participant | None, base_url: str) -> None:
    """Raise NotFound, PermissionLapsed or ParticipantNotApproved for whom no link may be issued."""
    if owner is None or owner.status == "erased":
        raise NotFound("There is no participant of this id that you may act for.")
    if owner.status == "lapsed":
        raise PermissionLapsed.of(owner.id, base_url, owner.language)
    if owner.status != "approved":
        raise ParticipantNotApproved(extra={"participant_status": owner.status})


def _locked(session: Session, link: str) -> Link:
    found = session.get(Link, link, with_for_update=True)
    if found is None:
        raise NotFound("There is no link of this id.")
    return found
