"""Links and downloads: issue, look at, list, revoke; and what was downloaded."""

from __future__ import annotations

from flask import Response

from ... import paths
from ...answers.links import DownloadAnswer, DownloadsAnswer, LinkAnswer, LinksAnswer
from ...links.links import IssuedLink
from ...period import parse_period
from ...problems import (
    FieldError,
    Forbidden,
    InvalidRequest,
    NotFound,
    PackageDamaged,
    PackageWithdrawn,
    ParticipantNotApproved,
    PermissionLapsed,
    TermsNotAccepted,
    UnknownPackage,
    UnknownVersion,
)
from ..auth import may_see, need, only_package, own, portal, scoped_package
from ..context import actor, deployment, key
from . import answer, blueprint, problems
from .models import DownloadsQuery, IdPath, LinkBody, LinksQuery, RevocationQuery

api = blueprint("links", "Signed, expiring download links and the record of downloads")


@api.post("/links", responses={201: LinkAnswer})
@need("portal", "partner", "staff", narrow=("package",))
@problems(
    NotFound,
    ParticipantNotApproved,
    PermissionLapsed,
    TermsNotAccepted,
    UnknownPackage,
    UnknownVersion,
    PackageWithdrawn,
    PackageDamaged,
)
def issue(body: LinkBody) -> Response:
    """Issue a link."""
    may_see(body.participant)
    wanted = _wanted(body)
    only_package([wanted] if isinstance(wanted, str) else [], Forbidden)
    issued = deployment().links.issue(
        body.participant,
        wanted,
        issued_by=actor(),
        version=body.version,
        path=body.path,
        expires_in=body.expires_in,
        max_downloads=body.max_downloads,
    )
    return answer(LinkAnswer.of(issued), 201, Location=paths.link(issued.id))


@api.get("/links", responses={200: LinksAnswer})
@need("portal", "partner", "staff", "auditor", narrow=("package",))
@problems(NotFound)
def links(query: LinksQuery) -> Response:
    """List links, newest first."""
    participant = own(query.participant)
    if participant:
        may_see(participant)
    page = deployment().links.list(
        participant=participant, portal=portal(), package=scoped_package(), cursor=query.cursor, limit=query.limit
    )
    found = [LinkAnswer.of(link, with_url=_with_url()) for link in page.items]
    return answer(LinksAnswer(links=found, next_cursor=page.next_cursor))


@api.get("/links/<id>", responses={200: LinkAnswer})
@need("portal", "partner", "staff", "auditor", narrow=("package",))
def link(path: IdPath) -> Response:
    """Show one link with its status and how often it was used."""
    found = deployment().links.get(path.id)
    _mine(found)
    return answer(LinkAnswer.of(found, with_url=_with_url()))


@api.delete("/links/<id>", responses={204: None})
@need("portal", "partner", "staff", narrow=("package",))
def revoke(path: IdPath, query: RevocationQuery) -> Response:
    """End a link at once."""
    _mine(deployment().links.get(path.id))
    deployment().links.revoke(path.id, by=actor(), reason=query.reason)
    return Response(status=204)


@api.get("/downloads", responses={200: DownloadsAnswer})
@need("portal", "partner", "staff", "auditor", narrow=("package",))
@problems(NotFound)
def downloads(query: DownloadsQuery) -> Response:
    """List recorded downloads, newest first."""
    participant = own(query.participant)
    if participant:
        may_see(participant)
    package = query.package
    if scoped_package() is not None:
        if package not in (None, scoped_package()):
            raise NotFound(f"This key is for the package {scoped_package()} alone.")
        package = scoped_package()
    period = parse_period(query.since, query.until)
    page = deployment().links.downloads(
        participant=participant,
        package=package,
        link=query.link,
        since=period.start,
        until=period.end,
        portal=portal(),
        cursor=query.cursor,
        limit=query.limit,
    )
    found = [DownloadAnswer.of(one) for one in page.items]
    return answer(
        DownloadsAnswer(downloads=found, next_cursor=page.next_cursor, kept_since=deployment().retention.kept_since())
    )


def _wanted(body: LinkBody) -> str | list[str]:
    """Return the package or the packages that a body asks for. InvalidRequest where they do not go together."""
    errors = []
    if body.package is None and body.packages is None:
        errors.append(FieldError("/package", "Name a package, or several of them as packages."))
    if body.package is not None and body.packages is not None:
        errors.append(FieldError("/packages", "Name either package or packages."))
    if body.package is None and body.packages is not None:
        errors += [
            FieldError(f"/{name}", "Leave this out: several packages come whole, each in its current version.")
            for name, value in (("version", body.version), ("path", body.path))
            if value is not None
        ]
    if errors:
        raise InvalidRequest(errors=errors)
    return body.package if body.package is not None else body.packages or []


def _with_url() -> bool:
    caller = key()
    return caller is not None and caller.role != "auditor"


def _mine(link: IssuedLink) -> None:
    try:
        may_see(link.state.participant)
        only_package([one.id for one in link.packages] if link.state.bundle is None else [])
    except NotFound as error:
        raise NotFound("There is no link of this id.") from error
