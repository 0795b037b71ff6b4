"""Reading the whole campaign: everything is checked, and all mistakes are told at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel

from . import countries
from .artwork import ArtworkFile, check_artwork
from .brand import BrandFile, BrandRules, check_brand
from .client_names import ClientNames
from .content import ActionGroup, ActionsFile, Info, Protocol, check_actions, check_ids, check_uses
from .desk import DeskPolicy, check_desk
from .eligibility import Eligibility, EligibilityFile, check_eligibility
from .manifests import Logo, PackageManifest, load_logos, load_packages
from .mistakes import Mistakes
from .parties import PartyRow, read_parties
from .print_condition import read_print_condition
from .source import Source, read_yaml
from .terms import Terms, read_terms, terms_ids
from .text import Text

Model = TypeVar("Model", bound=BaseModel)
_SYMBOL = "heart"  # the logo that stands for the campaign, where it has one of this name


@dataclass(frozen=True, repr=False)
class Campaign:
    """The campaign in force, checked as a whole. It never changes; loading again makes another."""

    info: Info
    digest: str
    eligibility: Eligibility
    parties: Mapping[str, PartyRow]
    terms: Terms
    brand: BrandRules
    artwork: ArtworkFile
    logos: Mapping[str, Logo]
    packages: Mapping[str, PackageManifest]
    clients: ClientNames
    actions: Mapping[str, ActionGroup]
    actions_about: Text
    protocol: Protocol
    desk: DeskPolicy
    countries = countries

    @property
    def symbol(self) -> Logo:
        """The logo that stands for the campaign in small places and where it is shared."""
        return self.logos[_SYMBOL] if _SYMBOL in self.logos else next(iter(self.logos.values()))

    def __repr__(self) -> str:
        return f"Campaign({self.info.id!r}, {self.digest!r})"


def load(policies_dir: Path, assets_dir: Path, *, packages: bool = True) -> Campaign:
    """Read the campaign from its files; CampaignError has every mistake in them with file, line and fix.

    Without ``packages`` their manifests are not read, which are needed for publishing alone.
    """
    mistakes = Mistakes()
    if not policies_dir.is_dir():
        mistakes.add(
            policies_dir, 0, "There is no such folder", "Set EMBLEM_POLICIES_DIR to the folder of the policies"
        )
        mistakes.raise_if_any()
    info_source, info = _read(policies_dir / "campaign.yaml", Info, mistakes)
    table = policies_dir / "parties.csv"  # for campaigns that rest on a treaty
    parties = read_parties(table, mistakes) if table.exists() else {}
    eligibility = _read_eligibility(policies_dir / "eligibility.yaml", parties, mistakes)
    if (
        eligibility
        and not table.exists()
        and any(rule.when.protocol or rule.when.convention for rule in eligibility.rules)
    ):
        mistakes.add(
            table, 0, "Rules decide by this table, and it is missing", "Add it, or take protocol: and convention: out"
        )
    terms = read_terms(policies_dir / "terms", mistakes)
    before = len(mistakes.all())
    known = terms_ids(policies_dir / "terms")
    logos = load_logos(assets_dir, mistakes, known)
    complete = len(mistakes.all()) == before  # a logo with a mistake is not among them
    manifests = load_packages(assets_dir, mistakes, known) if packages else {}
    brand = _read_brand(policies_dir / "brand.yaml", logos if complete else None, mistakes)
    artwork_source, artwork = _read(policies_dir / "artwork.yaml", ArtworkFile, mistakes)
    _, clients = _read(policies_dir / "clients.yaml", ClientNames, mistakes)
    actions_source, actions = _read(policies_dir / "actions.yaml", ActionsFile, mistakes)
    protocol_source, protocol = _read(policies_dir / "protocol.yaml", Protocol, mistakes)
    desk = _read_desk(policies_dir / "desk.yaml", eligibility, mistakes)
    if info_source and info:
        files = {name: {rule.path for rule in manifest.files} for name, manifest in manifests.items()}
        check_uses(info_source, info.home.uses, files)
    if actions_source and actions and eligibility:
        check_actions(actions_source, actions, tuple(kind.id for kind in eligibility.kinds))
    if artwork_source and artwork:
        check_artwork(artwork_source, artwork)
    if protocol_source and protocol:
        check_ids(protocol_source, ("sections",), [section.id for section in protocol.sections])
    mistakes.raise_if_any()
    # With no mistake noted, everything has been read.
    assert info is not None
    assert eligibility is not None
    assert brand is not None
    assert artwork is not None
    assert clients is not None
    assert actions is not None
    assert protocol is not None
    assert desk is not None
    return Campaign(
        info=info,
        digest=policies_digest(policies_dir),
        eligibility=eligibility,
        parties=MappingProxyType(parties),
        terms=terms,
        brand=brand,
        artwork=artwork,
        logos=MappingProxyType(logos),
        packages=MappingProxyType(manifests),
        clients=clients,
        actions=MappingProxyType(dict(actions.kinds.items())),
        actions_about=actions.about,
        protocol=protocol,
        desk=desk,
    )


def policies_digest(policies_dir: Path) -> str:
    """SHA-256 over all policy files: what ``sha256sum`` prints for them, sorted by name, hashed once more.

    Names are relative to the folder; hidden files and editors' copies (``~``) decide nothing and are left out.
    """
    lines = []
    for path in policies_dir.rglob("*"):
        name = path.relative_to(policies_dir)
        if path.is_file() and not any(part.startswith(".") or part.endswith("~") for part in name.parts):
            lines.append((name.as_posix().encode(), hashlib.sha256(path.read_bytes()).hexdigest().encode()))
    return hashlib.sha256(b"".join(digest + b"  " + name + b"\n" for name, digest in sorted(lines))).hexdigest()


def _read(path: Path, model: type[Model], mistakes: Mistakes) -> tuple[Source | None, Model | None]:
    source = read_yaml(path, mistakes)
    return source, source.read(model) if source else None


def _read_eligibility(path: Path, parties: Mapping[str, PartyRow], mistakes: Mistakes) -> Eligibility | None:
    source, written = _read(path, EligibilityFile, mistakes)
    if source is None or written is None:
        return None
    before = len(mistakes.all())
    check_eligibility(source, written)
    # With a question missing the kinds cannot be built; what is wrong has been noted.
    return Eligibility(written, parties) if len(mistakes.all()) == before else None


def _read_desk(path: Path, eligibility: Eligibility | None, mistakes: Mistakes) -> DeskPolicy | None:
    if not path.exists():  # what was published before there was such a file stays in force
        return DeskPolicy()
    source, written = _read(path, DeskPolicy, mistakes)
    if source and written:
        check_desk(source, written, eligibility)
    return written


def _read_brand(path: Path, logos: Mapping[str, Logo] | None, mistakes: Mistakes) -> BrandRules | None:
    source, written = _read(path, BrandFile, mistakes)
    if source is None or written is None:
        return None
    check_brand(source, written, None if logos is None else {name: tuple(logo.masters) for name, logo in logos.items()})
    entry = written.print_condition
    return BrandRules(
        written.about,
        written.colourways,
        written.logos,
        written.forbidden,
        written.print_colours,
        read_print_condition(source, entry, path.parent) if entry else None,
    )
