"""Policies of witnesses line by line: what each may say, how groups count, and which cosignatures fit."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service import ledger
from service.verification.policy import Group, Policy, PolicyError, parse_policy
from service.verification.signed_note import BadFormError

ROOT = base64.b64encode(bytes(range(32))).decode()
STATEMENT = f"log.example.org\n7\n{ROOT}\n".encode()
NOON = 1_795_953_600  # 2026-11-29T12:00:00Z


class Witness:
    """An Ed25519 key for cosignatures (C2SP tlog-cosignature)."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        data = b"\x04" + self.private.public_key().public_bytes_raw()
        self.hash = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        self.vkey = f"{name}+{self.hash.hex()}+{base64.b64encode(data).decode()}"

    def line(self, at: int = NOON, statement: bytes = STATEMENT) -> str:
        signature = self.private.sign(b"cosignature/v1\ntime %d\n" % at + statement)
        return f"\u2014 {self.name} {base64.b64encode(self.hash + at.to_bytes(8, 'big') + signature).decode()}"


ONE, TWO, THREE = (Witness(f"w{number}.example.org", number) for number in (1, 2, 3))
WITNESSES = f"witness A {ONE.vkey} https://w1.example.org/x/\nwitness B {TWO.vkey}\nwitness C {THREE.vkey}\n"


def policy(lines: str) -> Policy:
    return parse_policy(WITNESSES + lines)


def test_a_policy_is_what_its_lines_say() -> None:
    log = ledger.signers(ledger.new_log_key(), "log.example.org")[0].verifier.vkey
    found = parse_policy(
        f"# the log\nlog {log}\n\nlog {log} https://log.example.org # twice\n{WITNESSES}group G 2 A B C\nquorum G"
    )
    assert [key.vkey for key in found.logs] == [log, log]
    assert [(one.name, one.key.vkey, one.url) for one in found.witnesses] == [
        ("A", ONE.vkey, "https://w1.example.org/x"),
        ("B", TWO.vkey, ""),
        ("C", THREE.vkey, ""),
    ]
    assert found.groups == {"G": Group(("A", "B", "C"), 2)}
    assert found.quorum == "G"


@pytest.mark.parametrize(
    ("lines", "meets", "misses"),
    [
        ("quorum none", ["", "A"], []),
        ("quorum A", ["A", "AB"], ["", "B", "BC"]),
        ("group G any A B\nquorum G", ["A", "B", "AB"], ["", "C"]),
        ("group G all A B\nquorum G", ["AB", "ABC"], ["", "A", "BC"]),
        ("group G 2 A B C\nquorum G", ["AB", "AC", "BC", "ABC"], ["", "A", "B", "C"]),
        ("group G any A B\ngroup H all G C\nquorum H", ["AC", "BC"], ["AB", "C", "A"]),
        ("group G all A B\nquorum C", ["C"], ["AB"]),
    ],
)
def test_groups_count_their_members(lines: str, meets: list[str], misses: list[str]) -> None:
    found = policy(lines)
    assert all(found.met_by(set(names)) for names in meets)
    assert not any(found.met_by(set(names)) for names in misses)


FORM = "write `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME all|any|NUMBER MEMBER…` or `quorum NAME|none`"
ADDRESS = "is no web address; write it with http:// or https://"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("quorum", FORM),
        ("quorum A B", FORM),
        ("log", FORM),
        (f"log {ONE.vkey} https://a.example more", FORM),
        ("witness D", FORM),
        (f"witness D {ONE.vkey} https://a.example more", FORM),
        ("group G any", FORM),
        ("Quorum none", FORM),
        (f"log {ONE.vkey}", "the verifier key is not an Ed25519 key or an ML-DSA-44 key"),
        (f"witness none {ONE.vkey}", "'none' is no name; take another"),
        (f"witness {'n' * 201} {ONE.vkey}", f"{'n' * 60!r} is no name; take another"),
        (f"witness A {ONE.vkey}", "A is defined already; take another name"),
        ("group A any B", "A is defined already; take another name"),
        (f"witness D {ONE.vkey}", "the key of D is another witness's already"),
        ("group G any D", "D is not defined above; define the witness or group first"),
        ("group G any A A", "A is in a group already; a name is in one group at most"),
        ("group G 0 A B", "0 is not all, any, or a number from 1 to 2"),
        ("group G 3 A B", "3 is not all, any, or a number from 1 to 2"),
        ("group G 01 A B", "01 is not all, any, or a number from 1 to 2"),
        ("group G 100 A B", "100 is not all, any, or a number from 1 to 2"),
        ("group G most A B", "most is not all, any, or a number from 1 to 2"),
        ("quorum D", "D is not defined above; define the witness or group first"),
        *((f"witness D {{four}} {url}", f"{url} {ADDRESS}") for url in ("ftp://a.example", "a.example", "http://")),
        *((f"witness D {{four}} {url}", f"{url} {ADDRESS}") for url in ("https://a.example?q", "https:///x")),
        (f"witness D {{four}} {'x' * 90}", f"{'x' * 80} {ADDRESS}"),
    ],
)
def test_a_line_that_is_none_is_named_with_its_fix(line: str, told: str) -> None:
    with pytest.raises(PolicyError) as said:
        policy(f"# a remark\n{line.format(four=Witness('w4.example.org', 4).vkey)}\nquorum none")
    assert str(said.value) == f"line 5: {told}"


def test_there_is_one_quorum_and_no_more() -> None:
    with pytest.raises(PolicyError) as said:
        policy("quorum A\nquorum none")
    assert str(said.value) == "line 5: there is one quorum only; remove this line or the other"
    with pytest.raises(PolicyError) as said:
        policy("")
    assert str(said.value) == "it names no quorum; add the line `quorum NAME`, or `quorum none`"


def test_witnesses_and_groups_are_bounded_each() -> None:
    names = [Witness(f"n{number}.example.org", number) for number in range(1, 34)]
    lines = [f"witness N{number} {one.vkey}" for number, one in enumerate(names, 1)]
    groups = [f"group G{number} any N{number}" for number in range(1, 33)]
    found = parse_policy("\n".join([*lines[:32], *groups, "quorum G32"]))
    assert (len(found.witnesses), len(found.groups)) == (32, 32)
    for more, number in ((lines, 33), ([*lines[:32], *groups, "group G33 any G1"], 65)):
        with pytest.raises(PolicyError) as said:
            parse_policy("\n".join([*more, "quorum none"]))
        assert str(said.value) == f"line {number}: there are at most 32 witnesses and 32 groups; remove one"


def note(*lines: str) -> bytes:
    return STATEMENT + b"\n" + "".join(f"{line}\n" for line in lines).encode()


def test_cosignatures_of_known_keys_are_checked_and_others_passed_over() -> None:
    found = policy("group G 2 A B C\nquorum G")
    stranger = Witness("w9.example.org", 9).line()
    same_name = Witness(ONE.name, 8).line()
    checked = found.cosignatures(note(stranger, TWO.line(NOON + 1), same_name, ONE.line()))
    assert [(one.witness, one.at, one.line) for one in checked] == [
        ("B", datetime(2026, 11, 29, 12, 0, 1, tzinfo=UTC), TWO.line(NOON + 1)),
        ("A", datetime(2026, 11, 29, 12, tzinfo=UTC), ONE.line()),
    ]
    assert found.seen(note(ONE.line(), TWO.line()))
    assert not found.seen(note(ONE.line()))
    assert not found.seen(note(ONE.line(), TWO.line(), "no line of a signature"))
    assert not found.seen(note(ONE.line(), TWO.line()) + b"\xff\n")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (ONE.line(statement=STATEMENT[1:]), "the cosignature of A does not fit"),
        (ONE.line(at=1 << 60), "the cosignature of A is of a time that no calendar has"),
        (ONE.line()[2:], "a signature line is not in its form"),
        ("\u2014 w1.example.org QQ", "a signature is not base64"),
    ],
)
def test_a_cosignature_that_does_not_fit_is_said(line: str, told: str) -> None:
    with pytest.raises(BadFormError) as said:
        policy("quorum none").check(line, STATEMENT)
    assert str(said.value) == told
