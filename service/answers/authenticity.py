"""The answer about a file: whether it is what the campaign published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Self

from pydantic import Field

from ..authenticity import AuthenticityResult, Reason
from .base import Answer


class VerificationAnswer(Answer):
    """Result for a file: by its digest, then by what it carries, then by what it shows."""

    verdict: Literal["genuine", "genuine_old", "altered", "carries_mark", "unknown"]
    sha256: str
    package: str | None = Field(description="The package that the file is of, or was made of")
    version: str | None
    path: str | None = Field(description="The file in the package; null for the whole package")
    logo: str | None = Field(description="The logo that was found in it")
    certificate: str | None = Field(description="The certificate that it is or carries")
    reasons: list[str]

    @classmethod
    def of(cls, seen: AuthenticityResult, told: Callable[[Reason], str]) -> Self:
        """Return the answer; ``told`` puts a reason into the reader's words."""
        facts = {name: getattr(seen, name) for name in cls.model_fields if name != "reasons"}
        return cls(**facts, reasons=[told(reason) for reason in seen.reasons])
