"""A witness for tests, by the words of C2SP tlog-witness and tlog-cosignature; it can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey


def _root(proof: list[bytes], old: int, new: int, old_root: bytes) -> tuple[bytes, bytes]:
    """RFC 9162, 2.1.4.2: the roots of the old and the new tree that a consistency proof leads to."""
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for item in path[1:]:
        if last == 0:
            return b"", b""
        if place & 1 or place == last:
            first = hashlib.sha256(b"\x01" + item + first).digest()
            second = hashlib.sha256(b"\x01" + item + second).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = hashlib.sha256(b"\x01" + second + item).digest()
        place, last = place >> 1, last >> 1
    return (first, second) if last == 0 else (b"", b"")


class Witness:
    """A witness on a free port of loopback. ``mode`` is ``honest``, or how it misbehaves."""

    def __init__(self, name: str, now: float, *, post_quantum: bool = False) -> None:
        self.name = name
        self.now = now
        self.mode = "honest"
        self.held: tuple[int, bytes] = (0, b"")
        self.shown = b""  # the checkpoint that monitors are shown, with its cosignature
        self.asked: list[int] = []  # the old size of each request
        self.private = MLDSA44PrivateKey.generate() if post_quantum else Ed25519PrivateKey.generate()
        self.kind = b"\x06" if post_quantum else b"\x04"
        witness = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # the standard library's name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if witness.mode == "silent":
                    witness.freed.wait(20)
                status, answer = witness.answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                for at in range(len(answer)) if witness.mode == "drips" else ():
                    if witness.freed.wait(0.4):
                        return
                    self.wfile.write(answer[at : at + 1])
                if witness.mode != "drips":
                    self.wfile.write(answer)

            def do_GET(self) -> None:  # the standard library's name
                origin = hashlib.sha256(witness.shown.split(b"\n")[0]).hexdigest()
                known = bool(witness.shown) and self.path == f"/w/{origin}/checkpoint"
                self.send_response(200 if known else 404)
                self.send_header("Content-Length", str(len(witness.shown) if known else 0))
                self.end_headers()
                self.wfile.write(witness.shown if known else b"")

            def log_message(self, *_: object) -> None:
                """Nothing is told."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Whoever is asked too slowly hangs up."""

        self.freed = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/w"

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.kind + self.public).decode()}"

    def close(self) -> None:
        self.freed.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        assert path == "/w/add-checkpoint"
        header, _, note = body.partition(b"\n\n")
        first, *lines = header.split(b"\n")
        old = int(first.removeprefix(b"old "))
        self.asked.append(old)
        text = note.partition(b"\n\n")[0] + b"\n"
        size, root = int(text.split(b"\n")[1]), base64.b64decode(text.split(b"\n")[2])
        if self.mode.isdigit():
            return int(self.mode), b"no\n"
        if self.mode == "ahead":
            return 409, b"%d\n" % (size + 1000)
        if old != self.held[0]:
            return 409, b"%d\n" % self.held[0]
        if old == size:
            good = root == self.held[1] and not lines
        elif old == 0:
            good = not lines
        else:
            good = _root([base64.b64decode(line) for line in lines], old, size, self.held[1]) == (self.held[1], root)
        if not good:
            return 422, b"the proof does not fit\n"
        self.held = (size, root)
        line = self.sign(text, size, root)
        self.shown = note + line
        return 200, line

    def sign(self, text: bytes, size: int, root: bytes) -> bytes:
        moment = int(self.now - (86_400 if self.mode == "old time" else 0))
        stamp = moment.to_bytes(8, "big")
        if self.mode == "other root":
            root = bytes(32)
            text = text.replace(text.split(b"\n")[2], base64.b64encode(root))
        message = b"cosignature/v1\ntime %d\n" % moment + text
        if self.kind == b"\x06":
            name, origin = self.name.encode(), text.split(b"\n")[0]
            message = b"subtree/v1\n\0" + bytes([len(name)]) + name + stamp + bytes([len(origin)]) + origin
            message += bytes(8) + size.to_bytes(8, "big") + root
        private = Ed25519PrivateKey.generate() if self.mode == "wrong key" else self.private
        blob = self.id + stamp + private.sign(message)
        if self.mode == "unknown key":
            blob = bytes(4) + blob[4:]
        return f"\u2014 {self.name} {base64.b64encode(blob).decode()}\n".encode()
