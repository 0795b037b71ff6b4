"""Forget: the names on a participant's certificates at once, and their files soon after."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..storage import Storage
from ..store import Database
from ..store.batches import changed
from ..store.tables import Certificate


def file_key(certificate: str, form: str) -> str:
    """Return where a file of a certificate lies in the storage."""
    return f"certificates/{certificate}/{form}"


def blank_certificates(session: Session, participant: str) -> int:
    """Forget the name and the salt of a participant's certificates, which are revoked then; return how many.

    Nobody is given a file of one without a name, whether it is deleted already or not.
    """
    mine = Certificate.participant == participant
    return changed(session, update(Certificate).where(mine, Certificate.name.is_not(None)).values(name=None, salt=None))


def drop_files(database: Database, storage: Storage) -> int:
    """Delete the files of certificates whose holders were erased; return of how many. Files first, then the note."""
    with database.read() as session:
        due = session.scalars(select(Certificate.id).where(Certificate.name.is_(None), Certificate.has_files)).all()
    for certificate in due:
        for item in list(storage.list(f"certificates/{certificate}/")):
            storage.delete(item.key)
    if due:
        done = update(Certificate).where(Certificate.id.in_(due)).values(has_files=False)
        database.write(lambda session: changed(session, done))
    return len(due)
