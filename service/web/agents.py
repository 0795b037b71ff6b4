"""Tools for agents: a server of the Model Context Protocol (the official SDK's) without state, behind WSGI.

The SDK speaks ASGI. In its stateless form with JSON answers one POST is one exchange, so each runs to its end in an
event loop of its own, in the thread that serves the request: no thread of ours, nothing that a fork could lose.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from pydantic import Field

from .. import __version__, paths
from ..answers.brand import BrandRulesAnswer
from ..answers.catalogue import EligibilityAnswer
from ..campaign.languages import LANGUAGES
from ..campaign.languages import Language as Known
from ..logos.formats import AUTO, FORMATS
from ..problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..deployment import Deployment

Language = Annotated[Known, Field(description="Language of the texts.", json_schema_extra={"enum": [*LANGUAGES]})]
FileFormat = Annotated[str, Field(description="File format.", json_schema_extra={"enum": [*FORMATS, AUTO]})]


class Agents:
    """The server and its four tools, which read and change nothing. Safe to share between threads."""

    def __init__(self, deployment: Deployment, largest: int) -> None:
        self._deployment = deployment
        self._largest = largest
        self._tools = [self._tool(one) for one in (self.rules, self.logo_address, self.check_artwork, self.how_to_join)]

    def exchange(self, method: str, headers: list[tuple[str, str]], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Answer one HTTP request: status, header fields and body."""
        return anyio.run(self._exchange, method, headers, body)

    async def _exchange(
        self, method: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        server = self._server()
        app = server.streamable_http_app(
            stateless_http=True,
            json_response=True,
            max_request_body_size=self._largest,
            # Whom a browser's page may ask is told below: anyone, for all that is here is public.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": "/mcp",
            "raw_path": b"/mcp",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers],
            "server": None,
            "client": None,
        }
        told: list[dict[str, Any]] = []
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await anyio.sleep_forever()
            raise AssertionError

        async def send(message: Any) -> None:
            told.append(message)

        async with server.session_manager.run():
            await app(scope, receive, send)
        start = next(item for item in told if item["type"] == "http.response.start")
        found = {name.decode("latin-1"): text.decode("latin-1") for name, text in start["headers"]}
        found.pop("content-length", None)
        answer = b"".join(item.get("body", b"") for item in told if item["type"] == "http.response.body")
        return start["status"], found, answer

    def _server(self) -> MCPServer:
        info = self._deployment.campaign.info
        return MCPServer(
            info.id,
            title=info.name.get("en"),
            version=__version__,
            instructions=f"{info.summary.get('en')} A person has to join and accept the terms before the logo is used.",
            website_url=self._deployment.settings.base_url,
            tools=self._tools,
            log_level="WARNING",
        )

    def _tool(self, function: Callable[..., dict[str, Any]]) -> Tool:
        reads = ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        )
        return Tool.from_function(function, annotations=reads)

    # --- the tools; their docstrings are what an agent reads

    def rules(self, language: Language = "en") -> dict[str, Any]:
        """The rules of every logo: sizes, clear space, colours, backgrounds, what is forbidden; with their digest."""
        return BrandRulesAnswer.of(self._deployment.campaign, language).as_json()

    def logo_address(
        self,
        logo: Annotated[str, Field(description="Id of the logo, as `rules` names it.")],
        width: Annotated[int, Field(description="Width of the logo in pixels.")],
        colourway: Annotated[str | None, Field(description="Without it the first that the rules allow.")] = None,
        background: Annotated[str | None, Field(description="Colour behind the logo, six hex digits.")] = None,
        file_format: FileFormat = AUTO,
        embed: Annotated[str | None, Field(description="Key of the partner's embed, which has to be in it.")] = None,
    ) -> dict[str, Any]:
        """The address of a logo for a web page, checked against the rules; says what would be right where it is not."""
        emblem = self._deployment
        if logo not in emblem.campaign.logos:
            raise ToolError(f"There is no logo {logo}. There are: {', '.join(emblem.campaign.logos)}.")
        try:
            if colourway is None:
                allowed = emblem.campaign.brand.allowed_on(logo, background) if background else ()
                colourway = (allowed or emblem.campaign.brand.logo(logo).colourways)[0]
            asked = emblem.variants.check(logo, colourway, width, file_format, on=background)
        except ValueError:
            raise ToolError("Write the background as six hexadecimal digits, such as 0b5cad.") from None
        except Problem as problem:
            raise ToolError(f"{problem.title}: {problem.detail}") from None
        base = emblem.settings.base_url + paths.variants(embed or "EMBED", logo)
        query = f"?on={background.lower()}" if background else ""
        found = {"url": f"{base}/{asked.colourway}/{asked.width}.{file_format}{query}", "colourway": asked.colourway}
        if embed is None:
            found["note"] = (
                "Put the key of the partner's embed in place of EMBED. A partner gets one at "
                f"{emblem.settings.base_url}{paths.account('en')} after joining and accepting the terms."
            )
        return found

    def check_artwork(
        self,
        picture: Annotated[str, Field(description="PNG, JPEG, WebP, AVIF, SVG or PDF in base64; at most 5 MB.")],
        logo: Annotated[str | None, Field(description="Id of the logo to look for; any without it.")] = None,
        language: Language = "en",
    ) -> dict[str, Any]:
        """Whether the logo in a picture or PDF follows the rules: what was found, measured and required. Not kept."""
        try:
            data = base64.b64decode(picture, validate=True)
        except (binascii.Error, ValueError):
            raise ToolError("Send the file's bytes in base64.") from None
        try:
            report = self._deployment.verdicts.look(data, language=language, logo=logo)
        except Problem as problem:
            raise ToolError(f"{problem.title}: {problem.detail}") from None
        return report.model_dump(mode="json", exclude={"id", "annotated_url"})

    def how_to_join(
        self,
        kind: Annotated[str | None, Field(description="Kind of participant; all kinds without it.")] = None,
        language: Language = "en",
    ) -> dict[str, Any]:
        """Who may join, what each kind of participant is asked, how that is decided, and where a person does it."""
        emblem = self._deployment
        found = EligibilityAnswer.of(emblem.campaign.eligibility, language).as_json()
        if kind is not None:
            found["kinds"] = [one for one in found["kinds"] if one["kind"] == kind]
            if not found["kinds"]:
                known = ", ".join(one.id for one in emblem.campaign.eligibility.kinds)
                raise ToolError(f"There is no kind {kind}. There are: {known}.")
        base = emblem.settings.base_url
        terms = [base + paths.terms(language, terms_id) for terms_id in emblem.campaign.terms.ids()]
        return {"join_url": f"{base}/{language}/join", "terms_urls": terms, **found}
