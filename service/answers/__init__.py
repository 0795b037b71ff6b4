"""Answers of the API: one typed model an answer, made from what the rooms know.

The same model is the answer, its schema in the OpenAPI document, and what the command line prints with ``--json``.
"""

from __future__ import annotations
