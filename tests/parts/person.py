"""A person at a browser, with a mailbox: what they see, fill in and press, in any language."""

from __future__ import annotations

import email
import email.policy
import hashlib
import io
import itertools
import re
import uuid
import zipfile
from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import Download, Locator, Page, Response

from .demo import Demo
from .mails import text_of
from .processes import wait_until

_RUN = uuid.uuid4().hex[:8]
_count = itertools.count(1)


class Person:
    """Walks from the home page to the file on disk, by the page's own links and buttons."""

    def __init__(self, page: Page, demo: Demo, language: str = "en") -> None:
        self.page, self.demo, self.language = page, demo, language
        self.address = f"kim-{_RUN}-{next(_count)}@person.example.org"
        self._begun: Download
        self.foreign: list[str] = []  # requests to anywhere but the service
        page.on("request", self._notice)

    def _notice(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith((self.demo.base_url + "/", "data:", "blob:")):
            self.foreign.append(url)

    @property
    def main(self) -> Locator:
        """The page's content, without its header and footer."""
        return self.page.locator("main")

    def open(self, path: str) -> Response:
        """Opens a page of the service in the person's language."""
        answer = self.page.goto(f"{self.demo.base_url}/{self.language}/{path}")
        assert answer is not None
        assert answer.ok, (answer.status, path)
        return answer

    def follow(self, pattern: str) -> None:
        """Follows the first link of the content whose target matches."""
        for link in self.main.get_by_role("link").all():
            if re.search(pattern, link.get_attribute("href") or ""):
                with self.page.expect_navigation():
                    link.click()
                return
        raise AssertionError(f"{self.page.url} has no link to {pattern}")

    def press(self) -> None:
        """Presses the one button of the content's form, and does not wait for what comes of it."""
        self.main.locator("form button[type=submit]").last.click()

    def submit(self) -> None:
        """Presses the one button of the content's form; returns once the page that answers is there."""
        with self.page.expect_navigation():
            self.press()

    def mails(self) -> list[EmailMessage]:
        """The mails in the person's mailbox, oldest first."""
        found = []
        for path in sorted(self.demo.outbox.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            if self.address in str(message["To"]):
                found.append(message)
        return found

    def link_in_mail(self, count: int) -> str:
        """The link in the ``count``-th mail, once that has come."""
        wait_until(lambda: len(self.mails()) >= count, 60, "the mail has come")
        body = text_of(self.mails()[count - 1])
        (link,) = set(re.findall(rf"{re.escape(self.demo.base_url)}/\S+", body))
        assert "/d/" not in link, "mails never contain a download link"
        return str(link)

    def join(self, kind: str = "individual") -> None:
        """From the home page to "a mail is on its way"."""
        self.open("")
        self.follow(r"/join$")
        self.follow(rf"kind={kind}\b")
        self.page.locator("[name=name]").fill("Kim Example")
        self.page.locator("[name=email]").fill(self.address)
        if self.page.locator("[name=country]").count():
            self.page.locator("[name=country]").select_option("AT")
        for choice in self.page.locator("input[type=radio][value=yes]").all():
            choice.check()
        for text in self.page.locator("main form textarea[required]").all():
            text.fill("I will wear it, and say why.")
        self.submit()
        if kind != "individual":  # who speaks for others sees all of it once more
            with self.page.expect_navigation():
                self.main.locator("form button[type=submit]").first.click()
        assert "/join/sent?" in self.page.url, self.main.inner_text()

    def confirm(self) -> None:
        """From the mail to the account, by the button of the page that the mail leads to."""
        self.page.goto(self.link_in_mail(1))
        self.submit()
        assert self.page.url.endswith(f"/{self.language}/account"), self.main.inner_text()

    def accept(self, package: str) -> None:
        """On the page of a package: reads and accepts the terms, which makes the link too."""
        self.open("tools")
        self.follow(rf"/tools/{package}$")
        self.page.locator("[name=name]").fill("Kim Example")
        for capacity in self.page.locator("[name=capacity]").all():  # individuals are not asked for one
            capacity.fill("Director")
        with self.page.expect_download() as begun:
            self.main.locator("section:has(#get) button[type=submit]").click()
        self._begun = begun.value

    def download(self, folder: Path) -> Path:
        """The file on disk, whose download has begun."""
        file = folder / self._begun.suggested_filename
        self._begun.save_as(file)
        return file

    def digests_on_page(self) -> dict[str, str]:
        """The members that a package's page lists, with their SHA-256; the archive's own under ""."""
        listed = {"": self.page.locator("#files ~ p .digest, section:has(#files) > p .digest").first.inner_text()}
        for row in self.page.locator("section:has(#files) tbody tr").all():
            listed[row.locator("th").text_content() or ""] = row.locator(".digest").text_content() or ""
        return {name.strip(): digest.strip() for name, digest in listed.items()}


def digests_in(file: Path) -> dict[str, str]:
    """The SHA-256 of a ZIP file (under "") and of its members."""
    whole = file.read_bytes()
    found = {"": hashlib.sha256(whole).hexdigest()}
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            found[name] = hashlib.sha256(archive.read(name)).hexdigest()
    return found
