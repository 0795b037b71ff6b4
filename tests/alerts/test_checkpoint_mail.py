"""The checkpoint that auditors are mailed: what arrives holds the operator to the past."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest

from service import ledger
from service.alerts.checkpoint_mail import DailyCheckpoint
from service.mail import Mailer
from service.verification.log_reader import FolderSource
from service.verification.signed_note import kept_checkpoint, parse_vkey
from service.verification.verifier import LogVerdict, verify_log

from ..audit.conftest import ORIGIN, Deployment, download
from ..parts.mails import text_of

NEXT = timedelta(days=1, minutes=2)  # a day is mailed when it has been over for a minute


@pytest.fixture
def mailer(deployment: Deployment, tmp_path: Path) -> Iterator[Mailer]:
    made = Mailer(
        deployment.database, (tmp_path / "outbox").as_uri(), sender="campaign@example.org", clock=deployment.clock
    )
    yield made
    made.close()


def daily(deployment: Deployment, mailer: Mailer, *auditors: str) -> DailyCheckpoint:
    return DailyCheckpoint(deployment.database, deployment.clock, mailer, auditors, "https://emblem.example.org")


def seal(deployment: Deployment, count: int) -> None:
    deployment.record([download(deployment.time) for _ in range(count)])
    deployment.sealer.seal()


def judge(deployment: Deployment, kept: bytes) -> LogVerdict:
    keys = [parse_vkey(vkey) for vkey in deployment.sealer.vkeys()]
    return verify_log(FolderSource(deployment.folder / "storage/log"), keys, kept_checkpoint(kept))


@pytest.mark.parametrize(
    "new_keys", [ledger.new_log_key, ledger.new_log_keys], ids=["one key", "lines of 3,000 letters"]
)
@pytest.mark.parametrize("saved", ["the message", "its text", "its text on Windows", "the lines between the marks"])
def test_a_mail_as_it_was_saved_is_a_kept_checkpoint(
    deployment: Deployment, mailer: Mailer, tmp_path: Path, saved: str, new_keys: Callable[[], str]
) -> None:
    deployment.sealer.signers = ledger.key_source(new_keys(), ORIGIN)
    seal(deployment, 3)
    size = len(deployment.sealer.vkeys()) + 3
    deployment.time += NEXT
    assert daily(deployment, mailer, "auditor@example.org").run()
    (path,) = (tmp_path / "outbox").glob("*.eml")
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert isinstance(message, EmailMessage)
    assert message["To"] == "auditor@example.org"
    text = str(text_of(message)).replace("\r\n", "\n")
    kept = {
        "the message": path.read_bytes(),
        "its text": text.encode(),
        "its text on Windows": text.replace("\n", "\r\n").encode(),
        "the lines between the marks": text.split("-----8<-----\n")[1].encode(),
    }[saved]
    seal(deployment, 5)
    verdict = judge(deployment, kept)
    assert (verdict.ok, verdict.since) == (True, size)
    altered, changes = re.subn(rb"(/log\r?\n)%d" % size, rb"\g<1>3", kept)
    assert changes == 1
    assert not judge(deployment, altered).ok


def test_days_without_a_checkpoint_are_not_mailed_and_a_stop_of_some_days_is_made_up_for(
    deployment: Deployment, mailer: Mailer, tmp_path: Path
) -> None:
    watching = daily(deployment, mailer, "auditor@example.org")
    outbox = tmp_path / "outbox"
    assert not watching.run()  # nothing is sealed
    seal(deployment, 1)
    deployment.time += 4 * NEXT
    assert (watching.run(), watching.run()) == (True, False)
    deployment.time += NEXT
    assert not watching.run()
    assert len(list(outbox.glob("*.eml"))) == 1


def test_nobody_to_be_mailed_keeps_the_checkpoint_for_the_first_auditor(
    deployment: Deployment, mailer: Mailer, tmp_path: Path
) -> None:
    seal(deployment, 1)
    deployment.time += NEXT
    assert not daily(deployment, mailer).run()
    assert daily(deployment, mailer, "a@example.org", "b@example.org").run()
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 2
