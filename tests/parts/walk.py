"""The steps of the main job by API keys of a running Emblem, filled in from what the API itself asks for."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from typing import Any

from .demo import Answer, Demo
from .willing import answers_to

_RUN = uuid.uuid4().hex[:8]
_count = itertools.count(1)


class Walk:
    """Steps at ``base_url`` (the demo's own, or a proxy's in front of it)."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.portal = demo.client("portal")
        self.staff = demo.client("staff")
        self.auditor = demo.client("auditor")

    def join(self, kind: str = "civil_society", **changes: Any) -> Answer:
        """One application that the shipped rules approve, unless ``changes`` say otherwise."""
        kinds = {entry["kind"]: entry for entry in self.portal.get("/api/v1/eligibility").json()["kinds"]}
        body = {
            "kind": kind,
            "name": "Harbour Shelter",
            "email": f"office-{_RUN}-{next(_count)}@shelter.example.org",
            "country": "AT",
            "language": "en",
            "answers": answers_to(kinds[kind]["fields"], required_only=True),
            "purposes": ["information"],
        }
        return self.portal.post("/api/v1/participants", body | changes)

    def accept(self, participant: str, terms: str) -> Answer:
        """The current version of the terms, in English."""
        found = self.portal.get(f"/api/v1/terms/{terms}", lang="en").json()
        body = {
            "terms": terms,
            "version": found["version"],
            "language": "en",
            "digest": hashlib.sha256(found["text"].encode()).hexdigest(),
            "signatory": {"name": "Robin Example", "capacity": "Head of office"},
        }
        return self.portal.post(f"/api/v1/participants/{participant}/acceptances", body)

    def participant(self) -> str:
        """The id of an approved participant that accepted all terms."""
        joined = self.join()
        assert joined.status == 201, joined
        who = str(joined.json()["id"])
        for terms in sorted({entry["id"] for entry in self.portal.get("/api/v1/terms").json()["terms"]}):
            accepted = self.accept(who, terms)
            assert accepted.status == 201, accepted
        return who

    def link(self, participant: str, package: str = "logo", **wishes: Any) -> dict[str, Any]:
        """A link of a participant, as the API answers it."""
        answer = self.portal.post("/api/v1/links", {"participant": participant, "package": package} | wishes)
        assert answer.status == 201, answer
        made: dict[str, Any] = answer.json()
        return made

    def downloads(self, link: str) -> list[dict[str, Any]]:
        """All recorded downloads of a link, newest first."""
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"link": link, "limit": 200}
        while True:
            page = self.auditor.get("/api/v1/downloads", **query)
            assert page.status == 200, page
            found += page.json()["downloads"]
            if page.json()["next_cursor"] is None:
                return found
            query["cursor"] = page.json()["next_cursor"]

    def counted(self, link: str) -> int:
        """How many downloads of a link are counted, checked against what the link itself says."""
        rows = sum(1 for row in self.downloads(link) if row["counted"])
        assert rows == self.portal.get(f"/api/v1/links/{link}").json()["downloads"]
        return rows
