"""All tables in one place, whichever file they are written in: what migrations are compared with."""

from __future__ import annotations

from . import audit_tables, derived_tables, desk_tables, tables

metadata = tables.Base.metadata

assert audit_tables.LogKey.metadata is desk_tables.Case.metadata is derived_tables.CaseFacet.metadata is metadata
