"""Checks of artwork as they are kept: a row with the report, a log entry, and pictures for a while.

The order of keeping: row and log entry in one transaction → the files. A crash between leaves a row whose files are
missing, never a file that no row knows of and nobody would delete.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast, get_args

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from .. import ledger, paths
from ..artwork import ArtworkChecks, ArtworkReport, Checked, LogoReport, Verdict, missing_packages
from ..campaign import Campaign, typed_text
from ..clock import Clock
from ..embeds import Embeds
from ..ids import new_id
from ..participants.access import granted
from ..participants.rows import locked
from ..problems import FieldError, InvalidRequest, NotFound, Unavailable
from ..storage import Storage
from ..store import Database, tables
from ..store.paging import MOST, Page, paginate
from ..store.word_search import FEW
from .forgetting import NOBODY, drop_checks, drop_files, file_key
from .places import Places

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
UPLOAD = "upload"  # the name of a file that is kept as it was sent
PICTURES_KEPT = timedelta(hours=1)
_LIVE = ("active", "grace")  # embeds that show their logo


@dataclass(frozen=True)
class Overruled:
    """Word of staff on a check: another verdict, and why. The newest one where it was said more than once."""

    verdict: str
    reason: str | None
    by: str
    at: datetime


@dataclass(frozen=True)
class KeptCheck:
    """A check that was made. ``pictures`` are the addresses of the annotated pictures by page, while they are kept."""

    id: str
    at: datetime
    participant: str | None
    by: str
    language: str
    report: ArtworkReport
    pictures: Mapping[int, str]
    upload_kept: bool
    files_until: datetime | None
    overruled: Overruled | None
    secret: str = field(repr=False)

    @property
    def verdict(self) -> str:
        """Return what counts: the word of staff where there is one, else the check's."""
        return self.overruled.verdict if self.overruled else self.report.verdict


class Verdicts:
    """Checks files, keeps what came out, and lets staff judge otherwise. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        campaign: Campaign,
        clock: Clock,
        embeds: Embeds,
        *,
        base_url: str,
        data_dir: Path,
    ) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._embeds = embeds
        self._base_url = base_url
        self._in_force = campaign, ArtworkChecks(campaign)
        self._places = Places(data_dir, self._in_force[1].at_once)

    def take_up(self, campaign: Campaign) -> None:
        """Go by another publication of the campaign from now on; checks under way end by the one before."""
        self._in_force = campaign, ArtworkChecks(campaign)

    def close(self) -> None:
        """End the checks that are under way."""
        self._in_force[1].close()

    @property
    def _campaign(self) -> Campaign:
        return self._in_force[0]

    def available(self) -> bool:
        """Tell whether what a check needs is installed."""
        return not missing_packages()

    def look(self, data: bytes, *, language: str, logo: str | None = None) -> ArtworkReport:
        """Check a file and keep nothing of it. Raises as ``check`` does."""
        return self._look(data, logo=logo, purpose=None, language=language)[1].report

    def _look(self, data: bytes, *, logo: str | None, purpose: str | None, language: str) -> tuple[Campaign, Checked]:
        if missing := missing_packages():
            raise Unavailable(
                "Artwork is not checked here: the service was installed without the extra `artwork`.",
                private=f"not installed: {', '.join(missing)}",
            )
        with self._places.one():
            campaign, checks = self._in_force
            return campaign, checks.check(data, logo=logo, purpose=purpose, lang=language)

    def check(
        self,
        data: bytes,
        *,
        by: str,
        language: str,
        logo: str | None = None,
        purpose: str | None = None,
        keep: bool = False,
        participant: str | None = None,
    ) -> KeptCheck:
        """Check a file for somebody and keep what came out; the file itself with ``keep`` alone.

        Raises UnknownLogo, TooLarge, UnsupportedMediaType or InvalidRequest with the reason; NotFound for a participant
        who is not there; Unavailable where checks are not installed or too many wait.
        """
        if participant is not None:
            self._require(participant)
        campaign, checked = self._look(data, logo=logo, purpose=purpose, language=language)
        report, now = checked.report, self._clock()
        pictures = {f"{page}.png": png for page, png in checked.annotated}
        files = {**pictures, **({UPLOAD: data} if keep else {})}
        row = tables.ArtworkCheck(
            id=new_id("chk"),
            at=now,
            participant=participant,
            by=by,
            language=language,
            sha256=report.sha256,
            verdict=report.verdict,
            report=report.model_dump(mode="json", exclude={"id", "annotated_url"}),
            secret=secrets.token_urlsafe(16),
            files=list(files),
            files_until=now + (timedelta(days=campaign.info.retention.artwork_days) if keep else PICTURES_KEPT),
        )

        def work(session: Session) -> KeptCheck:
            if participant is not None and locked(session, participant).status == "erased":  # meanwhile
                raise _no_participant()
            session.add(row)
            if by != NOBODY:
                ledger.append(session, _entry(row, report, campaign.digest), now)
            session.flush()
            return self._kept(row, now)

        made = self._database.write(work)
        for name, content in files.items():
            media_type = report.media_type if name == UPLOAD else "image/png"
            self._storage.replace(file_key(made.secret, name), content, media_type)
        return self._addressed([made])[0]

    def get(self, check: str) -> KeptCheck:
        """One check. Raises NotFound, also for one of somebody who was not signed in and whose time is over."""
        now = self._clock()
        with self._database.read() as session:
            row = session.get(tables.ArtworkCheck, check)
            if row is None or (row.by == NOBODY and (row.files_until is None or row.files_until <= now)):
                raise NotFound("There is no check of this id.")
            found = self._kept(row, now)
        return self._addressed([found])[0]

    def list(
        self,
        *,
        participant: str | None = None,
        verdict: str | None = None,
        portal: str | None = None,
        overruled: bool = False,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[KeptCheck]:
        """Checks of those who have a key or an account, newest first.

        Of one participant, with one verdict of the check itself, or those that a portal key may see: its own, and of
        participants that it may act for. ``overruled`` gives those that staff judged otherwise, newest such word first.
        """
        table, now = tables.ArtworkCheck, self._clock()
        statement = select(table).where(table.by != NOBODY)
        if participant:
            statement = statement.where(table.participant == participant)
        if verdict:
            statement = statement.where(table.verdict == verdict)
        if overruled:
            statement = statement.where(table.overruled_at.is_not(None))
        sorted_by = cast("InstrumentedAttribute[datetime]", table.overruled_at) if overruled else table.at
        with self._database.read() as session:
            if portal:
                statement = statement.where(_of_portal(session, portal))
            page = paginate(session, statement, sorted_by, table.id, cursor=cursor, limit=limit)
            found = [self._kept(row, now) for (row,) in page.items]
        return Page(tuple(self._addressed(found)), page.next_cursor)

    def overrule(self, check: str, verdict: str, *, reason: object, by: str) -> KeptCheck:
        """Let a check count as ``verdict``, for a reason, whatever it measured; the last word counts.

        Raises NotFound, or InvalidRequest where the verdict is none or the one that counts already.
        """
        errors: list[FieldError] = []
        said = typed_text.read(reason, "/reason", errors, longest=typed_text.LONGEST_TEXT, lines=True)
        if verdict not in VERDICTS:
            errors.append(FieldError("/verdict", f"Choose one of {', '.join(VERDICTS)}."))
        if errors:
            raise InvalidRequest(errors=errors)
        now = self._clock()

        def work(session: Session) -> KeptCheck:
            row = session.get(tables.ArtworkCheck, check, with_for_update=True)
            if row is None or row.by == NOBODY:
                raise NotFound("There is no check of this id.")
            before = row.overruled_verdict or row.verdict
            if before == verdict:
                detail = f"It counts as {verdict} already; choose another verdict."
                raise InvalidRequest(detail, errors=[FieldError("/verdict", detail)])
            row.overruled_at, row.overruled_by = now, by
            row.overruled_verdict, row.overruled_reason = verdict, said
            entry = ledger.ArtworkOverruledEntry(
                check=row.id, participant=row.participant, before=before, verdict=verdict, by=by
            )
            ledger.append(session, entry, now)
            return self._kept(row, now)

        return self._addressed([self._database.write(work)])[0]

    def picture(self, secret: str, page: int) -> bytes:
        """An annotated picture (PNG). Raises NotFound once its time is over."""
        now, name = self._clock(), f"{page}.png"
        table = tables.ArtworkCheck
        with self._database.read() as session:
            row = session.scalar(select(table).where(table.secret == secret))
            kept = row is not None and row.files_until is not None and row.files_until > now and name in row.files
        found = self._storage.find(file_key(secret, name)) if kept else None
        if found is None:
            raise NotFound("This picture is no longer kept. Check the file again to see it.")
        return found

    def upload(self, check: KeptCheck) -> bytes:
        """The file of a check, as it was sent. Raises NotFound where it is not kept."""
        found = self._storage.find(file_key(check.secret, UPLOAD)) if check.upload_kept else None
        if found is None:
            raise NotFound("This file is not kept: whoever sent it did not ask for that, or its time is over.")
        return found

    def drop(self) -> int:
        """Delete what has become too old: files, and whole checks; return how many checks that were."""
        now = self._clock()
        oldest = now - timedelta(days=self._campaign.info.retention.artwork_days)
        return drop_files(self._database, self._storage, now) + drop_checks(self._database, self._storage, oldest)

    def _require(self, participant: str) -> None:
        with self._database.read() as session:
            row = session.get(tables.Participant, participant)
            if row is None or row.status == "erased":
                raise _no_participant()

    def _kept(self, row: tables.ArtworkCheck, now: datetime) -> KeptCheck:
        there = row.files_until is not None and row.files_until > now
        names = row.files if there else []
        pages = sorted(int(name.removesuffix(".png")) for name in names if name != UPLOAD)
        said = None
        if row.overruled_at is not None and row.overruled_verdict is not None:
            said = Overruled(row.overruled_verdict, row.overruled_reason, row.overruled_by or "", row.overruled_at)
        return KeptCheck(
            id=row.id,
            at=row.at,
            participant=row.participant,
            by=row.by,
            language=row.language,
            report=ArtworkReport.model_validate(row.report),
            pictures={page: self._base_url + paths.annotated(row.secret, page) for page in pages},
            upload_kept=UPLOAD in names,
            files_until=row.files_until if there else None,
            overruled=said,
            secret=row.secret,
        )

    def _addressed(self, checks: Sequence[KeptCheck]) -> Sequence[KeptCheck]:
        """The checks with the addresses of right variants: of the participant's own embeds, else of our own pages."""
        embeds: dict[str | None, dict[str, str]] = {None: {}}
        made = []
        for check in checks:
            if check.participant not in embeds:
                mine = self._embeds.list(participant=check.participant, limit=MOST).items
                embeds[check.participant] = {one.logo: one.base_url for one in reversed(mine) if one.status in _LIVE}
            own = embeds[check.participant]
            logos = tuple(self._with_address(logo, own) for logo in check.report.logos)
            made.append(replace(check, report=check.report.model_copy(update={"logos": logos})))
        return made

    def _with_address(self, logo: LogoReport, own: Mapping[str, str]) -> LogoReport:
        if logo.right is None or logo.logo not in self._campaign.logos:
            return logo
        colourway, width = logo.right.colourway, logo.right.width
        if logo.logo in own:
            url = f"{own[logo.logo]}/{colourway}/{width}.auto"
        else:
            url = self._base_url + paths.shown_variant(logo.logo, colourway, width)
        return logo.model_copy(update={"right": logo.right.model_copy(update={"url": url})})


def _no_participant() -> NotFound:
    return NotFound("There is no participant of this id.")


def _entry(row: tables.ArtworkCheck, report: ArtworkReport, policy: str) -> ledger.ArtworkCheckedEntry:
    return ledger.ArtworkCheckedEntry(
        id=row.id,
        participant=row.participant,
        sha256=report.sha256,
        verdict=report.verdict,
        logos=sorted({logo.logo for logo in report.logos}),
        rules=sorted({finding.rule for logo in report.logos for finding in logo.violations}),
        policy=policy,
        by=row.by,
    )


def _of_portal(session: Session, portal: str) -> ColumnElement[bool]:
    """The condition of the checks that a portal may see: few are looked up by their ids, many met soon enough."""
    table = tables.ArtworkCheck
    seen, few = (granted(session, portal, table.participant), table.by == f"portal:{portal}"), set[str]()
    for condition in seen:
        few.update(session.scalars(select(table.id).where(condition).limit(FEW + 1)))
        if len(few) > FEW:
            return or_(*seen)
    return table.id.in_(few)
