"""``python -m tests.supply_chain``: what Emblem is made of, under which licences, and what is known against it.

Writes a CycloneDX bill of materials of what is installed with Emblem (``--sbom FILE``), and fails where a component
has a licence that was not looked at. ``--audit`` asks the Python Packaging Advisory Database for known weaknesses of
each component, through pip-audit; that needs the network, so it is no part of the checks.

Ends with 0 where all is well, 1 where something was found, and 2 where the advisory database did not answer for some
component: that is no clean bill.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
#: What is installed in production, in the largest deployment.
EXTRAS = ("postgres", "redis", "artwork")
#: Licences that were looked at: permissive ones, and such as ask only that the library itself stays free and
#: exchangeable, which a Python package is. ``docs/security.md`` says so.
ACCEPTED = frozenset(
    [
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU"),
        *("PSF-2.0", "Python-2.0", "Unlicense", "Zlib", "OFL-1.1"),
        *("LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0"),
    ]
)
#: What packages write that name no licence of the SPDX list, or none at all; each was looked up in the package itself.
_WRITTEN = {
    "apache software license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "bsd license": "BSD-3-Clause",
    "bsd": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "mit license": "MIT",
    "isc license (iscl)": "ISC",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "gnu library or lesser general public license (lgpl)": "LGPL-3.0-or-later",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "sil open font license 1.1 (ofl-1.1)": "OFL-1.1",
    "the unlicense (unlicense)": "Unlicense",
}
#: What their metadata say in words.
_LOOKED_UP = {"pypdfium2": {"Apache-2.0", "BSD-3-Clause"}}


def components() -> dict[str, metadata.Distribution]:
    """Everything that is installed with Emblem and its extras for production, by canonical name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [Requirement(f"emblem[{','.join(EXTRAS)}]")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        for extra in ("", *wanted.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            found[name] = metadata.distribution(wanted.name)
            for text in found[name].requires or ():
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append(needed)
    return found


def licences(found: metadata.Distribution) -> set[str]:
    """The SPDX names of a component's licences, as far as its metadata say; empty where they say none that is known."""
    told: Any = found.metadata
    if (known := _LOOKED_UP.get(canonicalize_name(told["Name"]))) is not None:
        return known
    if expression := told.get("License-Expression"):
        return set(re.findall(r"[A-Za-z0-9][\w.+-]*", re.sub(r"\b(AND|OR|WITH)\b", " ", expression)))
    classifiers = [
        text.rpartition(" :: ")[2] for text in told.get_all("Classifier") or () if text.startswith("License")
    ]
    named = {_WRITTEN.get(text.lower(), text) for text in classifiers if text != "OSI Approved"}
    if not named and (written := (told.get("License") or "").strip()):
        first = written.splitlines()[0].strip()
        named = {_WRITTEN.get(first.lower(), first)}
    return named


def unaccepted() -> dict[str, set[str]]:
    """The components of which no licence is among those that were looked at, with what they say."""
    told = {name: licences(found) for name, found in components().items() if name != "emblem"}
    # Of several licences one may be chosen, or each is of a part; names that were not looked at are told all the same.
    return {name: said for name, said in sorted(told.items()) if not said or said - ACCEPTED}


def bill_of_materials() -> dict[str, Any]:
    """The CycloneDX document of Emblem and what is installed with it for production."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sbom.json"
        command = [
            "-m",
            "cyclonedx_py",
            "environment",
            "--of",
            "JSON",
            "--output-reproducible",
            "--no-validate",
            "-o",
            str(file),
        ]
        command += ["--pyproject", str(ROOT / "pyproject.toml"), sys.executable]
        done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"cyclonedx-py failed: {done.stderr}")
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    wanted = components()
    kept = [one for one in document["components"] if canonicalize_name(one["name"]) in wanted]
    references = {one["bom-ref"] for one in kept} | {document["metadata"]["component"]["bom-ref"]}
    document["components"] = kept
    document["dependencies"] = [
        {"ref": one["ref"], "dependsOn": [name for name in one.get("dependsOn", ()) if name in references]}
        for one in document.get("dependencies", ())
        if one["ref"] in references
    ]
    return document


def out_of_bounds() -> list[str]:
    """What is installed and does not keep to what pyproject.toml asks for."""
    wrong = []
    for text in metadata.requires("emblem") or ():
        needed = Requirement(text)
        if needed.marker is not None and not any(needed.marker.evaluate({"extra": extra}) for extra in ("", *EXTRAS)):
            continue
        there = metadata.version(needed.name)
        if needed.name != "emblem" and not needed.specifier.contains(there, prereleases=True):
            wrong.append(f"{needed.name} {there}, not {needed.specifier}")
    return wrong


def audit(components: list[dict[str, Any]]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Ask for what is known against components of the bill of materials.

    Returns the names of the weaknesses by ``name==version``, and why it could not be asked by the same. pip-audit 2.10
    itself ends with 0 where it could ask for none of them.
    """
    pinned = [f"{one['name']}=={one['version']}" for one in components]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
        listed.writelines(f"{text}\n" for text in pinned)
        listed.flush()
        command = ["-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        command = [sys.executable, *command, "-r", listed.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        told = json.loads(done.stdout)["dependencies"]
    except ValueError:
        why = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return {}, dict.fromkeys(pinned, why)
    weak = {
        f"{one['name']}=={one['version']}": [known["id"] for known in one["vulns"]] for one in told if one.get("vulns")
    }
    answered = {canonicalize_name(one["name"]) for one in told if "vulns" in one}
    why_not = {canonicalize_name(one["name"]): one["skip_reason"] for one in told if "skip_reason" in one}
    names = {text: canonicalize_name(text.partition("==")[0]) for text in pinned}
    return weak, {text: why_not.get(name, "no answer") for text, name in names.items() if name not in answered}


def main() -> int:
    """Do what the arguments ask for; 1 where something was found, 2 where it could not be asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.supply_chain", description=__doc__)
    parser.add_argument("--sbom", type=Path, metavar="FILE", help="write the CycloneDX bill of materials there")
    parser.add_argument("--audit", action="store_true", help="ask for known weaknesses, by pip-audit")
    given = parser.parse_args()
    document = bill_of_materials()
    if given.sbom:
        given.sbom.write_text(json.dumps(document, indent=1), encoding="utf-8")
    strange, outside = unaccepted(), out_of_bounds()
    print(f"{len(document['components'])} components, {len(strange)} with a licence that was not looked at")
    for name, said in strange.items():
        print(f"  {name}: {', '.join(sorted(said)) or 'names none'}")
    for text in outside:
        print(f"  {text}")
    found = bool(strange or outside)
    if not given.audit:
        return int(found)
    weak, unanswered = audit(document["components"])
    asked = len(document["components"]) - len(unanswered)
    print(f"{asked} components asked for, {len(weak)} with a known weakness")
    for name, known in weak.items():
        print(f"  {name}: {', '.join(known)}")
    if unanswered:
        first, why = next(iter(unanswered.items()))
        print(f"{len(unanswered)} could not be asked for, such as {first}: {why}")
        print("Install pip-audit if it is missing, and run this where the advisory database can be reached.")
    return 1 if found or weak else 2 if unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
