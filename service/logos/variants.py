"""Variants: from a checked wanted to bytes, made once for the whole deployment and kept.

The layers, first to last: the hot set of this process; the store shared by all (the first stored render
wins); making it, one thread and one process at a time. Crash order of making: render → ``put_new`` →
hot set. A crash before ``put_new`` leaves nothing.

A stored variant ends with the SHA-256 of its bytes. One that was cut off or changed on the disk is noticed
when it is read, and made anew; so storing one does not wait for the disk.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from pathlib import Path

import pyvips
import structlog

from ..campaign import Logo
from ..campaign.brand import BrandRules
from ..problems import Unavailable
from ..storage import ObjectMissing, Storage
from ..svg import Drawing
from . import ladder
from .codings import CODINGS
from .encoders import encode
from .faithful import looks_the_same
from .formats import AUTO, FORMATS, RASTERS
from .locks import Locks
from .memory import give_back_large
from .palette import inks_of
from .prerender import Failed, Progress, run
from .render import Ink, RenderFailed, render
from .render_recipe import catalogue_version
from .render_subprocess import RenderProcesses, at_once
from .render_worker import RenderJob
from .size_table import SizeTable
from .smallest import SmallestFormat, probes
from .variant_cache import VariantCache
from .variant_request import VariantRequest, VariantRules

CACHE_BYTES = 64 * 1024 * 1024
_CACHE_EXTRA = 600  # bytes that a variant takes in memory beside the picture's own
_DIGEST_SIZE = hashlib.sha256().digest_size
MOST_WAITING = 12  # requests that wait for a render in one process; the others' threads stay free
_MOST_THREADS = 4  # that render for requests in one process: each takes up to 60 MB, and there are other processes
PATIENCE = 20.0  # seconds that a request waits for a render

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Variant:
    """A made variant. ``etag`` is strong and quoted; width and height are those of the picture in pixels.

    ``coding`` is the content coding that its bytes are in, mostly none.
    """

    bytes: bytes
    media_type: str
    etag: str
    width: int
    height: int
    coding: str = ""


@dataclass(frozen=True)
class _Master:
    drawing: Drawing
    inks: tuple[Ink, ...]


class Variants(VariantRules):
    """The variants of a deployment. Safe to share between threads."""

    def __init__(
        self,
        logos: dict[str, Logo],
        brand: BrandRules,
        storage: Storage,
        data_dir: Path,
        *,
        cache_bytes: int = CACHE_BYTES,
        most_waiting: int = MOST_WAITING,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(logos, brand)
        give_back_large()
        self.version = catalogue_version(logos, brand)
        self._storage = storage
        self._cores = len(os.sched_getaffinity(0))
        self._locks = Locks(data_dir / "locks", self._cores, at_once(self._cores))
        self._cache: VariantCache[VariantRequest, Variant] = VariantCache(cache_bytes, _size_in_memory)
        self._table = SizeTable(storage, f"variants/{self.version}/sizes.json")
        self._smallest = SmallestFormat(self._sizes, self.minimum, self.largest, self.size)
        self._most_waiting = most_waiting
        self._patience = patience
        self._masters: dict[tuple[str, str], _Master] = {}
        self._faithful: dict[tuple[str, str], bool] = {}
        self._clear_memory()
        os.register_at_fork(after_in_child=self._clear_memory)  # threads do not survive a fork

    def _clear_memory(self) -> None:
        self._lock = threading.Lock()
        self._making: dict[VariantRequest, Future[Variant]] = {}
        self._waiting = 0
        self._pool: ThreadPoolExecutor | None = None
        self._ending = threading.Event()
        self._processes = RenderProcesses()
        self._warming: threading.Thread | None = None

    def height(self, logo: str, width: int) -> int:
        """The height in pixels of a logo ``width`` pixels wide."""
        return self._logos[logo].drawing(self._logos[logo].colourways[0]).height(width)

    def size(self, wanted: VariantRequest) -> tuple[int, int]:
        """Width and height in pixels of the whole picture."""
        around = 2 * self.padding(wanted.logo, wanted.width) if wanted.space else 0
        return wanted.width + around, self.height(wanted.logo, wanted.width) + around

    def widths(self, logo: str) -> dict[str, int]:
        """``{min, max, step}`` as ``/api/v1/logos`` gives them; up to 512 every width is offered."""
        return {"min": self.minimum(logo), "max": self.largest(logo), "step": ladder.STEP}

    def cached(self, wanted: VariantRequest) -> Variant | None:
        """The variant if it is in this process' memory."""
        return self._cache.get(wanted)

    def get(self, wanted: VariantRequest) -> Variant:
        """The variant of a request whose format is chosen; made if nobody made it before.

        Raises Unavailable with Retry-After where too many wait already, it takes too long, or the storage
        does not answer. What is made already is given also while too many wait.
        """
        return self._get_all((wanted,))[0]

    def smallest(self, wanted: VariantRequest, formats: tuple[str, ...]) -> VariantRequest:
        """The request with the format, of these, that takes the fewest bytes; raises what ``get`` raises."""
        return self._smallest.choose(wanted, formats)

    def estimates(self, pictures: Sequence[VariantRequest]) -> list[float]:
        """About how many bytes pictures of one logo, colourway and width take; raises what ``get`` raises."""
        return self._smallest.estimates(pictures)

    def settle(
        self, progress: Progress | None = None, stop: Callable[[], bool] | None = None, threads: int = 0
    ) -> bool:
        """Probe every logo, and write the table that ``auto`` is settled by; False where it is there already.

        ``progress`` and ``stop`` are as in ``prerender``; where it was stopped nothing is written. ``threads`` are as
        many as there are cores if 0. Raises Unavailable where something cannot be stored.
        """
        if self._table.written:
            return False
        wanted = [
            VariantRequest(logo, colourway, width, kind)
            for logo in sorted(self._logos)
            for width in probes(self.minimum(logo), self.largest(logo))
            for colourway in self._logos[logo].colourways
            for kind in RASTERS
        ]
        ended = stop or self._ending.is_set
        run(wanted, self.make, threads=threads or self._cores, progress=progress, failed=_log_failed, stop=ended)
        if ended():
            return False
        stored = {one: self._storage.size(self._key(one)) for one in wanted}
        self._table.write({one: size - _DIGEST_SIZE for one, size in stored.items() if size is not None})
        return True

    def _sizes(self, wanted: Sequence[VariantRequest]) -> list[int]:
        known = {one: self._table.get(one) for one in wanted}
        missing = [one for one, size in known.items() if size is None]
        known.update(zip(missing, (len(variant.bytes) for variant in self._get_all(missing)), strict=True))
        return [size for one in wanted if (size := known[one]) is not None]

    def _get_all(self, wanted: Sequence[VariantRequest]) -> list[Variant]:
        found = {one: self._cache.get(one) or self._stored(one) for one in wanted}
        missing = [one for one, variant in found.items() if variant is None]
        if missing:
            found.update(self._wait_for(missing))
        return [variant for one in wanted if (variant := found[one]) is not None]

    def _wait_for(self, missing: Sequence[VariantRequest]) -> dict[VariantRequest, Variant]:
        with self._lock:
            if self._waiting >= self._most_waiting or self._ending.is_set():
                raise Unavailable("Too many logos are being rendered at the moment.", headers={"Retry-After": "1"})
            self._waiting += 1
            futures = {one: self._begin(one) for one in missing}
        until = time.monotonic() + self._patience
        try:
            return {one: future.result(max(0.0, until - time.monotonic())) for one, future in futures.items()}
        except (TooLate, CancelledError) as error:
            raise Unavailable("Rendering takes longer than usual.", headers={"Retry-After": "5"}) from error
        except RenderFailed as error:
            detail = "This size could not be rendered."
            raise Unavailable(detail, headers={"Retry-After": "30"}, private=str(error)) from error
        finally:
            with self._lock:
                self._waiting -= 1

    def _begin(self, wanted: VariantRequest) -> Future[Variant]:
        """The future of a variant that is being made, begun if nobody did; the caller holds the lock."""
        future = self._making.get(wanted)
        if future is None:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(min(self._cores, _MOST_THREADS), thread_name_prefix="emblem-render")
            future = self._making[wanted] = self._pool.submit(self._make_once, wanted)
        return future

    def make(self, wanted: VariantRequest) -> bool:
        """Make a variant for the store, not for this process' memory; False where it is there already.

        Raises Unavailable where it cannot be stored.
        """
        key = self._key(wanted)
        if _is_no_work(wanted) or self._storage.size(key) is not None:
            return False
        with self._locks.of(hashlib.sha256(key.encode()).hexdigest(), self._patience):
            if self._storage.size(key) is not None:
                return False
            return self._put(key, _with_digest(self._rendered(wanted)), wanted)

    def prerender(
        self,
        logos: Iterable[str] | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] | None = None,
        failed: Failed | None = None,
    ) -> int:
        """Make every variant of the ladder that is not stored yet, on all cores; the number of those made.

        ``progress(done, total)`` is told of each, ``failed(wanted, error)`` of each that cannot be rendered. Ends
        early where ``stop()`` is true, or with Unavailable where the storage is full; calling it again goes on
        from there.
        """
        return run(
            self.missing(logos),
            self.make,
            threads=self._cores,
            progress=progress,
            failed=failed or _log_failed,
            stop=stop or self._ending.is_set,
        )

    def missing(self, logos: Iterable[str] | None = None, *, only_common: bool = False) -> list[VariantRequest]:
        """The requests of the ladder that are not stored, small widths first.

        ``only_common`` leaves those of the common widths.
        """
        stored = {item.key for item in self._storage.list(f"variants/{self.version}/")}
        requests = [
            VariantRequest(logo, colourway, width, kind)
            for logo in (sorted(self._logos) if logos is None else logos)
            for width in self._offered(logo, only_common)
            for colourway in self._logos[logo].colourways
            for kind in RASTERS
        ]
        return sorted((one for one in requests if self._key(one) not in stored), key=lambda one: one.width)

    def _offered(self, logo: str, only_common: bool) -> list[int]:
        minimum, largest = self.minimum(logo), self.largest(logo)
        if only_common:
            return [width for width in ladder.common(minimum) if width <= largest]
        return ladder.widths(minimum, largest)

    @property
    def started(self) -> bool:
        """Tell whether the background work was begun in this process."""
        return self._warming is not None

    def start(self) -> None:
        """Settle ``auto`` and make the common widths in the background, at low priority, in one process a machine."""
        self._warming = threading.Thread(target=self._warm, name="emblem-prerender", daemon=True)
        self._warming.start()

    def close(self) -> None:
        """End the background work; a render that is under way is finished first, a large one is given up."""
        self._ending.set()
        self._processes.close()
        if self._warming is not None:
            self._warming.join(timeout=5)
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _warm(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)  # of this thread alone, on Linux
        try:
            with self._locks.alone("prerender") as mine:
                if mine:
                    self.settle(threads=1)
                    requests = self.missing(only_common=True)
                    run(requests, self.make, threads=1, failed=_log_failed, stop=self._ending.is_set)
        except Unavailable as error:
            log.warning("common logo widths were not prerendered", reason=error.private or error.detail)

    def _stored(self, wanted: VariantRequest) -> Variant | None:
        """The variant if it is in the store, whole; a drawing without a coding is no work and is never stored."""
        if _is_no_work(wanted):
            return self._variant(wanted, self._svg(wanted))
        key = self._key(wanted)
        try:
            content, digest = _split(self._storage.read(key))
        except ObjectMissing:
            return None
        if hashlib.sha256(content).digest() != digest:
            log.warning("a stored logo variant is damaged; it is made anew", variant=wanted.path)
            return None
        return self._variant(wanted, content)

    def _make_once(self, wanted: VariantRequest) -> Variant:
        try:
            return self._make(wanted)
        except RenderFailed as error:
            _log_failed(wanted, error)
            raise
        finally:
            with self._lock:  # whoever began this holds it until the future is in _making
                del self._making[wanted]

    def _make(self, wanted: VariantRequest) -> Variant:
        key = self._key(wanted)
        with self._locks.of(hashlib.sha256(key.encode()).hexdigest(), self._patience):
            if (found := self._stored(wanted)) is not None:  # another process was quicker
                return found
            made = self._rendered(wanted)
            stored = _with_digest(made)
            try:
                if not self._put(key, stored, wanted):
                    if (first := self._stored(wanted)) is not None:  # another machine was quicker
                        return first
                    self._storage.replace(key, stored, FORMATS[wanted.format].media_type)
            except Unavailable as error:
                # The same input gives the same bytes, so what cannot be stored can still be shown.
                log.warning("a logo variant was not stored", variant=wanted.path, reason=error.private)
            return self._variant(wanted, made)

    def _put(self, key: str, stored: bytes, wanted: VariantRequest) -> bool:
        # A disk's flush takes as long as drawing and encoding: what a power cut leaves of it is made anew when read.
        return self._storage.put_new(key, stored, FORMATS[wanted.format].media_type, durable=False)

    def _rendered(self, wanted: VariantRequest) -> bytes:
        if wanted.format == "svg":
            return CODINGS[wanted.coding](self._svg(wanted))
        master = self._master(wanted.logo, wanted.colourway)
        padding = self.padding(wanted.logo, wanted.width) if wanted.space else 0
        # By what is asked for, never by who asks: the same URL has the same bytes, made ahead or not.
        ahead = not wanted.space and wanted.width in ladder.common(self.minimum(wanted.logo))
        across, down = self.size(wanted)
        if across * down >= ladder.LARGE:
            job = RenderJob(wanted.width, padding, master.inks, wanted.format, ahead)
            with self._locks.large(self._patience), self._locks.slot(self._patience):
                return self._processes.encoded(master.drawing, job)
        with self._locks.slot(self._patience):
            try:
                fine = FORMATS[wanted.format].drawn_finely(wanted.width, ahead)
                picture = render(master.drawing, wanted.width, padding, master.inks, fine=fine)
                return encode(picture, wanted.format, ahead=ahead)
            except Exception as error:  # whatever a renderer or an encoder raises is about this drawing
                raise RenderFailed(str(error)) from error

    def _svg(self, wanted: VariantRequest) -> bytes:
        drawing = self._logos[wanted.logo].drawing(wanted.colourway)
        padding = self.padding(wanted.logo, wanted.width) if wanted.space else 0
        as_is = not self._minified(wanted.logo, wanted.colourway)
        return drawing.document(wanted.width, drawing.height(wanted.width), padding, as_is=as_is)

    def _minified(self, logo: str, colourway: str) -> bool:
        """Tell whether a drawing is sent in the fewest characters: proved once, at the first request for it."""
        found = self._faithful.get((logo, colourway))
        if found is None:
            found = self._faithful[logo, colourway] = looks_the_same(self._logos[logo].drawing(colourway))
            if not found:
                log.warning("a drawing is sent as it is: minified it would look otherwise", logo=f"{logo}/{colourway}")
        return found

    def _variant(self, wanted: VariantRequest, content: bytes) -> Variant:
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        variant = Variant(content, FORMATS[wanted.format].media_type, etag, *self.size(wanted), wanted.coding)
        self._cache.put(wanted, variant)
        return variant

    def _master(self, logo: str, colourway: str) -> _Master:
        found = self._masters.get((logo, colourway))
        if found is None:
            drawing = self._logos[logo].drawing(colourway)
            # Where colours run into each other, steps would be seen as bands.
            try:
                inks = inks_of(drawing)
            except pyvips.Error as error:
                raise RenderFailed(str(error)) from error
            found = self._masters[logo, colourway] = _Master(drawing, inks)
        return found

    def _key(self, wanted: VariantRequest) -> str:
        assert wanted.format != AUTO
        space, coding = "-space" if wanted.space else "", f".{wanted.coding}" if wanted.coding else ""
        file = f"{wanted.width}{space}.{wanted.format}{coding}"
        return f"variants/{self.version}/{wanted.logo}/{wanted.colourway}/{file}"


def _is_no_work(wanted: VariantRequest) -> bool:
    """Tell whether it is quicker made than read: a drawing without a content coding."""
    return wanted.format == "svg" and not wanted.coding


def _size_in_memory(variant: Variant) -> int:
    return len(variant.bytes) + _CACHE_EXTRA


def _log_failed(wanted: VariantRequest, error: RenderFailed) -> None:
    log.error("a logo variant could not be rendered", variant=wanted.path, reason=str(error))


def _with_digest(content: bytes) -> bytes:
    return content + hashlib.sha256(content).digest()


def _split(stored: bytes) -> tuple[bytes, bytes]:
    return stored[:-_DIGEST_SIZE], stored[-_DIGEST_SIZE:]
