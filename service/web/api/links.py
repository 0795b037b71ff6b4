"""Links and downloads: issue, look at, list, revoke; and what was downloaded."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from flask import Response

from ... import paths
from ...problems import FieldError, InvalidRequest, NotFound
from ..auth import may_see, need, own, portal
from ..context import actor, deployment, key
from . import answer, blueprint
from .models import (
    DownloadsAnswer,
    DownloadsQuery,
    IdPath,
    LinkAnswer,
    LinkBody,
    LinksAnswer,
    LinksQuery,
)

api = blueprint("links", "Signed, expiring download links and the record of downloads")


@api.post("/links", responses={201: LinkAnswer})
@need("portal", "partner", "staff")
def issue(body: LinkBody) -> Response:
    """Issues a link."""
    may_see(body.participant)
    issued = deployment().links.issue(
        body.participant,
        body.package,
        issued_by=actor(),
        version=body.version,
        expires_in=body.expires_in,
        max_downloads=body.max_downloads,
    )
    return answer(issued.as_json(), 201, Location=paths.link(issued.id))


@api.get("/links", responses={200: LinksAnswer})
@need("portal", "partner", "staff", "auditor")
def links(query: LinksQuery) -> Response:
    """Lists links, newest first."""
    participant = own(query.participant)
    if participant:
        may_see(participant)
    page = deployment().links.list(participant=participant, portal=portal(), cursor=query.cursor, limit=query.limit)
    found = [link.as_json(with_url=_with_url()) for link in page.items]
    return answer({"links": found, "next_cursor": page.next_cursor})


@api.get("/links/<id>", responses={200: LinkAnswer})
@need("portal", "partner", "staff", "auditor")
def link(path: IdPath) -> Response:
    """One link with its status and how often it was used."""
    found = deployment().links.get(path.id)
    _mine(found.state.participant)
    return answer(found.as_json(with_url=_with_url()))


@api.delete("/links/<id>", responses={204: None})
@need("portal", "partner", "staff")
def revoke(path: IdPath) -> Response:
    """Ends a link at once."""
    _mine(deployment().links.get(path.id).state.participant)
    deployment().links.revoke(path.id, by=actor())
    return Response(status=204)


@api.get("/downloads", responses={200: DownloadsAnswer})
@need("portal", "partner", "staff", "auditor")
def downloads(query: DownloadsQuery) -> Response:
    """Lists recorded downloads, newest first."""
    participant = own(query.participant)
    if participant:
        may_see(participant)
    since, until = period(query.since, query.until)
    page = deployment().links.downloads(
        participant=participant,
        package=query.package,
        link=query.link,
        since=since,
        until=until,
        portal=portal(),
        cursor=query.cursor,
        limit=query.limit,
    )
    return answer({"downloads": page.items, "next_cursor": page.next_cursor})


def period(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The half-open span of ``from`` and ``to``: dates are both included, of instants the second is excluded.

    InvalidRequest with a pointer for what is neither, or for an end before the beginning.
    """
    errors: list[FieldError] = []
    begin = _instant(since, "?from", errors, end=False)
    end = _instant(until, "?to", errors, end=True)
    if begin and end and end < begin:
        errors.append(FieldError("?to", "The end lies before the beginning."))
    if errors:
        raise InvalidRequest(errors=errors)
    return begin, end


def _instant(text: str | None, pointer: str, errors: list[FieldError], *, end: bool) -> datetime | None:
    if not text:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = date.fromisoformat(text) + timedelta(days=int(end))
            return datetime.combine(day, time.min, UTC)
        if re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    errors.append(FieldError(pointer, "Write a date such as 2026-11-25, or an instant such as 2026-11-25T08:00:00Z."))
    return None


def _with_url() -> bool:
    caller = key()
    return caller is not None and caller.role != "auditor"


def _mine(participant: str) -> None:
    try:
        may_see(participant)
    except NotFound as error:
        raise NotFound("There is no link of this id.") from error
