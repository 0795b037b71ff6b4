"""The checks of a deployment: each file in a process of its own, at most one a core, and a short queue before them."""

from __future__ import annotations

import json
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from ..problems import REGISTRY, InvalidRequest, Unavailable, UnknownLogo
from .processes import CheckProcesses
from .report import ArtworkReport, Checked, LogoReport, Right

if TYPE_CHECKING:
    from ..campaign import Campaign
    from .inspecting import Kit
    from .judging import VariantUrl

_NEEDED = 512 << 20  # bytes of the machine's memory for each check at a time
_WAITING = 4  # files that may wait for each check under way
_LONGEST_WAIT = 60.0  # seconds in the queue

log = structlog.get_logger()


class ArtworkChecks:
    """Checks artwork against a campaign's logos and brand rules. Safe to share between threads."""

    def __init__(
        self, campaign: Campaign, *, variant_url: VariantUrl | None = None, at_once: int | None = None
    ) -> None:
        """Makes and starts nothing yet; the first check does.

        ``variant_url(logo, colourway, width, ground)`` gives the address of a variant for ``logos[].right``.
        """
        self._campaign = campaign
        self._variant_url = variant_url
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self.at_once = at_once or max(1, min(os.cpu_count() or 1, memory // _NEEDED))
        self._places = threading.BoundedSemaphore(self.at_once)
        self._lock = threading.Lock()
        self._waiting = 0
        self._processes = CheckProcesses(partial(_kit, campaign))

    def check(
        self,
        data: bytes,
        *,
        logo: str | None = None,
        purpose: str | None = None,
        lang: str = "en",
        pictures: bool = True,
    ) -> Checked:
        """The report on a file and, with ``pictures``, the annotated pictures.

        ``logo`` looks for that one alone. ``purpose`` is what the artwork is for; no brand rule depends on one today.

        Raises UnknownLogo, TooLarge (413), UnsupportedMediaType (415) or InvalidRequest (422) with the reason, and
        Unavailable (503, with Retry-After) where too many wait already or the file took too much time or memory.
        """
        del purpose
        if logo is not None and logo not in self._campaign.logos:
            known = ", ".join(sorted(self._campaign.logos))
            raise UnknownLogo(f"There is no logo {logo}; there are: {known}.")
        from .reading import kind_of

        kind_of(data)  # what is too long or of no known kind takes no place in the queue
        with self._lock:
            if self._waiting >= self.at_once * (1 + _WAITING):
                raise Unavailable("Many files are being checked at the moment.", headers={"Retry-After": "10"})
            self._waiting += 1
        try:
            if not self._places.acquire(timeout=_LONGEST_WAIT):
                raise Unavailable("Many files are being checked at the moment.", headers={"Retry-After": "30"})
            try:
                answer, rest = self._run(data, logo, lang, pictures)
            finally:
                self._places.release()
        finally:
            with self._lock:
                self._waiting -= 1
        return self._read(answer, rest)

    def _read(self, answer: dict[str, Any], rest: bytes) -> Checked:
        if "problem" in answer:
            raise REGISTRY.get(answer["problem"], InvalidRequest)(answer["detail"], private=answer["private"])
        report = ArtworkReport.model_validate(answer["report"])
        if self._variant_url is not None:
            report = report.model_copy(update={"logos": tuple(self._addressed(logo) for logo in report.logos)})
        made, start = [], 0
        for page, length in answer["pictures"]:
            made.append((page, rest[start : start + length]))
            start += length
        return Checked(report=report, annotated=tuple(made))

    def _addressed(self, logo: LogoReport) -> LogoReport:
        right = logo.right
        if right is None or self._variant_url is None:
            return logo
        url = self._variant_url(logo.logo, right.colourway, right.width, logo.ground)
        return logo.model_copy(update={"right": Right(colourway=right.colourway, width=right.width, url=url)})

    def _run(self, data: bytes, logo: str | None, lang: str, pictures: bool) -> tuple[dict[str, Any], bytes]:
        from .worker import Order

        said = self._processes.answered(Order(logo, lang, pictures), data)
        line, _, rest = (said or b"").partition(b"\n")
        answer = json.loads(line) if line else {"failed": "the process ended, by a limit of time or memory"}
        if "failed" in answer:
            reason = answer["failed"]
            log.error("a file was not checked", reason=reason)
            if not line or "memory" in reason.lower():
                raise InvalidRequest(
                    "The file takes more time or memory to read than a check may use. Send it smaller or simpler.",
                    private=reason,
                )
            raise Unavailable("The file could not be checked.", headers={"Retry-After": "30"}, private=reason)
        return answer, rest

    def close(self) -> None:
        """Ends what is running."""
        self._processes.close()


def _kit(campaign: Campaign) -> Kit:
    from .inspecting import Kit

    return Kit.of(campaign)
