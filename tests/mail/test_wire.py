"""Header fields on the wire of a real SMTP server that offers no SMTPUTF8: ASCII alone, and nothing is lost."""

from __future__ import annotations

import os
import random
import re
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser

from service.campaign import LANGUAGES
from service.mail import compose
from service.mail.transport import open_transport

from .conftest import FROM, TO, Inbox, server

#: How many subjects are sent; ten thousand take some minutes.
SUBJECTS = int(os.environ.get("EMBLEM_TEST_SUBJECTS", "180"))
TAGS = sorted(LANGUAGES)
WORDS = {
    "ar": "طلبكم قيد المراجعة للانضمام إلى الحملة بانتظار توقيع الشروط الجديدة قبل نهاية الشهر القادم من فضلكم",
    "en": "Your application to join the campaign is being looked at; please accept the new terms before it ends",
    "es": "Su solicitud de adhesión a la campaña está en revisión; acepte los términos de mañana, señora Núñez",
    "fr": "Votre demande d’adhésion à la campagne est à l’étude ; acceptez les conditions où l’été s’achève",
    "ru": "Ваша заявка на участие в кампании рассматривается пожалуйста примите новые условия до конца месяца",
    "zh": "您 的 参与 申请 正在 审核 请 在 截止 日期 之前 接受 新的 使用 条款 谢谢",
}
ODD = ["🫀", "a" * 90, "é", "%", "(x)", "<y>", '"z"', "1,234", "Zoë", "=", "_", "—", "=?utf-8?q?x?=", ""]


def subject(pick: random.Random, language: str) -> str:
    """A subject of one to thirty words of a language, some of them odd or empty."""
    words = pick.choices(WORDS[language].split(), k=pick.randint(1, 30))
    for _ in range(pick.choice((0, 0, 1, 2))):
        words.insert(pick.choice((0, pick.randrange(len(words) + 1))), pick.choice(ODD))
    return " ".join(words)


def test_subjects_in_six_languages_are_read_back_exactly() -> None:
    pick, inbox = random.Random(22), Inbox()
    sent = [subject(pick, TAGS[number % len(TAGS)]) for number in range(SUBJECTS)]
    with server(inbox, enable_SMTPUTF8=False) as place:
        transport = open_transport(f"smtp://{place}")
        for number, text in enumerate(sent):
            transport.send(compose(FROM, TO, text, "T", TAGS[number % len(TAGS)]))
    assert len(inbox.messages) == SUBJECTS
    for text, envelope in zip(sent, inbox.messages, strict=True):
        assert isinstance(envelope.content, bytes)
        head = envelope.content.partition(b"\r\n\r\n")[0]
        assert head.isascii()
        assert max(map(len, head.split(b"\r\n"))) <= 998
        raw = re.sub(r"\r?\n(?=[ \t])", "", BytesHeaderParser().parsebytes(envelope.content)["Subject"])  # unfolded
        assert str(make_header(decode_header(raw))) == text, raw


def test_a_long_address_to_unsubscribe_at_stays_an_address() -> None:
    """RFC 8058 wants a URI in angle brackets: as an encoded word no reader would find it."""
    inbox = Inbox()
    addresses = [f"https://logo.example.org/en/digest/{'x' * length}" for length in (1, 30, 60, 90, 200, 500)]
    with server(inbox, enable_SMTPUTF8=False) as place:
        for address in addresses:
            message = compose(FROM, TO, "S", "T", "en", unsubscribe=address)
            open_transport(f"smtp://{place}").send(message)
    for address, envelope in zip(addresses, inbox.messages, strict=True):
        assert isinstance(envelope.content, bytes)
        head = envelope.content.partition(b"\r\n\r\n")[0].decode("ascii")
        (field,) = [line for line in head.replace("\r\n ", " ").split("\r\n") if line.startswith("List-Unsubscribe:")]
        assert field == f"List-Unsubscribe: <{address}>"
