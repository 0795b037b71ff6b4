"""Record downloads before their first byte, and check them: what the entrances ask."""

from __future__ import annotations

from collections.abc import Sequence

from ..campaign import Campaign
from ..clients.client import Client, hashing_keys
from ..clock import Clock
from ..problems import NotRecorded, Unavailable
from ..store import Database
from ..store.database import Batch
from .decisions import Asked, RecordRequest
from .records import End, Recorded, Records
from .shared_recording import SharedRecording
from .tokens import Claim

LONGEST_RANGE = 400  # characters of a ``Range`` that are kept; longer ones are served all the same


class Recorder:
    """Checks and records downloads. What waits at the same moment is decided and written as one batch."""

    def __init__(
        self,
        database: Database,
        campaign: Campaign,
        clock: Clock,
        secrets: Sequence[str],
        base_url: str,
        shared: SharedRecording | None = None,
    ) -> None:
        """Record in this process, or by the one that ``shared`` leads to while there is one."""
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._keys = hashing_keys(secrets)
        self._shared = shared
        self._records = Records(clock, base_url)
        self._batch: Batch[RecordRequest, Recorded] = database.batch(self._records.write)
        self._ends: Batch[End, None] = database.batch(self._records.note_ends)

    def check(self, claim: Claim, client: Client) -> None:
        """Raise the first refusal that holds, and record nothing: for HEAD, 304 and 416."""
        request = self._request(claim, client, Asked(None, 200, 0))
        with self._database.read() as session:
            self._records.read(session.connection(), [request], lock=False).decide(request)

    def record(self, claim: Claim, client: Client, asked: Asked) -> Recorded:
        """Record a GET that will send bytes of the file. When it returns, the record survives a power cut.

        Raises the first refusal that holds, or ``NotRecorded`` where the database cannot take the record;
        then no byte of the file may leave.
        """
        request = self._request(claim, client, asked)
        try:
            if self._shared is not None and (recorded := self._shared.record(request)) is not None:
                return recorded
            return self._batch.write(request)
        except Unavailable as error:
            raise NotRecorded(headers={"Retry-After": "5"}, private=error.private) from error

    def ended(self, recorded: Recorded, sent: int, how: str) -> None:
        """Note afterwards how many bytes went out and how it ended (``complete`` or ``aborted``), within a moment.

        It is lost where the process dies first.
        """
        end = End(recorded, sent, how)
        if self._shared is None or not self._shared.ended(end):
            self._ends.write_soon(end)

    def close(self) -> None:
        """Let nothing wait that was to be noted; to be called before the database is closed."""
        for end in self._shared.close() if self._shared is not None else ():
            self._ends.write_soon(end)

    def _request(self, claim: Claim, client: Client, asked: Asked) -> RecordRequest:
        if asked.range is not None and len(asked.range) > LONGEST_RANGE:
            asked = Asked(asked.range[:LONGEST_RANGE], asked.status, asked.bytes)
        return RecordRequest(
            claim.link,
            tuple(client.hashes(self._keys, claim.link)),
            client.prefix,
            client.kind,
            asked,
            self._campaign.terms.in_force(self._clock()),
        )
