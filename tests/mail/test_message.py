"""Messages: no text adds a header, and one address is one recipient."""

from __future__ import annotations

from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.mail import compose

from .conftest import TO


@given(st.text(), st.text())
@example("=?utf-8?q?a=0D=0ABcc:_evil=40example.org?=", "")
@example("=?utf-8?q?", "=0D=0ABcc:_evil=40example.org?=")
def test_no_text_adds_a_header(subject: str, text: str) -> None:
    """Whatever stands in a subject or a text, the headers are ours and the recipient is one."""
    message = compose("campaign@example.org", TO, f"{subject}\r\nBcc: evil@example.org", text, "en")
    parsed = BytesParser(policy=policy.SMTPUTF8).parsebytes(message.as_bytes())
    assert parsed.keys() == message.keys()
    assert "Bcc" not in parsed
    assert "\n" not in parsed["Subject"]
    assert [address.addr_spec for address in parsed["To"].addresses] == [TO]


@pytest.mark.parametrize(
    "to",
    ["a@example.org\nBcc: b@example.org", "a@example.org\r", "a b@example.org", "nobody", "@example.org", "a@", ""],
)
def test_what_is_no_address_cannot_be_written_to(to: str) -> None:
    with pytest.raises(ValueError, match="address"):
        compose("campaign@example.org", to, "S", "T", "en")


def test_one_address_is_one_recipient() -> None:
    with pytest.raises(ValueError, match="address"):
        compose("campaign@example.org", "a@example.org,b@example.org", "S", "T", "en")


def test_a_domain_in_another_script_is_written_in_ascii() -> None:
    assert compose("c@example.org", "zoe@bücher.example.org", "S", "T", "en")["To"] == "zoe@xn--bcher-kva.example.org"
