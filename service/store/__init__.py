"""Tables, sessions with group commit, and migrations."""

from . import audit_tables as audit_tables
from .database import Database
from .tables import Base

__all__ = ["Base", "Database"]
