"""Counting views: none lost among threads, none twice after a failure, each hour entered once."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select
from structlog.testing import capture_logs

from service.embeds import counter
from service.embeds.crowding import ORIGINS, OTHER
from service.embeds.rollup import LATE
from service.ledger import commitment
from service.problems import Unavailable
from service.store.tables import Embed, LogoUse, LogoUseWriter
from tests.parts.processes import wait_until

from .conftest import SITE, World

if TYPE_CHECKING:
    from service.embeds import Embeds, ServedEmbed

BLUE, WHITE = "blue/64.png", "white/128.webp"
HOUR = 3600.0
Failing = Callable[..., None]


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """The results of calls that begin at one moment, each in a thread of its own."""
    ready = threading.Barrier(len(work))

    def begin(call: Callable[[], Any]) -> Any:
        ready.wait(timeout=30)
        return call()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(begin, work))


def views(embeds: Embeds, live: ServedEmbed, number: int, origin: str | None = SITE, variant: str = BLUE) -> None:
    """Counts so many views."""
    for _ in range(number):
        embeds.count(live, variant, origin)


def stored_origins(world: World) -> dict[str, int]:
    """Views in the database by origin."""
    found: dict[str, int] = {}
    with world.database.read() as session:
        for origin, number in session.execute(select(LogoUse.origin, LogoUse.views)):
            found[origin] = found.get(origin, 0) + number
    return found


def entered(world: World) -> dict[str | None, int]:
    """Views in the ledger's entries by origin."""
    found: dict[str | None, int] = {}
    for entry in world.entries("logo.used"):
        found[entry["origin"]] = found.get(entry["origin"], 0) + entry["views"]
    return found


# ---- none lost


@pytest.fixture
def hasty() -> Iterator[None]:
    """Lets threads take turns as often as can be, so that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_many_threads_lose_no_count_while_flushes_go_on(world: World) -> None:
    lives = [world.live(), world.live()]
    embeds, over = world.embeds, threading.Event()

    def visitors() -> None:
        for number in range(1500):
            origin = (SITE, "https://elsewhere.example", None)[number % 3]
            embeds.count(lives[number % 2], (BLUE, WHITE)[number // 2 % 2], origin)

    def flushes() -> None:
        while not over.is_set():
            embeds.flush()

    flusher = threading.Thread(target=flushes)
    flusher.start()
    try:
        at_once(*[visitors] * 8)
    finally:
        over.set()
        flusher.join()
    embeds.flush()
    assert stored_origins(world) == {SITE: 4000, "https://elsewhere.example": 4000, "": 4000}


def test_two_processes_add_to_the_same_count(world: World) -> None:
    live = world.live()
    processes = [world.process(), world.process()]

    def visitors(embeds: Embeds) -> Callable[[], None]:
        def work() -> None:
            for _ in range(20):
                views(embeds, live, 5)
                views(embeds, live, 5, None, WHITE)
                embeds.flush()

        return work

    at_once(*map(visitors, processes))
    assert stored_origins(world) == {SITE: 200, "": 200}


def test_a_site_without_a_name_is_counted_as_none(world: World) -> None:
    live = world.live()
    views(world.embeds, live, 1, "null")
    views(world.embeds, live, 2, None)
    world.embeds.flush()
    assert stored_origins(world) == {"": 3}


# ---- a flush that fails


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("done", [False, True], ids=["nothing-was-kept", "all-was-kept"])
def test_a_flush_that_failed_is_tried_again_and_counts_once(
    world: World, failing: Failing, done: bool, times: int
) -> None:
    live = world.live()
    views(world.embeds, live, 3)
    failing("write", Unavailable(), times=times, done=done)
    for turn in range(times):
        with pytest.raises(Unavailable):
            world.embeds.flush()
        views(world.embeds, live, 1)
        assert world.stored() == (3 if done else 0), turn
    world.embeds.flush()
    assert world.stored() == 3 + times
    assert world.embeds.flush() == 0
    assert world.stored() == 3 + times


def test_a_batch_is_added_once_and_a_later_one_again(world: World) -> None:
    live, now = world.live(), world.clock()
    counts = {(now, live.key, BLUE, SITE): 4}

    def add(writer: str, number: int) -> bool:
        return world.database.write(lambda session: counter.add_counts(session, writer, number, counts, now))

    added = [add("one", number) for number in (1, 1, 2, 1, 2)]
    assert added == [True, False, True, False, False]
    assert add("two", 1)
    assert world.stored() == 12


@pytest.mark.parametrize("others", [0, 3])
def test_views_of_an_embed_that_the_database_lost_take_no_others_with_them(world: World, others: int) -> None:
    lost, kept = world.live(), world.live()
    views(world.embeds, lost, 2)
    views(world.embeds, kept, others)
    # As after a backup was put back that is older than the embed.
    world.database.write(lambda session: session.execute(delete(Embed).where(Embed.key == lost.key)))
    with capture_logs() as logs:
        world.embeds.flush()
    assert world.stored() == others
    assert [(line["log_level"], line["views"]) for line in logs] == [("error", 2)]
    views(world.embeds, kept, 1)
    world.embeds.flush()
    assert world.stored() == others + 1


def test_the_numbers_of_processes_that_ended_long_ago_are_dropped(world: World) -> None:
    live = world.live()
    for process in (world.process(), world.embeds):
        views(process, live, 1)
        process.flush()
    world.clock.advance(8 * 24 * HOUR)
    views(world.embeds, live, 1)
    world.embeds.enter_uses()
    with world.database.read() as session:
        assert session.scalars(select(LogoUseWriter.at)).all() == [world.clock()]


# ---- at most 200 sites


def test_from_the_201st_site_of_an_hour_on_views_are_those_of_other(world: World) -> None:
    live = world.live(origins=[SITE, "https://shop.example"])
    for number in range(ORIGINS + 30):
        views(world.embeds, live, 1, f"https://site{number}.example")
    views(world.embeds, live, 5)  # on the list: named, however late it comes
    views(world.embeds, live, 1, "https://site0.example")  # named before
    views(world.embeds, live, 1, None)
    world.embeds.flush()
    found = stored_origins(world)
    assert ORIGINS == 200
    assert (found.pop(""), found.pop(SITE), found["https://site0.example"]) == (1, 5, 2)
    assert found.pop(OTHER) == 32
    assert sorted(found) == sorted(f"https://site{number}.example" for number in range(ORIGINS - 2))


def test_each_embed_and_each_hour_has_200_sites_of_its_own(world: World) -> None:
    def fill(live: ServedEmbed, name: str) -> None:
        for number in range(ORIGINS):
            views(world.embeds, live, 1, f"https://{name}{number}.example")

    first, second = world.live(), world.live()
    fill(first, "a")
    fill(second, "b")
    world.clock.advance(HOUR)
    fill(first, "c")
    world.embeds.flush()
    assert stored_origins(world)[OTHER] == 3  # one each, for the place that the listed site has


def test_processes_together_enter_at_most_200_sites_under_their_names(world: World) -> None:
    live = world.live()
    processes = [world.process(), world.process()]
    for process, name in zip(processes, "ab", strict=True):
        views(process, live, 3, f"https://most-seen-by-{name}.example")
        for number in range(150):
            views(process, live, 1, f"https://{name}{number}.example")
    views(processes[1], live, 1)  # on the list: named, with however few views
    for process in processes:
        process.flush()
    world.clock.advance(2 * HOUR)
    assert processes[0].enter_uses() == ORIGINS + 1
    found = entered(world)
    assert len(found) == ORIGINS + 1
    assert sum(found.values()) == 307
    assert (found[SITE], found[OTHER]) == (1, 103)
    assert found["https://most-seen-by-a.example"] == found["https://most-seen-by-b.example"] == 3


def test_what_is_entered_later_for_the_hour_names_no_further_site(world: World) -> None:
    live = world.live()
    for number in range(ORIGINS - 1):
        views(world.embeds, live, 1, f"https://site{number}.example")
    views(world.embeds, live, 1)
    world.embeds.enter_uses(everything=True)
    late = world.process()
    views(late, live, 1, "https://site0.example")
    views(late, live, 1, "https://one-too-many.example")
    late.enter_uses(everything=True)
    found = entered(world)
    assert found["https://site0.example"] == 2
    assert found.pop(OTHER) == 1
    assert len(found) == ORIGINS


# ---- the ledger


def test_an_hour_is_entered_when_it_is_over_and_counts_of_it_have_come_in(world: World) -> None:
    live = world.live()
    world.clock.advance(HOUR - 1)  # 12:59:59
    views(world.embeds, live, 2)
    assert world.embeds.enter_uses() == 0
    world.clock.advance(1)
    views(world.embeds, live, 1)  # of the next hour
    world.clock.advance(LATE.total_seconds() - 1)
    assert world.embeds.enter_uses() == 0
    world.clock.advance(1)
    assert world.embeds.enter_uses() == 1
    (entry,) = world.entries("logo.used")
    assert (entry["hour"], entry["views"]) == ("2026-11-25T12:00:00.000000Z", 2)
    world.clock.advance(HOUR)
    assert world.embeds.enter_uses() == 1
    assert [entry["hour"] for entry in world.entries("logo.used")] == [
        "2026-11-25T12:00:00.000000Z",
        "2026-11-25T13:00:00.000000Z",
    ]


def test_an_entry_waits_longer_than_any_count_stays_in_memory() -> None:
    """Counts in memory are at most 5 s away from the database."""
    assert timedelta(seconds=counter.INTERVAL) < timedelta(seconds=5) < LATE


def test_an_entry_has_the_facts_that_reports_need(world: World) -> None:
    live = world.live(participant=world.partner(country="KE"), logo="lockup")
    views(world.embeds, live, 2, "https://elsewhere.example", "white/128.webp")
    views(world.embeds, live, 1, None)
    world.clock.advance(2 * HOUR)
    world.embeds.enter_uses()
    none, elsewhere = sorted(world.entries("logo.used"), key=lambda entry: int(entry["views"]))
    assert {name: value for name, value in elsewhere.items() if name not in ("id", "v")} == {
        "kind": "logo.used",
        "at": "2026-11-25T14:00:00.000000Z",
        "hour": "2026-11-25T12:00:00.000000Z",
        "embed": live.key,
        "participant": live.participant,
        "participant_kind": "civil_society",
        "country": "KE",
        "logo": "lockup",
        "variant": "white/128.webp",
        "origin": "https://elsewhere.example",
        "views": 2,
    }
    assert (none["origin"], none["variant"]) == (None, BLUE)


def test_two_processes_at_once_enter_an_hour_once(world: World) -> None:
    lives = [world.live() for _ in range(20)]
    processes = [world.process(), world.process()]
    for process in processes:
        for live in lives:
            views(process, live, 3)
            views(process, live, 1, None, WHITE)
        process.flush()
    world.clock.advance(2 * HOUR)
    assert sum(at_once(*[process.enter_uses for process in processes])) == 40
    entries = world.entries("logo.used")
    assert len({(entry["embed"], entry["variant"]) for entry in entries}) == len(entries) == 40
    assert entered(world) == {SITE: 120, None: 40}
    assert [process.enter_uses() for process in processes] == [0, 0]


def test_counts_that_come_while_an_hour_is_entered_are_entered_in_their_turn(world: World) -> None:
    live = world.live()
    enters, counts = world.process(), world.process()

    def visitors() -> None:
        for _ in range(30):
            views(counts, live, 1)
            counts.flush()

    def turns() -> None:
        for _ in range(30):
            enters.enter_uses(everything=True)

    at_once(visitors, turns)
    enters.enter_uses(everything=True)
    assert entered(world) == {SITE: 30}
    assert world.stored() == 30


@pytest.mark.parametrize("done", [False, True], ids=["nothing-was-kept", "all-was-kept"])
def test_entering_that_failed_is_done_again_and_enters_once(world: World, failing: Failing, done: bool) -> None:
    live = world.live()
    views(world.embeds, live, 3)
    world.embeds.flush()
    world.clock.advance(2 * HOUR)
    failing("write", Unavailable(), done=done)
    with pytest.raises(Unavailable):
        world.embeds.enter_uses()
    world.embeds.enter_uses()
    assert entered(world) == {SITE: 3}


def test_what_others_have_counted_is_entered_while_counts_of_this_process_cannot_be_written(
    world: World, failing: Failing
) -> None:
    live, other = world.live(), world.process()
    views(other, live, 3)
    other.flush()
    views(world.embeds, live, 1)
    world.clock.advance(2 * HOUR)
    failing("write", Unavailable())
    assert world.embeds.enter_uses() == 1
    assert entered(world) == {SITE: 3}
    world.embeds.enter_uses()
    assert entered(world) == {SITE: 4}


# ---- the thread, the end of a process, and a fork


def test_a_running_process_writes_without_being_asked(world: World) -> None:
    live = world.live()
    world.embeds.start()
    views(world.embeds, live, 3)
    wait_until(lambda: world.stored() == 3, 60, "the counts are written")


def test_a_running_process_goes_on_after_a_flush_that_failed(world: World, failing: Failing) -> None:
    live = world.live()
    failing("write", Unavailable(), times=2)
    world.embeds.start()
    views(world.embeds, live, 3)
    wait_until(lambda: world.stored() == 3, 60, "the counts are written")


def test_many_different_counts_are_written_before_it_is_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "INTERVAL", 24 * HOUR)
    monkeypatch.setattr(counter, "_MANY", 10)
    live = world.live()
    world.embeds.start()
    for number in range(10):
        views(world.embeds, live, 1, f"https://site{number}.example")
    wait_until(lambda: world.stored() == 10, 60, "the counts are written")


@pytest.mark.parametrize("running", [False, True])
def test_counts_are_written_when_a_process_ends(world: World, running: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "INTERVAL", 24 * HOUR)  # so that nothing but the end writes them
    flushed: list[int] = []
    flush = counter.ViewCounter.flush

    def noted(self: counter.ViewCounter) -> int:
        flushed.append(flush(self))
        return flushed[-1]

    monkeypatch.setattr(counter.ViewCounter, "flush", noted)
    live = world.live()
    if running:
        world.embeds.start()
        wait_until(lambda: len(flushed) > 0, 60, "its first turn is over")
    views(world.embeds, live, 3)
    assert world.stored() == 0
    world.embeds.close()
    assert world.stored() == 3
    world.embeds.close()
    assert world.stored() == 3


def test_a_process_that_cannot_write_at_its_end_says_so_and_ends(world: World, failing: Failing) -> None:
    live = world.live()
    views(world.embeds, live, 3)
    failing("write", Unavailable(), times=2)
    with capture_logs() as logs:
        world.embeds.close()
    assert [(line["log_level"], line["error"]) for line in logs] == [("error", "Unavailable")]


def test_at_its_end_a_process_enters_what_was_counted_in_an_hour_that_is_not_over(world: World) -> None:
    live = world.live()
    views(world.embeds, live, 3)
    assert world.embeds.enter_uses(everything=True) == 1
    started_anew = world.process()
    views(started_anew, live, 1)
    started_anew.flush()
    world.clock.advance(2 * HOUR)
    assert started_anew.enter_uses() == 1
    assert entered(world) == {SITE: 4}


def test_a_forked_child_counts_for_itself(world: World) -> None:
    live = world.live()
    views(world.embeds, live, 3)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            views(world.embeds, live, 1)
            status = 0 if world.embeds.flush() == 1 and world.stored() == 1 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    world.embeds.flush()
    assert world.stored() == 4


def test_no_entry_names_a_site_of_a_person(world: World) -> None:
    """The log is for ever; the database, which an erasure reaches, has the sites."""
    salt = bytes(range(32))
    person = world.partner(kind="individual", salt=salt)
    live = world.live(participant=person)
    world.embeds.change(live.key, origins=[SITE, "https://blog.example"], by="portal:key_1")
    for origin in (SITE, "https://blog.example", "https://unlisted.example", None):
        views(world.embeds, live, 2, origin)
    world.clock.advance(2 * HOUR)
    world.embeds.enter_uses()
    assert entered(world) == {OTHER: 6, None: 2}
    assert set(stored_origins(world)) == {SITE, "https://blog.example", "https://unlisted.example", ""}
    made, changed = world.entries("embed.created")[-1], world.entries("embed.changed")[-1]
    for entry, sites in ((made, [SITE]), (changed, [SITE, "https://blog.example"])):
        assert entry["origins"] == []
        assert entry["commitment"] == commitment(salt, {"embed": live.key, "origins": sites})
    world.embed()
    assert world.entries("embed.created")[-1]["origins"] == [SITE]
    assert "commitment" not in world.entries("embed.created")[-1]
