"""Recording by one process for all of a machine, here a thread, and what becomes of downloads when it ends."""

from __future__ import annotations

import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import select

from service.links import Asked, Claim, Recorder, SharedRecording, shared_recording
from service.links.recording_process import serve
from service.links.records import Recorded, Records
from service.links.shared_recording import GREETING, LARGEST, message, new_pair
from service.problems import LinkExhausted, NotRecorded, Problem, Unavailable
from service.store import Database
from service.store.tables import Download

from ..parts.processes import wait_until
from .conftest import BASE, SECRETS, World
from .test_recording import OTHER, PERSON, WHOLE


@contextmanager
def recording(world: World, **changes: Any) -> Iterator[tuple[Recorder, SharedRecording, socket.socket]]:
    """A recorder that asks another, which runs in a thread with connections of its own."""
    inside, door = new_pair()
    database = Database(world.database.url)
    records = Records(world.clock, BASE)
    for name, value in changes.items():
        setattr(records, name, value)
    thread = threading.Thread(target=serve, args=(inside, database, records))
    thread.start()
    shared = SharedRecording()
    shared.use(door)
    recorder = Recorder(world.database, world.campaign, world.clock, SECRETS, BASE, shared)
    try:
        yield recorder, shared, door
    finally:
        recorder.close()
        door.close()
        connection = getattr(shared._of_thread, "connection", None)
        if connection is not None:
            connection._socket.close()
        thread.join(20)
        assert not thread.is_alive(), "it ends when nobody can ask it any more"
        inside.close()
        database.close()


def answered_by_the_other(recorder: Recorder, shared: SharedRecording, claim: Claim) -> Recorded:
    """Record until the other side has greeted; what came before was recorded here."""
    found: list[Recorded] = []

    def ask() -> bool:
        answer = shared.record(recorder._request(claim, PERSON, WHOLE))
        if answer is not None:
            found.append(answer)
        return bool(found)

    wait_until(ask, 60, "the other side answers")
    return found[0]


def rows(world: World) -> list[Download]:
    with world.database.read() as session:
        return list(session.scalars(select(Download).order_by(Download.id)))


def test_the_other_process_records_and_notes_the_ends(world: World) -> None:
    claim = world.link()
    with recording(world) as (recorder, shared, _):
        first = answered_by_the_other(recorder, shared, claim)
        assert first.counted
        again = recorder.record(claim, PERSON, Asked("bytes=0-" + "9" * 500, 206, 5))
        assert not again.counted
        recorder.ended(first, 100, "complete")
        recorder.ended(again, 3, "aborted")
        wait_until(lambda: all(row.ended for row in rows(world)), 60, "the ends are noted")
    found = {row.id: (row.bytes_sent, row.ended, row.status, len(row.range or "")) for row in rows(world)}
    assert found == {
        first.downloads[0][0]: (100, "complete", WHOLE.status, 0),
        again.downloads[0][0]: (3, "aborted", 206, 400),
    }


def test_ends_that_nobody_took_are_written_at_the_end(world: World) -> None:
    with recording(world) as (recorder, shared, door):
        recorded = answered_by_the_other(recorder, shared, world.link())
        door.close()
        recorder.ended(recorded, 7, "aborted")
    wait_until(lambda: rows(world)[0].ended == "aborted", 60, "it is noted")


def test_what_the_other_process_refuses_is_raised_here(world: World) -> None:
    claim = world.link(max_downloads=1)
    with recording(world) as (recorder, shared, _):
        answered_by_the_other(recorder, shared, claim)
        with pytest.raises(LinkExhausted) as shared_problem:
            recorder.record(claim, OTHER, WHOLE)
    with pytest.raises(LinkExhausted) as own:
        world.recorder.record(claim, OTHER, WHOLE)
    assert shared_problem.value.as_json() == own.value.as_json()
    assert shared_problem.value.headers == own.value.headers
    assert len(rows(world)) == 1


def test_a_fault_of_the_other_process_is_told_and_the_next_is_recorded(world: World) -> None:
    claim, failing = world.link(), [True]
    records = Records(world.clock, BASE)

    def write(session: Any, requests: Any) -> Any:
        if failing and len(rows(world)):
            failing.clear()
            raise ValueError("private")
        return records.write(session, requests)

    with recording(world, write=write) as (recorder, shared, _):
        answered_by_the_other(recorder, shared, claim)
        with pytest.raises(Problem) as told:
            recorder.record(claim, OTHER, WHOLE)
        assert (told.value.status, "private" in str(told.value.as_json())) == (500, False)
        assert recorder.record(claim, OTHER, WHOLE).counted


def test_many_at_once_each_get_their_own_answer(world: World) -> None:
    claims = [world.link() for _ in range(12)]
    got: dict[str, Recorded] = {}
    with recording(world) as (recorder, shared, _):
        answered_by_the_other(recorder, shared, world.link())

        def ask(claim: Claim) -> None:
            for _ in range(4):
                got[claim.link] = recorder.record(claim, PERSON, WHOLE)

        threads = [threading.Thread(target=ask, args=(claim,)) for claim in claims]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    of = {row.id: row.link for row in rows(world)}
    assert {link: of[recorded.downloads[0][0]] for link, recorded in got.items()} == {c.link: c.link for c in claims}
    assert len(of) == 12 * 4 + 1


@contextmanager
def other_side(answer: Callable[[socket.socket], object]) -> Iterator[SharedRecording]:
    """A way to a process that does as told with the first connection."""
    inside, door = new_pair()
    shared = SharedRecording()
    shared.use(door)

    def run() -> None:
        _, (descriptor,), _, _ = socket.recv_fds(inside, 1, 1)
        with socket.socket(fileno=descriptor) as one:
            one.send(GREETING)
            answer(one)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield shared
    finally:
        shared.close()
        connection = getattr(shared._of_thread, "connection", None)
        if connection is not None:
            connection._socket.close()
        thread.join(20)
        inside.close()
        door.close()


def greeted(shared: SharedRecording) -> bool:
    return shared._connection() is not None


def test_without_a_greeting_downloads_are_recorded_here(world: World) -> None:
    inside, door = new_pair()
    shared = SharedRecording()
    shared.use(door)
    recorder = Recorder(world.database, world.campaign, world.clock, SECRETS, BASE, shared)
    recorded = recorder.record(world.link(), PERSON, WHOLE)
    assert recorded.counted
    assert len(rows(world)) == 1
    recorder.ended(recorded, 9, "aborted")
    wait_until(lambda: rows(world)[0].ended == "aborted", 60, "it is noted here too, and nothing gathers")
    shared.close()
    inside.close()
    door.close()


def test_where_the_other_process_ends_the_download_is_recorded_here(world: World) -> None:
    with other_side(lambda one: one.recv(LARGEST)) as shared:
        recorder = Recorder(world.database, world.campaign, world.clock, SECRETS, BASE, shared)
        wait_until(lambda: greeted(shared), 60, "it greets")
        assert recorder.record(world.link(), PERSON, WHOLE).counted
    assert len(rows(world)) == 1


def test_what_is_not_begun_in_time_is_refused_and_what_was_begun_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_recording, "LONGEST_WAIT", 0.1)
    refused = threading.Event()
    late = Recorded((("dl_late", 5),), True)

    def read_nothing(one: socket.socket) -> None:
        refused.wait(20)

    with other_side(read_nothing) as shared:
        recorder = Recorder(world.database, world.campaign, world.clock, SECRETS, BASE, shared)
        wait_until(lambda: greeted(shared), 60, "it greets")
        with pytest.raises(NotRecorded):
            recorder.record(world.link(), PERSON, WHOLE)
        refused.set()

    def read_and_take_long(one: socket.socket) -> None:
        one.recv(LARGEST)
        threading.Event().wait(1.5)
        one.send(pickle.dumps(late))

    with other_side(read_and_take_long) as shared:
        recorder = Recorder(world.database, world.campaign, world.clock, SECRETS, BASE, shared)
        wait_until(lambda: greeted(shared), 60, "it greets")
        assert recorder.record(world.link(), PERSON, WHOLE) == late
    assert rows(world) == []


def test_what_is_read_too_late_is_not_recorded(world: World) -> None:
    with recording(world) as (recorder, _, door):
        ours, theirs = new_pair()
        with ours, theirs:
            socket.send_fds(door, [GREETING], [theirs.fileno()])
            assert ours.recv(LARGEST) == GREETING
            ours.send(message(monotonic() - 1, recorder._request(world.link(), PERSON, WHOLE), []))
            assert isinstance(pickle.loads(ours.recv(LARGEST)), Unavailable)
    assert rows(world) == []
