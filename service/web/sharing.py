"""Pages whose address is shared: what each is called, and the picture that stands for it elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from ..campaign import Campaign
from ..campaign.content import Action
from ..campaign.kinds import Kind
from ..campaign.text import Text, msgid
from ..packages.published import PublishedPackage
from ..problems import PackageWithdrawn, UnknownPackage
from ..sharing import Card
from .context import deployment
from .documentation import documentation
from .i18n import translated

_HOME = "home"  # what the address of the home page's picture calls it
DOCS = "docs/"  # what paths of the documentation begin with

#: The public pages that are always there, by their path below ``/{lang}/``: their titles, in words of the interface
#: or of the campaign.
PAGES: Mapping[str, str | Callable[[Campaign], Text]] = {
    "": lambda campaign: campaign.info.title,
    "actions": msgid("What you can do"),
    "protocol": lambda campaign: campaign.protocol.title,
    "rules": msgid("Logo rules"),
    "check": msgid("Check your artwork"),
    "verify": msgid("Is this file genuine?"),
    "report": msgid("Report misuse of the logo"),
    "wear": lambda campaign: campaign.info.home.wear.title,
    "build": msgid("Build a logo"),
    "join": msgid("Join the campaign"),
    "tools": msgid("Campaign tools"),
    "privacy": msgid("Privacy"),
}


@dataclass(frozen=True)
class SharedPage:
    """A page in a language: its path below ``/{lang}/``, or below ``/`` in the documentation, and its title."""

    language: str
    path: str
    title: str
    package: PublishedPackage | None = None

    def card(self) -> Card:
        """Return what its picture shows."""
        found = deployment()
        preview = found.catalogue.preview(self.package) if self.package else None
        return Card.of(found.campaign, found.campaign.symbol.id, self.language, self.title, preview)

    def picture(self) -> str:
        """Return the path of its picture; what shows has a digest there, so a changed picture is another address."""
        return f"/share/{self.language}/{quote(self.path or _HOME)}.png?v={self.card().digest[:12]}"


def actions(campaign: Campaign) -> Iterator[tuple[Kind, Action]]:
    """Yield each suggested action with the kind of participant that it is for."""
    for kind in campaign.eligibility.kinds:
        for action in campaign.actions[kind.id].actions:
            yield kind, action


def action_path(kind: str, action: str) -> str:
    """Return the path of an action's page below ``/{lang}/``."""
    return f"actions/{kind}/{action}"


def page_of_picture(language: str, name: str) -> SharedPage | None:
    """Return the page whose picture has this name; None where there is none."""
    return find(language, "" if name == _HOME else name) if name else None


def find(language: str, path: str) -> SharedPage | None:
    """Return a public page by its path below ``/{lang}/``, or of the documentation below ``/``; None where none is."""
    campaign = deployment().campaign
    if path in PAGES:
        title = PAGES[path]
        words = translated(title, language) if isinstance(title, str) else title(campaign).get(language)
        return SharedPage(language, path, words)
    if path.startswith(DOCS):
        page = documentation().page(path.removeprefix(DOCS))
        return SharedPage(language, path, page.title) if page else None
    section, _, name = path.partition("/")
    match section:
        case "tools":
            return _package(language, path, name)
        case "terms":
            return _terms(language, path, name)
        case "actions":
            for kind, action in actions(campaign):
                if path == action_path(kind.id, action.id):
                    return SharedPage(language, path, action.title.get(language))
    return None


def _package(language: str, path: str, name: str) -> SharedPage | None:
    try:
        package = deployment().catalogue.current_version(name)
    except (UnknownPackage, PackageWithdrawn):
        return None
    return SharedPage(language, path, package.title.get(language), package)


def _terms(language: str, path: str, name: str) -> SharedPage | None:
    found = deployment()
    terms_id, _, wanted = name.partition("/")
    current = found.campaign.terms.find_current(terms_id, found.clock())
    if current is None:
        return None
    versions = found.campaign.terms.versions(terms_id)
    shown = next((one for one in versions if one.version == wanted), None) if wanted else current
    return SharedPage(language, path, shown.title(shown.language(language))) if shown else None
