"""Files of cases: what may be sent, where it lies, and the artwork check whose verdict stands beside it.

The order of keeping: the check → the row → the bytes. A crash between the last two leaves a row whose file is missing,
never bytes that no row knows of. Forgetting goes the other way: the row says so first, then the bytes go.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from .. import artwork
from ..campaign import typed_text
from ..clock import Clock
from ..ids import new_id
from ..media_types import MEDIA_TYPES, recognised
from ..problems import FieldError, InvalidRequest, NotFound, TooLarge, TooManyFiles, Unavailable, UnsupportedMediaType
from ..storage import Storage
from ..store import Database
from ..store.desk_tables import CaseFile
from ..verdicts import Verdicts
from .rows import advance, follows, locked, no_case
from .states import CaseAction
from .views import FileView

log = structlog.get_logger()

MOST_BYTES = 10_000_000
MOST_FILES = 10  # in a case
_STEP = 100  # files whose bytes are deleted between two transactions


@dataclass(frozen=True)
class StoredFile:
    """A file with its bytes, as it was sent."""

    view: FileView
    data: bytes


class CaseFiles:
    """Takes, gives and forgets the files of cases."""

    def __init__(self, database: Database, storage: Storage, clock: Clock, verdicts: Verdicts) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._verdicts = verdicts

    def add(self, case: str, data: bytes, name: object, *, by: str, staff: bool, language: str) -> FileView:
        """Add a file to a case; what staff add is theirs alone until a visible message names it.

        A picture or a PDF is checked as artwork where checks are installed and have room; one that cannot be opened, or
        is larger than it seems, is refused. Raises NotFound, CaseDecided, TooManyFiles, TooLarge, UnsupportedMediaType
        or InvalidRequest with the reason.
        """
        media_type = media_type_of(data)
        errors: list[FieldError] = []
        shown = typed_text.read(name, "/file", errors)
        if errors:
            raise InvalidRequest("Give the file a name of at most 200 characters.", errors=errors)
        participant = self._database.write(lambda session: self._require_room(session, case, staff=staff))
        check, verdict = self._check(data, by, language, participant)
        number = new_id("fil")

        def work(session: Session) -> FileView:
            self._require_room(session, case, staff=staff)
            row, _ = locked(session, case)
            now = self._clock()
            advance(session, row, CaseAction.ATTACH, by, now)
            added = CaseFile(
                id=number,
                case=case,
                at=now,
                by=by,
                name=shown,
                media_type=media_type,
                bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                visible=not staff,
                artwork_check=check,
                verdict=verdict,
            )
            session.add(added)
            return FileView.of(added)

        made = self._database.write(work)
        self._storage.replace(_key(number), data, media_type)
        return made

    def get(self, case: str, file: str, *, staff: bool) -> StoredFile:
        """Return a file with its bytes; for others than staff only one that they may see. Raises NotFound."""
        with self._database.read() as session:
            row = session.get(CaseFile, file)
            seen = row is not None and row.case == case and row.dropped_at is None and (staff or row.visible)
            view = FileView.of(row) if row is not None and seen else None
        data = self._storage.find(_key(file)) if view is not None else None
        if view is None or data is None:
            raise NotFound("There is no file of this id in this case that you may see.")
        return StoredFile(view, data)

    def drop(self) -> int:
        """Delete the bytes of files that were forgotten; return how many."""
        total = 0
        while True:
            with self._database.read() as session:
                gone = select(CaseFile.id).where(CaseFile.dropped_at.is_not(None), CaseFile.bytes > 0).limit(_STEP)
                ids = list(session.scalars(gone))
            if not ids:
                return total
            for number in ids:
                self._storage.delete(_key(number))
            done = update(CaseFile).where(CaseFile.id.in_(ids)).values(bytes=0)
            self._database.write(lambda session, done=done: session.execute(done))  # type: ignore[misc]
            total += len(ids)

    def _require_room(self, session: Session, case: str, *, staff: bool) -> str | None:
        """Return whose case it is; raises what stands against another file."""
        row, _ = locked(session, case)
        if row.kind == "misuse" and not staff:
            raise no_case()
        follows(session, row, CaseAction.ATTACH)
        kept = select(func.count()).select_from(CaseFile).where(CaseFile.case == case, CaseFile.dropped_at.is_(None))
        if (session.scalar(kept) or 0) >= MOST_FILES:
            raise TooManyFiles
        return row.participant

    def _check(self, data: bytes, by: str, language: str, participant: str | None) -> tuple[str | None, str | None]:
        """Return the id and the verdict of an artwork check; of none where it cannot be made at the moment."""
        if not self._verdicts.available():
            return None, None
        try:
            found = self._verdicts.check(data, by=by, language=language, participant=participant)
        except Unavailable as busy:
            log.info("a file of a case was taken without a check", reason=busy.detail)
            return None, None
        return found.id, found.report.verdict


def media_type_of(data: bytes) -> str:
    """Return the media type of a file by its first bytes.

    Raises TooLarge, UnsupportedMediaType for a type that is not taken, and InvalidRequest for an empty file.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(f"The file has {len(data) / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:.0f} MB are taken.")
    if not data:
        raise InvalidRequest("The file is empty.", errors=[FieldError("/file", "The file is empty.")])
    if kind := recognised(data):
        return MEDIA_TYPES[kind]
    raise UnsupportedMediaType(f"The file is none of those that are taken. Send {artwork.FORMATS}.")


def forget_files(session: Session, cases: list[str], now: datetime) -> int:
    """Let the files of cases go: nobody is given one any more, and their bytes are deleted at the next turn."""
    table = CaseFile
    mine = select(func.count()).select_from(table).where(table.case.in_(cases), table.dropped_at.is_(None))
    count = session.scalar(mine) or 0
    session.execute(
        update(table).where(table.case.in_(cases), table.dropped_at.is_(None)).values(name="", dropped_at=now)
    )
    return count


def _key(file: str) -> str:
    """Return where a file lies in the storage."""
    return f"cases/{file}"
