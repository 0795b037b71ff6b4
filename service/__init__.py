"""Emblem: hands out a campaign's logo and tools, and knows how they are used."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("emblem")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"
