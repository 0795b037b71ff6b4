"""Brings the catalogues up to date and says what is not translated: ``python -m service.web.translations [LANG]``."""

from __future__ import annotations

import sys

from . import TRANSLATED, update

for lang in sys.argv[1:] or TRANSLATED:
    untranslated = update(lang)
    sys.stdout.write(f"{lang}: {len(untranslated)} texts not translated\n")
    for text in untranslated if sys.argv[1:] else ():
        sys.stdout.write(f"  {text}\n")
