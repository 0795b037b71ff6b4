"""An independent verifier of the public log.

It shares no code with the sealer, not even the hashing: what both had wrong, neither would find. It needs
Python's standard library and an implementation of Ed25519, and reads nothing but what the log publishes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .log_reader import LogSource, NotAllowedError
from .policy import Cosignature, Policy
from .signed_note import BadFormError, PublicKey, SignedHead, parse_checkpoint, parse_vkey, plain_text, unbase64

_ENOUGH = 20  # findings after which reading on tells nothing new
_SHA = hashlib.sha256
KEPT = "the kept checkpoint"  # where findings about it are

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LogFinding:
    """Something that does not hold. ``index`` is the first leaf that it touches, None where it touches none."""

    index: int | None
    path: str
    text: str


@dataclass
class LogVerdict:
    """Result of a verification: the checkpoint checked, and every finding."""

    origin: str = ""
    size: int = 0
    root: str = ""
    signed_by: list[str] = field(default_factory=list)
    entries_read: bool = False
    since: int | None = None
    findings: list[LogFinding] = field(default_factory=list)
    cosigned: list[Cosignature] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Tell whether everything that was checked holds."""
        return not self.findings

    @property
    def first(self) -> LogFinding | None:
        """The finding with the lowest leaf index; one without an index only where there is no other."""
        return min(self.findings, key=lambda found: (found.index is None, found.index or 0), default=None)

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain values."""
        first = self.first
        return {
            "ok": self.ok,
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "signed_by": self.signed_by,
            "cosigned_by": [
                {"witness": item.witness, "at": item.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")} for item in self.cosigned
            ],
            "entries_read": self.entries_read,
            "since": self.since,
            "first_bad_index": first.index if first else None,
            "findings": [{"index": item.index, "path": item.path, "detail": item.text} for item in self.findings],
        }


# --- hashing


def _node(left: bytes, right: bytes) -> bytes:
    return _SHA(b"\x01" + left + right).digest()


def _pairs(level: bytes) -> bytes:
    return b"".join([_SHA(b"\x01" + level[at : at + 64]).digest() for at in range(0, len(level), 64)])


def full_root(hashes: bytes) -> bytes:
    """The root of a full tile's 256 hashes."""
    for _ in range(8):
        hashes = _pairs(hashes)
    return hashes


class Stack:
    """A tree as the roots of its perfect subtrees, largest first; leaves or whole tiles are added at the right."""

    def __init__(self) -> None:
        self.roots: list[tuple[int, bytes]] = []  # (height, root)

    def add(self, height: int, root: bytes) -> None:
        """Put a perfect subtree of 2^height leaves at the right."""
        while self.roots and self.roots[-1][0] == height:
            root = _node(self.roots.pop()[1], root)
            height += 1
        self.roots.append((height, root))

    def with_leaves(self, hashes: bytes) -> bytes:
        """The root with these leaf hashes (fewer than a tile's) at the right; this tree stays as it is."""
        copy = Stack()
        copy.roots = list(self.roots)
        for at in range(0, len(hashes), 32):
            copy.add(0, hashes[at : at + 32])
        if not copy.roots:
            return _SHA(b"").digest()
        root = copy.roots[-1][1]
        for _, left in reversed(copy.roots[:-1]):
            root = _node(left, root)
        return root


# --- the walk over a log


def tile_name(index: int) -> str:
    """A tile's number as tlog-tiles writes it in paths, such as ``x001/x234/067``."""
    digits = str(index).rjust((len(str(index)) + 2) // 3 * 3, "0")
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join(["x" + group for group in groups[:-1]] + groups[-1:])


class LeafWalk:
    """The way over the leaves of a log from left to right; what does not fit is found in ``verdict``.

    ``stack`` holds what lies left of the leaves that are walked: nothing at the start of a log.
    """

    def __init__(self, source: LogSource, verdict: LogVerdict, size: int, root: bytes = b"") -> None:
        self.source = source
        self.verdict = verdict
        self.size = size
        self.root = root
        self.stack = Stack()
        self.held: dict[int, tuple[int, bytes, str]] = {}  # level -> the tile of that level read last, and its path
        self.entries = True

    def find(self, index: int | None, path: str, text: str) -> None:
        """Add a finding to the verdict."""
        self.verdict.findings.append(LogFinding(index, path, text))

    def fetch(self, level: str, index: int, width: int) -> tuple[str, bytes | None]:
        """A tile or bundle by its full width or a part, with the path it was read from."""
        full = f"tile/{level}/{tile_name(index)}"
        if width == 256:
            return full, self.source.read(full)
        path = f"{full}.p/{width}"
        data = self.source.read(path)
        if data is None and (whole := self.source.read(full)) is not None:
            return full, whole  # the tile has become full since the checkpoint
        return path, data

    def tile(self, level: int, index: int) -> bytes:
        """A hash tile, padded with zeros where it is missing or cut off (which is found then)."""
        if self.held.get(level, (-1,))[0] == index:
            return self.held[level][1]
        width = min(256, (self.size >> (8 * level)) - index * 256)
        path, data = self.fetch(str(level), index, width)
        whole = b"" if data is None else data
        if path.endswith(f"/{tile_name(index)}") and len(whole) == 8192:
            whole = whole[: 32 * width]
        if len(whole) != 32 * width:
            first = (index * 256 + min(len(whole) // 32, width - 1)) << (8 * level)
            self.find(first, path, "the tile is missing" if data is None else f"the tile is not {32 * width} bytes")
            whole = whole[: 32 * width].ljust(32 * width, b"\0")
        self.held[level] = (index, whole, path)
        return whole

    def bundle(self, index: int, hashes: bytes) -> tuple[int | None, bytes]:
        """Every entry of a bundle against its leaf; the first bad leaf, and the hashes that are to be believed."""
        count = len(hashes) // 32
        first = index * 256
        try:
            path, data = self.fetch("entries", index, count)
        except NotAllowedError:
            self.entries = False
            return None, hashes
        if data is None:
            self.find(first, path, "the entry bundle is missing")
            return first, hashes
        entries: list[bytes] = []
        at = 0
        while at < len(data) and len(entries) < count:
            end = at + 2 + (data[at] << 8) + (data[at + 1] if at + 1 < len(data) else 0)
            entries.append(data[at + 2 : end])
            at = end
        found = b"".join([_SHA(b"\0" + entry).digest() for entry in entries])
        if found != hashes:
            bad = next((n for n in range(len(entries)) if found[32 * n :][:32] != hashes[32 * n :][:32]), len(entries))
            tile = self.held[0][2]
            if not self.confirmed(index, hashes) and self.confirmed(index, found):
                self.find(first + bad, tile, f"the hash of the leaf is not that of its entry, which is in {path}")
                return first + bad, found
            self.find(first + bad, path, f"the entry does not have the hash of its leaf, which is in {tile}")
            return first + bad, hashes
        if at != len(data) and not (count < 256 and path.endswith(f"/{tile_name(index)}")):
            self.find(first + count - 1, path, "the entry bundle has bytes after its last entry or is cut off")
            return first + count - 1, hashes
        return None, hashes

    def confirmed(self, index: int, hashes: bytes) -> bool:
        """Tell whether what stands above a tile of leaves, its parent or the signed root, is the hash of these."""
        if len(hashes) == 8192:
            place = index & 255
            return self.tile(1, index >> 8)[32 * place : 32 * place + 32] == full_root(hashes)
        return len(hashes) < 8192 and self.stack.with_leaves(hashes) == self.root

    def run(self, marks: Iterable[int], progress: Progress, first: int = 0) -> dict[int, bytes]:
        """Walk all leaves from the tile ``first`` on; the root at the end and at each of the sizes ``marks``.

        The stack has to hold the tiles before the first, and no mark may lie among them.
        """
        roots: dict[int, bytes] = {}
        wanted = sorted({*marks, self.size})
        stack = self.stack
        tiles = (self.size + 255) // 256
        for index in range(first, tiles):
            hashes = self.tile(0, index)
            exact = None
            if self.entries:
                exact, hashes = self.bundle(index, hashes)
            while wanted and wanted[0] < (index + 1) * 256 and wanted[0] <= self.size:
                mark = wanted.pop(0)
                roots[mark] = stack.with_leaves(hashes[: 32 * (mark - index * 256)])
            if len(hashes) == 8192:
                root = full_root(hashes)
                stack.add(8, root)
                self.parents(index, root, exact)
            if len(self.verdict.findings) >= _ENOUGH:
                return {}
            progress(min((index + 1) * 256, self.size), self.size)
        for mark in wanted:
            roots[mark] = stack.with_leaves(b"")
        return roots

    def parents(self, index: int, root: bytes, exact: int | None) -> None:
        """A full tile's root against its hash in the level above, and upwards wherever that tile ends with it.

        ``exact`` is the leaf that is known to be bad already, where there is one.
        """
        level = 1
        while True:
            above = self.tile(level, index >> 8)
            place = index & 255
            if above[32 * place : 32 * place + 32] != root:
                text = f"it does not hold the hash of {self.held[level - 1][2]}"
                first = index << (8 * level) if exact is None else exact
                self.find(first, self.held[level][2], text)
            if place != 255:
                return
            root, index, level = full_root(above), index >> 8, level + 1


def leaf_hashes(source: LogSource, size: int) -> Callable[[int], bytes]:
    """A function from a leaf's index to its hash in a log of ``size`` leaves that was verified before."""
    walk = LeafWalk(source, LogVerdict(), size)

    def find(leaf: int) -> bytes:
        if not 0 <= leaf < size:
            return b""
        place = leaf % 256
        return walk.tile(0, leaf // 256)[32 * place : 32 * place + 32]

    return find


def silent(done: int, total: int) -> None:
    """No progress shown."""


def read_keys(source: LogSource) -> list[PublicKey]:
    """The verifier keys that the log itself states: a check against these proves less than one against a kept key."""
    data = source.read("key")
    if data is None:
        raise BadFormError("the log states no key; give one with --key")
    return [parse_vkey(line) for line in data.decode("utf-8", "replace").split("\n") if line.strip()]


def stated_keys(source: LogSource, verdict: LogVerdict) -> list[PublicKey]:
    """The keys that the log states, none where it states none; a list that is not one is a finding."""
    try:
        return [] if source.read("key") is None else read_keys(source)
    except BadFormError as error:
        verdict.findings.append(LogFinding(None, "key", str(error)))
        return []


def judge_witnesses(verdict: LogVerdict, note: bytes, policy: Policy | None) -> None:
    """The cosignatures of a checkpoint whose own signatures hold; a quorum that is missed is a finding."""
    if policy is None:
        return
    try:
        verdict.cosigned = policy.cosignatures(note)
    except BadFormError as error:
        verdict.findings.append(LogFinding(None, "checkpoint", str(error)))
        return
    if not policy.met_by({item.witness for item in verdict.cosigned}):
        seen = ", ".join(sorted({item.witness for item in verdict.cosigned})) or "no witness"
        text = f"the quorum {policy.quorum} of the policy is missed: the checkpoint was seen by {seen}"
        verdict.findings.append(LogFinding(None, "checkpoint", text))


def verify_log(
    source: LogSource,
    keys: Sequence[PublicKey],
    since: bytes | None = None,
    progress: Progress = silent,
    policy: Policy | None = None,
) -> LogVerdict:
    """Checks a whole log: signatures, every tile against its parent, every entry against its leaf.

    ``since`` is a checkpoint kept from before, of which this log must be a continuation; with a ``policy`` the
    checkpoint has to carry the cosignatures of its quorum. SourceError where
    the source does not answer; everything that is wrong with the log itself is a finding.
    """
    verdict = LogVerdict()
    note = source.read("checkpoint")
    try:
        if note is None:
            raise BadFormError("there is no checkpoint")
        stated = stated_keys(source, verdict)
        head = parse_checkpoint(note, keys, stated)
    except BadFormError as error:
        verdict.findings.append(LogFinding(None, "checkpoint", str(error)))
        return verdict
    verdict.origin, verdict.size, verdict.root = head.origin, head.size, head.root.hex()
    verdict.signed_by = head.signed_by
    judge_witnesses(verdict, note, policy)
    marks = []
    old = None
    if since is not None:
        try:
            old = parse_checkpoint(since, keys, stated)
        except BadFormError as error:
            verdict.findings.append(LogFinding(None, KEPT, str(error)))
            return verdict
        verdict.since = old.size
        if old.origin != head.origin:
            verdict.findings.append(LogFinding(None, KEPT, f"it is of another log, {old.origin}"))
            return verdict
        if old.size > head.size:
            text = f"the log was rewound: it had {old.size} leaves and has {head.size} now"
            verdict.findings.append(LogFinding(head.size, "checkpoint", text))
        else:
            marks.append(old.size)
    walk = LeafWalk(source, verdict, head.size, head.root)
    before = len(verdict.findings)
    roots = walk.run(marks, progress)
    verdict.entries_read = walk.entries
    _judge_roots(verdict, head, old, roots, fits=len(verdict.findings) == before)
    return verdict


def _judge_roots(
    verdict: LogVerdict, head: SignedHead, old: SignedHead | None, roots: dict[int, bytes], *, fits: bool
) -> None:
    if roots and roots[head.size] != head.root and fits:
        # Every full tile fits its parent, so what is left is the unfinished tile of leaves at the end.
        first = head.size - head.size % 256 if head.size % 256 else 0
        verdict.findings.append(LogFinding(first, "checkpoint", "the tiles do not have the root that was signed"))
    if old is not None and old.size in roots and roots[old.size] != old.root:
        text = f"the first {old.size} leaves are not those of the kept checkpoint: the log was forked or rewritten"
        verdict.findings.append(LogFinding(0 if verdict.ok else None, KEPT, text))


# --- receipts


def verify_receipt(
    text: bytes, keys: Sequence[PublicKey], stated: Sequence[PublicKey] = (), policy: Policy | None = None
) -> tuple[LogVerdict, bytes]:
    """Check the bytes of a tlog-proof file by themselves; give the verdict and the entry that the file proves.

    ``stated``: see ``parse_checkpoint``; ``policy``: see ``verify_log``.
    """
    verdict = LogVerdict(entries_read=True)
    entry = b""
    try:
        proof, gap, note = plain_text(text).partition(b"\n\n")
        lines = proof.decode("utf-8").split("\n")
        if not gap or lines[0] != "c2sp.org/tlog-proof@v1" or len(lines) < 3:
            raise BadFormError("this is no C2SP tlog-proof file")
        if not lines[1].startswith("extra "):
            raise BadFormError("the receipt does not carry its entry")
        entry = unbase64(lines[1][6:], "the entry")
        match = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[2])
        if not match:
            raise BadFormError("the receipt's index is not a plain number")
        index = int(match[1])
        path = [unbase64(line, "a hash") for line in lines[3:]]
        head = parse_checkpoint(note, keys, stated)
        verdict.origin, verdict.size, verdict.root = head.origin, head.size, head.root.hex()
        verdict.signed_by = head.signed_by
        if index >= head.size or _climb(_SHA(b"\0" + entry).digest(), index, head.size, path) != head.root:
            raise BadFormError(f"the proof does not lead from leaf {index} to the signed root")
        judge_witnesses(verdict, note, policy)
    except (BadFormError, UnicodeDecodeError) as error:
        verdict.findings.append(LogFinding(None, "receipt", str(error)))
    return verdict, entry


def _climb(value: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2: the root that an inclusion path leads to; nothing that is a root where it does not fit."""
    place, last = index, size - 1
    for sibling in path:
        if last == 0 or len(sibling) != 32:
            return b""
        if place & 1 or place == last:
            value = _node(sibling, value)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            value = _node(value, sibling)
        place, last = place >> 1, last >> 1
    return value if last == 0 else b""
