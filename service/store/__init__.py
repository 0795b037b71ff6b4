"""Tables, sessions with group commit, and migrations."""

from .database import Database
from .tables import Base

__all__ = ["Base", "Database"]
