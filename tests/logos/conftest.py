"""Variants of the shipped campaign over a storage, and what they did: renders and calls of the storage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pylibjxl
import pytest

from service.logos import VariantRequest, Variants
from service.storage import Storage, open_storage

if TYPE_CHECKING:
    from service.campaign import Campaign, Logo

pylibjxl.register_pillow()  # so that Pillow opens JPEG XL

Made = Callable[..., Variants]


@pytest.fixture
def new_variants(campaign: Campaign, tmp_path: Path) -> Iterator[Made]:
    """Makes the variants of one more process: ``new_variants(storage, machine="other", **options)``."""
    made: list[Variants] = []

    def make(
        storage: Storage | None = None, machine: str = "one", logos: dict[str, Logo] | None = None, **options: Any
    ) -> Variants:
        kept = storage or open_storage((tmp_path / "s").as_uri())
        made.append(Variants(logos or dict(campaign.logos), campaign.brand, kept, tmp_path / machine, **options))
        return made[-1]

    yield make
    for variants in made:
        variants.close()


def with_broken_heart(campaign: Campaign) -> dict[str, Logo]:
    """The logos of the campaign, the heart with a drawing in blue that no renderer can read."""
    logos = dict(campaign.logos)
    heart = logos["heart"]
    broken = replace(heart.drawing("blue"), body="<path d='M0 0'")
    logos["heart"] = replace(heart, masters={**heart.masters, "blue": broken})
    return logos


@pytest.fixture
def variants(new_variants: Made) -> Variants:
    return new_variants()


def renders(variants: Variants, monkeypatch: pytest.MonkeyPatch) -> list[VariantRequest]:
    """The plans that these variants render from now on; they are rendered for real."""
    seen: list[VariantRequest] = []
    original = variants._rendered

    def rendered(plan: VariantRequest) -> bytes:
        seen.append(plan)
        return original(plan)

    monkeypatch.setattr(variants, "_rendered", rendered)
    return seen


def calls(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the storage's methods that are called from now on; they do what they always do."""
    seen: list[str] = []

    def watched(name: str) -> Callable[..., Any]:
        original = getattr(storage, name)

        def call(*arguments: Any, **more: Any) -> Any:
            seen.append(name)
            return original(*arguments, **more)

        return call

    for name in sorted(Storage.__abstractmethods__):
        monkeypatch.setattr(storage, name, watched(name))
    return seen
