"""Outages in words: what is away, broken or full, and what to do about it, in one sentence an operator can act on."""

from __future__ import annotations

from ..problems import Problem, Unavailable


def sentence(error: Exception) -> str | None:
    """Say what does not answer or cannot be written, with the fix; None for a mistake of ours."""
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    from ..store.outages import outage

    if isinstance(error, Unavailable) and error.detail == error.help:
        cause = error.__cause__
        told = sentence(cause) if isinstance(cause, Exception) and not isinstance(cause, Problem) else None
        if told is None or _of_storage(cause):  # what the storage's room says is of its own settings
            private = error.private.partition("\n")[0][:400].rstrip(".")
            return f"The storage does not do it: {private}." if _of_storage(cause) else None
        return told
    if isinstance(error, DBAPIError | PoolTimeout):
        return outage(error)
    if isinstance(error, OSError):
        named = f"{error.filename} " if error.filename else ""
        return f"{named}cannot be used ({error.strerror or type(error).__name__}): correct the path or its permissions."
    if _of_storage(error):
        return f"The storage does not answer ({type(error).__name__}): start it, or correct EMBLEM_STORAGE_URL."
    return None


def _of_storage(error: BaseException | None) -> bool:
    return type(error).__module__.startswith(("botocore.", "boto3."))
