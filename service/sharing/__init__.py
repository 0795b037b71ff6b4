"""The picture that stands for a page where its address is shared."""

from __future__ import annotations

from .pictures import SIZE, Card, SharePictures

__all__ = ["SIZE", "Card", "SharePictures"]
