"""The checks of a deployment: each file in a process of its own, at most one a core, and a short queue before them."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

import structlog

from ..problems import REGISTRY, InvalidRequest, Unavailable, UnknownLogo
from .report import ArtworkReport, Checked, LogoReport, Right

if TYPE_CHECKING:
    from ..campaign import Campaign
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
        """Makes nothing yet; templates are made at the first check.

        ``variant_url(logo, colourway, width, ground)`` gives the address of a variant for ``logos[].right``.
        """
        self._campaign = campaign
        self._variant_url = variant_url
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self.at_once = at_once or max(1, min(os.cpu_count() or 1, memory // _NEEDED))
        self._places = threading.BoundedSemaphore(self.at_once)
        self._lock = threading.Lock()
        self._waiting = 0
        self._running: set[subprocess.Popen[bytes]] = set()

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

    @cached_property
    def _kit(self) -> Any:
        from .inspecting import Kit

        return Kit.of(self._campaign)

    def _run(self, data: bytes, logo: str | None, lang: str, pictures: bool) -> tuple[dict[str, Any], bytes]:
        from .worker import Order

        order = pickle.dumps(Order(self._kit, logo, lang, pictures), protocol=5)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module; what was sent comes in as its input
                [sys.executable, "-m", f"{__package__}.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,  # Ctrl-C is for us
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "VIPS_CONCURRENCY": "1"},
            )
        except OSError as error:
            raise Unavailable(headers={"Retry-After": "30"}, private=f"no process to check in: {error}") from error
        with self._lock:
            self._running.add(process)
        try:
            said, wrong = process.communicate(struct.pack(">Q", len(order)) + order + data)
        finally:
            with self._lock:
                self._running.discard(process)
        if process.returncode != 0:
            reason = wrong.decode(errors="replace").strip().rpartition("\n")[2]
            log.error("a file was not checked", status=process.returncode, reason=reason)
            if process.returncode < 0 or "MemoryError" in reason or "memory" in reason.lower():
                raise InvalidRequest(
                    "The file takes more time or memory to read than a check may use. Send it smaller or simpler.",
                    private=f"{process.returncode} {reason}",
                )
            raise Unavailable("The file could not be checked.", headers={"Retry-After": "30"}, private=reason)
        line, _, rest = said.partition(b"\n")
        return json.loads(line), rest

    def close(self) -> None:
        """Ends what is running."""
        with self._lock:
            for process in self._running:
                process.kill()
