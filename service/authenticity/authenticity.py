"""Tell whether a file is what the campaign published.

Three looks, the surest first: its digest among those of every version that was published, and of certificates; what
it carries, which is a credential of ours, content credentials, or a statement of the campaign's rights; what it
shows, by the artwork check.
A file is read and not kept.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..campaign import Campaign
from ..campaign.text import msgid
from ..certificates import Certificates
from ..packages import Catalogue
from ..problems import InvalidRequest, NotFound, TooLarge, Unavailable, UnsupportedMediaType
from ..verdicts import Verdicts

MOST_BYTES = 25 * 1000 * 1000
_KEPT = 5.0  # seconds for which the digests of what is published are kept

Genuineness = Literal["genuine", "genuine_old", "altered", "carries_mark", "unknown"]


@dataclass(frozen=True)
class Reason:
    """A sentence of why, to be translated, with its values."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % self.values if self.values else self.text


@dataclass(frozen=True)
class KnownFile:
    """One published file: of a package's version, the whole archive where ``path`` is None."""

    package: str
    version: str
    path: str | None
    sha256: str
    bytes: int
    current: bool
    withdrawn: bool


@dataclass(frozen=True)
class AuthenticityResult:
    """Result for one file. ``certificate`` is the id of ours that the file is or carries."""

    verdict: Genuineness
    sha256: str
    package: str | None = None
    version: str | None = None
    path: str | None = None
    logo: str | None = None
    certificate: str | None = None
    reasons: tuple[Reason, ...] = ()


class Authenticity:
    """Judges files. Safe to share between threads."""

    def __init__(
        self,
        campaign: Campaign,
        catalogue: Catalogue,
        certificates: Certificates,
        verdicts: Verdicts,
        anchor: str | None = None,
    ) -> None:
        """``anchor`` is the certificate (PEM) under which the campaign signs the files of its packages, if it does."""
        self._anchor = anchor
        self._campaign = campaign
        self._catalogue = catalogue
        self._certificates = certificates
        self._verdicts = verdicts
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._digests: dict[str, KnownFile] = {}

    def check(self, data: bytes, *, name: str = "", language: str = "en") -> AuthenticityResult:
        """Judge a file. ``name`` is the one that it was sent with. TooLarge, or Unavailable where all are busy."""
        if len(data) > MOST_BYTES:
            raise TooLarge(
                "A file may have at most %(megabytes)s MB. Send it smaller.", values={"megabytes": MOST_BYTES // 10**6}
            )
        digest = hashlib.sha256(data).hexdigest()
        return (
            self._by_digest(digest)
            or self._by_credential(data, digest)
            or self._by_content_credentials(data, digest)
            or self._by_statement(data, digest, name)
            or self._by_picture(data, digest, language)
        )

    # --- by digest

    def _published(self) -> dict[str, KnownFile]:
        with self._lock:
            if time.monotonic() - self._read_at > _KEPT or not self._digests:
                self._digests = self._read()
                self._read_at = time.monotonic()
            return self._digests

    def _read(self) -> dict[str, KnownFile]:
        found: dict[str, KnownFile] = {}
        newest = {one.id: one.version for one in self._catalogue.current()}
        for package in self._catalogue.ids():
            try:
                versions = self._catalogue.versions(package)
            except NotFound:  # nothing of it is shown yet
                continue
            for listed in reversed(versions):  # the newest version of the same bytes counts
                one, withdrawn = listed.package, listed.withdrawn_at is not None
                common = {"current": newest.get(package) == one.version, "withdrawn": withdrawn}
                files = [(file["path"], file["sha256"], file["bytes"]) for file in one.files]
                for path, sha256, size in [*files, (None, one.sha256, one.bytes)]:
                    found[sha256] = KnownFile(package, one.version, path, sha256, size, **common)
        return found

    def _by_digest(self, digest: str) -> AuthenticityResult | None:
        if (one := self._published().get(digest)) is None:
            return None
        reasons = [Reason(msgid("Its SHA-256 is the one that was published."))]
        if one.withdrawn:
            reasons.append(Reason(msgid("This version was withdrawn and is handed out no more.")))
        elif not one.current:
            reasons.append(Reason(msgid("There is a newer version now.")))
        verdict: Genuineness = "genuine" if one.current and not one.withdrawn else "genuine_old"
        return AuthenticityResult(verdict, digest, one.package, one.version, one.path, reasons=tuple(reasons))

    # --- by what it carries

    def _by_credential(self, data: bytes, digest: str) -> AuthenticityResult | None:
        """A badge or a certificate's document of ours: the same bytes as ours, or something made of one."""
        from .embedded import certificate_in

        carried = certificate_in(data)
        if carried is None:
            return None
        try:
            form, certificate = carried
            view = self._certificates.get(certificate)
            same = view.name is not None and self._certificates.file(certificate, form) == data
        except (NotFound, Unavailable):
            return None
        if same:
            verdict: Genuineness = "genuine" if view.status == "valid" else "genuine_old"
            reason = Reason(msgid("It is a certificate of this campaign. Look up whether it holds."))
            return AuthenticityResult(verdict, digest, certificate=certificate, reasons=(reason,))
        reason = Reason(msgid("It carries the number of a certificate, and is not the file that was issued."))
        return AuthenticityResult("altered", digest, certificate=certificate, reasons=(reason,))

    def _by_content_credentials(self, data: bytes, digest: str) -> AuthenticityResult | None:
        """A file whose content credentials the campaign signed: as it was then, or changed since."""
        from .embedded import signed_by

        signed = signed_by(data, self._anchor) if self._anchor else None
        if signed is None:
            return None
        place = (signed.package, signed.version, signed.path)
        if signed.intact:
            text = msgid("The campaign's content credentials in it hold, and no file published here has them.")
            return AuthenticityResult("genuine", digest, *place, reasons=(Reason(text),))
        text = msgid("It carries the campaign's content credentials, and was changed after they were made.")
        published = [one for one in self._published().values() if (one.package, one.version, one.path) == place]
        reasons = (Reason(text), *(_difference(one, len(data)) for one in published))
        return AuthenticityResult("altered", digest, *place, reasons=reasons)

    def _by_statement(self, data: bytes, digest: str, name: str) -> AuthenticityResult | None:
        """A file that states the campaign's rights, as all pictures and documents of its packages do."""
        from .embedded import metadata

        statement = self._campaign.info.rights.web_statement
        if statement not in metadata(data):
            return None
        reasons = [Reason(msgid("It states the campaign's rights, and is no file that was published."))]
        base = name.replace("\\", "/").rpartition("/")[2]
        alike = [one for one in self._published().values() if one.path and one.path.rpartition("/")[2] == base]
        if not alike:
            return AuthenticityResult("altered", digest, reasons=tuple(reasons))
        one = next((each for each in alike if each.current), alike[0])
        reasons.append(_difference(one, len(data)))
        return AuthenticityResult("altered", digest, one.package, one.version, one.path, reasons=tuple(reasons))

    # --- by what it shows

    def _by_picture(self, data: bytes, digest: str, language: str) -> AuthenticityResult:
        nothing = Reason(msgid("Its SHA-256 is none that was published."))
        if not self._verdicts.available():
            missing = Reason(msgid("What it shows was not looked at: the artwork check is not installed here."))
            return AuthenticityResult("unknown", digest, reasons=(nothing, missing))
        try:
            report = self._verdicts.look(data, language=language)
        except (UnsupportedMediaType, InvalidRequest, TooLarge):
            unread = Reason(msgid("It is no picture or document in which a logo could be looked for."))
            return AuthenticityResult("unknown", digest, reasons=(nothing, unread))
        if not report.logos:
            none = Reason(msgid("No logo of this campaign was found in it."))
            return AuthenticityResult("unknown", digest, reasons=(nothing, none))
        mark = Reason(msgid("The logo was found in it."))
        return AuthenticityResult("carries_mark", digest, logo=report.logos[0].logo, reasons=(nothing, mark))


def _difference(one: KnownFile, found: int) -> Reason:
    """Say how a file of ``found`` bytes differs from the published one."""
    values = {"path": one.path, "bytes": one.bytes, "found": found, "digest": one.sha256}
    text = msgid("The published %(path)s has %(bytes)s bytes and the SHA-256 %(digest)s; this one has %(found)s.")
    return Reason(text, values)
