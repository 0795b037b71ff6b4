"""Checkpoints offered to witnesses: what they cosign is checked and served, and nothing that they do stops the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service import ledger
from service.deployment import assemble
from service.jobs import Jobs
from service.ledger import tiles
from service.ledger.proofs import TileReader, receipt
from service.ledger.witnesses import Offered, Witnesses
from service.problems import ConfigurationError
from service.settings import Settings
from service.verification.log_reader import FolderSource
from service.verification.policy import Policy, PolicyError, parse_policy
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log, verify_receipt
from tests.conftest import FrozenClock

from .conftest import NOON, ORIGIN, Log, revoked
from .witness import Witness


@pytest.fixture
def three() -> Iterator[list[Witness]]:
    """Three honest witnesses, the last with an ML-DSA-44 key."""
    made = [
        Witness(f"witness-{number}.example.org", NOON.timestamp(), post_quantum=number == 3) for number in (1, 2, 3)
    ]
    yield made
    for one in made:
        one.close()


def policy_of(log: Log, witnesses: list[Witness], needed: str = "2") -> Policy:
    lines = [f"log {vkey}" for vkey in log.sealer.vkeys()]
    lines += [f"witness W{number} {one.vkey} {one.url}  # {one.name}" for number, one in enumerate(witnesses, 1)]
    names = " ".join(f"W{number}" for number in range(1, len(witnesses) + 1))
    return parse_policy("\n".join([*lines, f"group all-of-us {needed} {names}", "quorum all-of-us", ""]))


def offered(witnesses: Witnesses) -> Offered:
    for one in witnesses._standings:
        one.due = 0  # the time until the next offer is over
    found = witnesses.offer()
    assert found is not None
    return found


def judge(log: Log, policy: Policy) -> tuple[bool, list[str]]:
    verdict = verify_log(FolderSource(log.tree()), list(policy.logs), policy=policy)
    assert all(item.at == NOON for item in verdict.cosigned)
    return verdict.ok, [item.witness for item in verdict.cosigned]


@pytest.fixture
def sealed(make_log: Callable[..., Log]) -> Log:
    log = make_log(key=ledger.new_log_keys())
    log.append(5)
    log.sealer.seal()
    return log


def test_every_checkpoint_is_cosigned_over_a_growing_log(sealed: Log, three: list[Witness]) -> None:
    policy = policy_of(sealed, three)
    witnesses = Witnesses(sealed.sealer, policy)
    told: list[tuple[str, str]] = []
    witnesses.observe = lambda name, outcome: told.append((name, outcome))
    assert judge(sealed, policy) == (False, [])
    for count in (1, 250, 300, 3):
        assert offered(witnesses).met
        assert judge(sealed, policy) == (True, ["W1", "W2", "W3"])
        assert witnesses.offer() is None  # all have it
        sealed.append(count)
        sealed.sealer.seal()
    assert {outcome for _, outcome in told} == {"cosigned"}
    assert len(told) == 12


def test_a_receipt_says_who_saw_it_and_when(sealed: Log, three: list[Witness]) -> None:
    policy = policy_of(sealed, three)
    offered(Witnesses(sealed.sealer, policy))
    head = sealed.sealer.rows.newest()
    assert head is not None
    proof = receipt(TileReader(sealed.storage, head.size), 2, head).encode()
    verdict, _ = verify_receipt(proof, list(policy.logs), policy=policy)
    assert verdict.ok
    assert [item["witness"] for item in verdict.as_json()["cosigned_by"]] == ["W1", "W2", "W3"]
    assert verify_receipt(proof, [parse_vkey(sealed.sealer.vkeys()[0])])[0].ok  # who knows no witness passes them over


def test_another_process_learns_from_409_what_each_holds(sealed: Log, three: list[Witness]) -> None:
    policy = policy_of(sealed, three)
    offered(Witnesses(sealed.sealer, policy))
    held = sealed.sealer.rows.newest()
    assert held is not None
    sealed.append(400)
    sealed.sealer.seal()
    assert offered(Witnesses(sealed.new_sealer(), policy)).met
    assert three[0].asked == [0, 0, held.size]
    assert judge(sealed, policy)[0]


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("wrong key", "bad-cosignature"),
        ("other root", "bad-cosignature"),
        ("old time", "wrong-time"),
        ("unknown key", "no-cosignature"),
        ("ahead", "ahead"),
        ("422", "refused-422"),
        ("403", "refused-403"),
        ("404", "refused-404"),
        ("500", "refused-500"),
        ("silent", "silent"),
        ("drips", "silent"),
    ],
)
def test_a_bad_witness_is_never_served_and_the_others_count(
    sealed: Log, three: list[Witness], mode: str, outcome: str
) -> None:
    policy = policy_of(sealed, three)
    three[1].mode = mode
    witnesses = Witnesses(sealed.sealer, policy)
    done = offered(witnesses)
    assert done.met
    assert done.outcomes == {"W1": "cosigned", "W2": outcome, "W3": "cosigned"}
    assert judge(sealed, policy) == (True, ["W1", "W3"])
    assert three[1].name not in (sealed.tree() / "checkpoint").read_text()
    three[0].mode = "500"
    sealed.append(1)
    assert sealed.sealer.seal().outcome == "sealed"  # publishing goes on
    assert not offered(witnesses).met
    ok, seen = judge(sealed, policy)
    assert (ok, seen) == (False, ["W3"])


def test_a_witness_that_is_not_there_is_asked_less_and_less_often(sealed: Log, three: list[Witness]) -> None:
    policy = policy_of(sealed, three)
    three[2].close()
    witnesses = Witnesses(sealed.sealer, policy)
    gone = witnesses._standings[2]
    pauses = []
    for _ in range(7):
        offered(witnesses)
        first = witnesses._standings[2].due
        gone.due = 0
        pauses.append(first)
    assert gone.failures == 7
    assert pauses == sorted(pauses)
    assert pauses[-1] - pauses[0] > 200  # seconds, of the plan, not of a clock


def test_cosignatures_outlive_a_rotation_of_the_logs_key(sealed: Log, three: list[Witness]) -> None:
    policy = policy_of(sealed, three)
    offered(Witnesses(sealed.sealer, policy))
    rotated = sealed.new_sealer(key=f"{ledger.new_log_keys()},{sealed.key}")
    rotated.resign()
    assert policy.seen((sealed.tree() / "checkpoint").read_bytes())
    sealed.damaged = True  # it was signed anew by keys that are in no entry yet


def test_a_forged_cosignature_in_a_checkpoint_is_found(sealed: Log, three: list[Witness]) -> None:
    policy = policy_of(sealed, three)
    offered(Witnesses(sealed.sealer, policy))
    path = sealed.tree() / "checkpoint"
    note = path.read_text()
    one, two = (line for line in note.splitlines() if "witness-1" in line or "witness-2" in line)
    path.write_text(note.replace(one, one[:80] + two[80:]))
    verdict = verify_log(FolderSource(sealed.tree()), list(policy.logs), policy=policy)
    assert not verdict.ok
    assert verify_log(FolderSource(sealed.tree()), list(policy.logs)).ok  # to whoever knows no witness
    sealed.damaged = True


def test_a_witness_that_others_wrote_cosigns_the_log(sealed: Log, tmp_path: Path) -> None:
    """aics-witness, as its own server: the log's second key is unknown to it, and does not stop it."""
    aics = pytest.importorskip("aics_witness", reason="aics-witness needs Python 3.12")
    note = pytest.importorskip("aics_tlog.note")
    private = Ed25519PrivateKey.generate()
    store = aics.WitnessStore(tmp_path / "witness.db", create=True)
    vkeys = (note.parse_vkey(sealed.sealer.vkeys()[0]),)
    witness = aics.Witness("aics.example.org", private, store, [aics.LogConfig(ORIGIN, vkeys)], clock=NOON.timestamp)
    server = aics.make_server(witness)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        lines = [f"log {sealed.sealer.vkeys()[0]}", f"witness A {witness.vkey_text} {server.url}", "quorum A"]
        policy = parse_policy("\n".join(lines))
        witnesses = Witnesses(sealed.sealer, policy)
        for count in (1, 300, 2):
            assert offered(witnesses).met
            assert judge(sealed, policy) == (True, ["A"])
            sealed.append(count)
            sealed.sealer.seal()
    finally:
        server.shutdown()
        server.server_close()
        store.close()


def test_a_service_offers_by_itself_serves_what_it_got_and_tells_staff_of_a_quorum_that_is_missed(
    settings: Settings, three: list[Witness], tmp_path: Path
) -> None:
    path = tmp_path / "witnesses.policy"
    names = [f"witness W{number} {one.vkey} {one.url}" for number, one in enumerate(three, 1)]
    path.write_text("\n".join([*names, "group all-of-us 2 W1 W2 W3", "quorum all-of-us"]))
    deployment = assemble(replace(settings, log_policy=str(path)), FrozenClock(NOON))
    jobs = Jobs(deployment, [])
    jobs._witnessing.start()
    try:
        deployment.sealer.seal()
        policy = parse_policy(path.read_text())
        until_true(lambda: policy.seen(deployment.storage.read(tiles.CHECKPOINT)))
        receipt = deployment.receipts.make("0")
        assert policy.seen(receipt.partition("\n\n")[2].encode())
        for one in three[:2]:
            one.mode = "500"
        assert deployment.alerts.newest() == []
        deployment.database.write(lambda session: ledger.append(session, revoked("lnk_1"), NOON))
        assert deployment.sealer.seal().added == 1
        # The next offer comes ten seconds after the first; until then a receipt is of the checkpoint that was seen.
        assert deployment.receipts.make("0") == receipt
        until_true(lambda: bool(deployment.alerts.newest()))
        assert "W1: refused-500" in deployment.alerts.newest()[0]["summary"]
        assert deployment.alerts.title("witness-quorum-missed") is not None
    finally:
        jobs._witnessing.stop()
        deployment.close()


def until_true(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.1)


def test_a_policy_that_is_none_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "witnesses.policy"
    path.write_text("quorum nobody")
    with pytest.raises(ConfigurationError, match=r"EMBLEM_LOG_POLICY.*line 1: nobody is not defined above"):
        assemble(replace(settings, log_policy=str(path)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no quorum"),
        ("quorum W", "not defined"),
        ("quorum none\nquorum none", "one quorum only"),
        ("witness W {vkey}\nwitness W {vkey}\nquorum W", "defined already"),
        ("witness W {vkey}\nwitness V {vkey}\nquorum W", "another witness's"),
        ("witness W {vkey} ftp://witness.example.org\nquorum W", "web address"),
        ("witness W {log}\nquorum W", "not an Ed25519 key for cosignatures"),
        ("log {vkey}\nquorum none", "not an Ed25519 key or"),
        ("witness W {vkey}\ngroup G 2 W\nquorum G", "number from 1 to 1"),
        ("witness W {vkey}\ngroup G any W\ngroup H any W\nquorum G", "one group"),
        ("quorums none", "write `log VKEY"),
    ],
)
def test_a_policy_with_a_mistake_names_its_line(three: list[Witness], text: str, told: str) -> None:
    log = ledger.signers(ledger.new_log_key(), "log.example.org")[0].verifier.vkey
    with pytest.raises(PolicyError, match=told):
        parse_policy(text.format(vkey=three[0].vkey, log=log))


def test_groups_count_their_members_in_turn(three: list[Witness]) -> None:
    lines = [f"witness W{number} {one.vkey}" for number, one in enumerate(three, 1)]
    policy = parse_policy("\n".join([*lines, "group G any W1 W2", "group H all G W3", "quorum H"]))
    assert policy.met_by({"W2", "W3"})
    assert not policy.met_by({"W1", "W2"})
    assert parse_policy("quorum none").met_by(set())
