"""What a webhook may reach: public addresses, whatever a name looks like or resolves to."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from service.alerts.alert_rules import load_rules
from service.alerts.webhooks import post
from service.campaign import CampaignError
from service.outgoing import RefusedTarget, connect, is_loopback
from tests.parts.nginx import self_signed

INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # metadata of clouds
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "::127.0.0.1",  # embedded in other ways: compatible, translated, and by a NAT64 gateway
    "::ffff:0:127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2001:0:7f00:1::",
    "fec0::1",
    "5f00::1",
    "3fff::1",
    "192.0.0.192",  # metadata of clouds that look public
    "168.63.129.16",
]


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names resolve to; where connections went is under ``reached``."""
    names: dict[str, list[str]] = {"reached": []}

    def look_up(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(0, 0, 0, "", (address, port)) for address in names.get(host, [host])]

    def reach(address: tuple[str, int], _timeout: float) -> Any:
        names["reached"].append(address[0])
        return None

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", reach)
    return names


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused(resolved: dict[str, list[str]], address: str) -> None:
    resolved["hooks.example.org"] = [address]
    resolved["localhost.evil.example"] = ["8.8.8.8", address]
    for host in ("hooks.example.org", "localhost.evil.example"):
        with pytest.raises(RefusedTarget):
            connect(host, 443, 1)
    assert not resolved["reached"]


def test_a_public_address_is_reached_as_it_was_judged(resolved: dict[str, list[str]]) -> None:
    resolved["hooks.example.org"] = ["8.8.8.8", "2001:4860:4860::8888"]
    connect("hooks.example.org", 443, 1)
    assert resolved["reached"] == ["8.8.8.8"]


def test_what_the_operator_names_is_reached(resolved: dict[str, list[str]]) -> None:
    resolved["alerts.internal"] = ["10.1.2.3"]
    connect("alerts.internal", 443, 1, [ip_network("10.0.0.0/8")])
    with pytest.raises(RefusedTarget):
        connect("alerts.internal", 443, 1, [ip_network("192.168.0.0/16"), ip_network("fd00::/8")])
    connect("127.0.0.1", 80, 1)
    assert resolved["reached"] == ["10.1.2.3", "127.0.0.1"]


@pytest.mark.parametrize(
    "url",
    ["http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "http://127.evil.example/", "http://[::2]/"],
)
def test_a_name_that_looks_like_this_machine_is_not(tmp_path: Path, url: str) -> None:
    (tmp_path / "alerts.yaml").write_text(f"webhooks: ['{url}']\n", encoding="utf-8")
    with pytest.raises(CampaignError, match="unencrypted"):
        load_rules(tmp_path)


def test_this_machine_is_known_by_its_names() -> None:
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1"))
    assert not any(is_loopback(host) for host in ("localhost.", "localhost.evil.example", "127.evil", "10.0.0.1", ""))


def test_a_certificate_that_is_nobodys_gets_no_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one that nobody vouches for, nor one of another name; and what was to be sent does not leave."""
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    got: list[bytes] = []

    def answer(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as secure:
                got.append(secure.recv(1000))

    with socket.create_server(("127.0.0.2", 0)) as listener:
        thread = threading.Thread(target=answer, args=[listener], daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        with pytest.raises(ssl.SSLCertVerificationError):
            post(f"https://127.0.0.2:{port}/", b"{}", {})
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # vouched for now, as whose it is
        with pytest.raises(ssl.SSLCertVerificationError, match=r"[Mm]ismatch|not valid for"):
            post(f"https://127.0.0.2:{port}/", b"{}", {})
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(60)
    assert not any(got)
