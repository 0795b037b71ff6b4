"""``python -m service`` is ``emblem``."""

from .cli import main

main()
