"""``docs/reference/entries.md``: the kinds of log entry with their facts, from the classes that write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service import ledger

_HEAD = """# Log entries

Everything audited is an entry of the log: one object of canonical JSON
([RFC 8785](https://www.rfc-editor.org/rfc/rfc8785)), which is exactly the bytes of its leaf. Every entry has:

| field | type | what it says |
|---|---|---|
| `v` | number | the version of the kind's fields |
| `kind` | text | one of the kinds below |
| `at` | text | when it was recorded: RFC 3339 in UTC with six decimals |
| `id` | text | the id of what it records, or the entry's own, `ent_…` |

**What `v` promises.** While a kind's `v` is the same, its fields keep their names, their types and their meaning,
and none is taken away. A field may be added: ignore what you do not know. Where any of that could not hold, `v` is
raised, and this page says what the older one meant. Entries that are in the log stay as they are, so a reader meets
every `v` that there has been. New kinds may come at any time.

No entry has a name, an address, an IP address or a person's own words: those are bound by commitments, SHA-256 over
a 32-byte salt and the record in canonical JSON. Who is given salt and record can check them; once the salt is
erased, nobody can.

`null` stands for what does not apply; a field marked *may be missing* is left out then.
"""
_TYPES = {"string": "text", "integer": "number", "boolean": "true or false", "array": "list", "object": "object"}


def entries_page() -> str:
    """Every kind of log entry with its facts."""
    parts = [_HEAD]
    for name in ledger.KINDS:
        parts.append(f"\n## `{name}`\n{_sentence(ledger.KINDS[name])} `v` is {ledger.KINDS[name].v}.\n\n")
        parts.append("| field | type | what it says |\n|---|---|---|\n")
        parts += [f"| `{field}` | {kind} | {said} |\n" for field, kind, said in _fields(ledger.KINDS[name])]
    return "".join(parts)


def _sentence(kind: type[ledger.Entry]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _fields(kind: type[ledger.Entry]) -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of each fact but an id that is nothing but the entry's own."""
    schema = kind.model_json_schema(mode="serialization", by_alias=True)
    for name, field in schema["properties"].items():
        said = field.get("description", "").replace("|", "\\|")
        if name == "id" and "own id" in said and "`ent_…`" in said:
            continue
        missing = name in kind.may_be_missing()
        yield name, _type(field) + (", may be missing" if missing else ""), said


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if field.get("type") == "null":
        return "null"
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if field.get("type") == "object" and "additionalProperties" in field:
        return f"object of {_type(field['additionalProperties'])}"
    return _TYPES[field["type"]]
