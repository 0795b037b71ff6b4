"""The typed Python client: generated from the running service's document, built as a wheel, and used by a partner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.parts.demo import Demo
from tests.parts.walk import Walk

#: What a partner writes. mypy holds it against the client's types, then it runs.
_PROGRAM = """
import hashlib, json, sys
from emblem_client import AuthenticatedClient
from emblem_client.api.catalogue import catalogue_packages, catalogue_terms
from emblem_client.api.links import links_issue
from emblem_client.api.participants import participants_accept, participants_join
from emblem_client.models import AcceptanceBody, AcceptanceBodyLanguage
from emblem_client.models import JoinBody, JoinBodyAnswers, JoinBodyKind, JoinBodyPurposesItem
from emblem_client.models import LinkAnswer, LinkBody, PackagesAnswer, ParticipantAnswer, ProblemAnswer
from emblem_client.models import SignatoryBody, TermsAnswer

url, key, email, answers = sys.argv[1:]
client = AuthenticatedClient(url, token=key)
packages = catalogue_packages.sync(client=client)
assert isinstance(packages, PackagesAnswer)
package = packages.packages[0]
refused = links_issue.sync(client=client, body=LinkBody(participant="par_0", package=package.id))
assert isinstance(refused, ProblemAnswer)
who = participants_join.sync(client=client, body=JoinBody(
    kind=JoinBodyKind("civil_society"), name="Harbour Shelter", email=email, country="AT",
    answers=JoinBodyAnswers.from_dict(json.loads(answers)), purposes=[JoinBodyPurposesItem("information")],
))
assert isinstance(who, ParticipantAnswer), who
terms = catalogue_terms.sync(package.terms.id, client=client)
assert isinstance(terms, TermsAnswer)
accepted = participants_accept.sync(who.id, client=client, body=AcceptanceBody(
    terms=terms.id, version=terms.version, language=AcceptanceBodyLanguage.EN,
    digest=hashlib.sha256(terms.text.encode()).hexdigest(),
    signatory=SignatoryBody(name="Robin Example", capacity="Head of office"),
))
link = links_issue.sync(client=client, body=LinkBody(participant=who.id, package=package.id))
assert isinstance(link, LinkAnswer), link
print(json.dumps({"refused": refused.type_, "status": who.status.value, "url": link.url, "package": package.id}))
"""


@pytest.fixture(scope="module")
def client(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that Python imports the client from: out of the wheel that was built of what was generated."""
    folder = tmp_path_factory.mktemp("client")
    project = folder / "project"
    status, _, said = demo.cli("client", str(project), "--url", demo.base_url)
    assert status == 0, said
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=project,
        capture_output=True,
        check=True,
    )
    (wheel,) = folder.glob("emblem_client-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        assert "emblem_client/py.typed" in opened.namelist()
        opened.extractall(folder / "installed")
    return folder / "installed"


def test_a_partner_walks_to_the_link_with_it(demo: Demo, client: Path, tmp_path: Path) -> None:
    from tests.parts.willing import answers_to

    walk = Walk(demo)
    kinds = {entry["kind"]: entry for entry in walk.portal.get("/api/v1/eligibility").json()["kinds"]}
    answers = json.dumps(answers_to(kinds["civil_society"]["fields"], required_only=True))
    program = tmp_path / "partner.py"
    program.write_text(_PROGRAM)
    environment = os.environ | {"PYTHONPATH": str(client), "MYPYPATH": str(client)}
    typed = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=", str(program)]
    checked = subprocess.run(typed, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    given = [demo.base_url, demo.facts["keys"]["portal"], "client@shelter.example.org", answers]
    ran = subprocess.run(
        [sys.executable, str(program), *given], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["refused"].endswith("/problems/not-found")
    assert told["status"] == "approved"
    assert demo.client().get(told["url"]).status == 200


def test_it_has_a_function_for_every_operation_of_the_document(demo: Demo, client: Path) -> None:
    document = demo.client().get("/api/v1/openapi.json").json()
    names = {
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    assert {file.stem for file in client.glob("emblem_client/api/*/*.py")} - {"__init__"} == names


def test_what_cannot_be_written_is_said(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    status, _, said = demo.cli("client", str(tmp_path / "there"), "--url", demo.base_url)
    assert (status, "is not empty" in said) == (2, True)
    status, _, said = demo.cli("client", str(tmp_path / "new"), "--url", f"{demo.base_url}/nowhere")
    assert status != 0
    assert "OpenAPI document" in said
    assert not (tmp_path / "new").exists()
