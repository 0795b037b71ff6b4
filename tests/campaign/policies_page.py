"""The reference page of the campaign's files, made from the models that read them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from service.alerts.alert_rules import AlertRules
from service.campaign.artwork import ArtworkFile
from service.campaign.brand import BrandFile
from service.campaign.client_names import ClientNames
from service.campaign.content import ActionsFile, Info, Protocol
from service.campaign.desk import DeskPolicy
from service.campaign.eligibility import EligibilityFile
from service.campaign.parties import COLUMNS
from service.campaign.terms import TermsFile

#: The YAML files of ``policies/`` and the models that read them.
FILES: dict[str, type[BaseModel]] = {
    "campaign.yaml": Info,
    "eligibility.yaml": EligibilityFile,
    "terms/ID/terms.yaml": TermsFile,
    "brand.yaml": BrandFile,
    "artwork.yaml": ArtworkFile,
    "desk.yaml": DeskPolicy,
    "clients.yaml": ClientNames,
    "alerts.yaml": AlertRules,
    "actions.yaml": ActionsFile,
    "protocol.yaml": Protocol,
}
_TEXT = "text by language"
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def policies_page() -> str:
    """Every file of ``policies/`` with its fields."""
    head = (
        "# Policies\n\nThe fields of the files in `policies/`. *Text by language* is a mapping such as "
        "`{en: …, fr: …}`, of which English must be there. What each file is for is in [Policies](../policies.md); "
        "`emblem catalogue check` names file, line and fix of each mistake.\n"
    )
    parts = [head]
    for file, model in FILES.items():
        schema = model.model_json_schema(by_alias=True)
        parts.append(f"## `{file}`\n\n{_fields(schema)}")
        for name, definition in schema.get("$defs", {}).items():
            if definition.get("properties"):
                parts.append(f"### {name}\n\n{_words(definition)}{_fields(definition)}")
    columns = ", ".join(f"`{name}`" for name in COLUMNS)
    parts.append(f"## `parties.csv`\n\nOne line a State, and one for each regional organization: {columns}.\n")
    return "\n".join(parts)


def _words(definition: dict[str, Any]) -> str:
    words = " ".join(definition.get("description", "").replace("``", "`").split())
    return f"{words}\n\n" if words else ""


def _fields(definition: dict[str, Any]) -> str:
    required = definition.get("required", ())
    rows = "".join(
        f"| `{name}` | {_type(field)} | {'yes' if name in required else _default(field)} |\n"
        for name, field in definition["properties"].items()
    )
    return f"| field | what it holds | needed |\n|---|---|---|\n{rows}"


def _default(field: dict[str, Any]) -> str:
    default = field.get("default")
    return "no" if default in (None, [], {}, "") else f"no: {default}".replace("True", "yes").replace("False", "no")


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return _TEXT if name == "Text" else f"[{name}](#{name.lower()})"
    if "anyOf" in field or "oneOf" in field:
        kinds = [_type(option) for option in field.get("anyOf") or field["oneOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    limits = [words.format(field[name]) for name, words in _LIMITS.items() if name in field]
    kind = {"integer": "whole number", "number": "number", "boolean": "yes or no", "string": "text"}.get(
        field.get("type", ""), ""
    )
    if field.get("type") == "array":
        items = field.get("items") or {"anyOf": field.get("prefixItems", [])}
        kind = f"list of {_type(items)}"
    elif field.get("type") == "object":
        values = field.get("additionalProperties") or next(iter(field.get("patternProperties", {}).values()), None)
        kind = f"by name: {_type(values)}" if values else "values"
    return ", ".join([kind or "any value", *limits])
