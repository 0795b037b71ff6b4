"""Every route with every role, on one's own things and on another's: made from the routes, so that none is left out.

A new route fails here until a line says who may use it: an API route by ``need`` and, where its address names a thing,
a line in ``THINGS``; a page in ``OPEN`` or ``ACCOUNT``. Pages of the console need no line: all of them are staff's.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from service import paths
from service.participants import Scope
from service.store import tables

from .conftest import Api, problem
from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session

KEYS = ("portal", "partner", "staff", "auditor")
STRANGERS = ("portal", "partner")  # who see what is theirs and nothing else

#: API routes that need no key; ``audit.proof`` asks for one in its own words.
OPEN_API = {
    "api_docs.docs",
    "api_docs.openapi",
    "audit.proof",
    "catalogue.all_terms",
    "catalogue.eligibility",
    "catalogue.logos",
    "catalogue.package",
    "catalogue.packages",
    "catalogue.preview",
    "catalogue.rules",
    "catalogue.terms",
    "catalogue.versions",
    "certificate checks.verify",
    "verifications.verify",
    "misuse.report_misuse",
}
#: Pages and files for everybody. Those with a ``secret`` or a token are for whoever was given it.
OPEN = {
    "brand.brand_json",
    "brand.llms_txt",
    "brand.mcp",
    "browser_reports.take",
    "components.component",
    "credentials.did",
    "credentials.file",  # by an id that cannot be guessed
    "credentials.status_list",
    "delivery.download",
    "log.checkpoint",
    "log.key",
    "log.tile",  # entries ask for a key themselves: tests/ledger
    "logo_variant",
    "oembed.oembed",
    "operations.healthz",
    "operations.readyz",
    "operations.robots_txt",
    "operations.security_txt",
    "operations.sitemap",
    "pages.action",
    "pages.actions",
    "pages.build",
    "pages.check",
    "pages.check_submit",
    "pages.digest_end",
    "pages.digest_end_submit",
    "pages.download",
    "pages.embed",
    "pages.grant_confirm",
    "pages.grant_confirm_submit",
    "pages.grant_done",
    "pages.home",
    "pages.join",
    "pages.join_confirm",
    "pages.join_confirm_submit",
    "pages.join_sent",
    "pages.join_submit",
    "pages.member_confirm",
    "pages.member_confirm_submit",
    "pages.letter",  # by a signed link
    "pages.letter_answer",
    "pages.privacy",
    "pages.protocol",
    "pages.rules",
    "pages.sign_in",
    "pages.sign_in_confirm",
    "pages.sign_in_confirm_submit",
    "pages.sign_in_openid",
    "pages.sign_in_passkey",
    "pages.sign_in_passkey_options",
    "pages.sign_in_passkey_submit",
    "pages.sign_in_sent",
    "pages.sign_in_submit",
    "pages.sign_out",
    "pages.sign_out_openid",
    "pages.terms",
    "pages.tool",
    "pages.tools",
    "pages.report",
    "pages.report_submit",
    "pages.verified",
    "pages.verify",
    "pages.verify_submit",
    "root.annotated",
    "root.docs",
    "root.master",
    "root.preview",
    "root.preview_variant",
    "root.share_picture",
    "root.problem",
    "root.shown_variant",
    "root.wear_frame",
    "pages.wear",
    "pages.feed",
    "root.sign_in_openid_return",
    "root.start",
    "static",
}
#: Pages for whoever is signed in, each with what its address names of another's; None where it names nothing.
ACCOUNT: dict[str, str | None] = {
    "pages.account": None,
    "pages.account_case": "case",
    "pages.account_case_add_file": "case",
    "pages.account_case_answer": "case",
    "pages.account_case_file": "case",
    "pages.account_case_withdraw": "case",
    "pages.account_request": None,
    "pages.account_request_submit": None,
    "pages.account_export": None,
    "pages.certificate_issue": None,
    "pages.check_done": "check",
    "pages.coming_terms": None,
    "pages.coming_terms_accept": None,
    "pages.download_ready": "link",
    "pages.download_submit": None,
    "pages.embed_create": None,
    "pages.embed_new": None,
    "pages.embed_revoke": "embed",
    "pages.link_revoke": "link",
    "pages.member_invite": None,
    "pages.member_removal": "member",
    "pages.member_remove": "member",
    "pages.members": None,
    "pages.portal_end": None,
    "pages.receipt": "acceptance",
    "pages.session_end": None,
    "pages.sign_out_everywhere": None,
}
#: What the console shows of a person, or of a draft that nobody has published, and auditors do not see.
PERSONAL = re.compile(r"^staff\.(participant_export|passkeys|publishing|outbox(_\w+)?|cases?(_\w+)?)$")
#: What the address of an API route names, by the segment before it.
THINGS = {
    "participants": "participant",
    "links": "link",
    "embeds": "embed",
    "artwork-checks": "check",
    "cases": "case",
    "members": "member",
    "files": "nothing",
}
#: Bodies with which a route is asked that looks at its body first.
BODIES: dict[str, dict[str, Any]] = {
    "links.issue": {"participant": "{participant}", "package": "logo"},
    "embeds.create": {"participant": "{participant}", "logo": "heart", "origins": ["https://www.example.org"]},
    "embeds.change": {"unlisted": "refuse"},
    "participants.decide": {"outcome": "suspended", "reason": "A reason."},
    "participants.erase": {"reason": "A reason."},
    "participants.invite": {"name": "Example Colleague", "email": "colleague@example.org"},
    "cases.ask": {"kind": "change", "purposes": ["commercial"]},
    "cases.write": {"text": "A word."},
    "cases.assign": {"assignee": None},
    "cases.decide": {"outcome": "approved", "reason": "A reason."},
}


class World:
    """An application with one thing of each kind, and keys that have to do with them (mine) or not (strange)."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.mine = api.ready()
        link, embed = api.link(self.mine), self._embed()
        (acceptance,) = api.ask("GET", f"/api/v1/participants/{self.mine}/acceptances", key="staff").json["acceptances"]
        (member,) = api.ask("GET", f"/api/v1/participants/{self.mine}/members", key="staff").json["members"]
        waiting = api.join(purposes=["commercial"])
        (case,) = api.ask("GET", f"/api/v1/cases?participant={waiting}", key="staff").json["cases"]
        self.waiting = waiting
        api.parts.database.write(self._check)
        self.ids = {
            "participant": self.mine,
            "link": link["id"],
            "embed": embed["key"],
            "acceptance": acceptance["id"],
            "member": member["id"],
            "case": case["id"],
            "check": "chk_of_somebody",
            "nothing": "fil_of_nobody",
        }
        create = api.parts.participants.api_keys.create
        _, api.keys["partner"] = create("partner", participant=self.mine, name="mine", by="staff:cli")
        _, api.keys["strange-portal"] = create("portal", name="strange", by="staff:cli")
        _, api.keys["strange-partner"] = create("partner", participant=api.join(), name="strange", by="staff:cli")

    def _embed(self) -> dict[str, Any]:
        body = {"participant": self.mine, "logo": "heart", "origins": ["https://www.example.org"]}
        made: dict[str, Any] = self.api.ask("POST", "/api/v1/embeds", key="portal", json=body).json
        return made

    def _check(self, session: Session) -> None:
        session.add(
            tables.ArtworkCheck(
                id="chk_of_somebody",
                at=self.api.parts.clock(),
                participant=self.mine,
                by="page",
                language="en",
                sha256="0" * 64,
                verdict="compliant",
                report={},
                secret="s" * 20,
                files=[],
            )
        )

    def path(self, rule: str) -> str:
        """The address of a route, with the ids of things that are there."""
        path = rule
        for before, name in re.findall(r"([\w-]+)/<(?:[^:>]+:)?(\w+)>", rule):
            kind = THINGS.get(before)
            assert kind is not None, f"a line in THINGS has to say what <{name}> after {before} is: {rule}"
            path = re.sub(rf"<(?:[^:>]+:)?{name}>", self.ids[kind], path, count=1)
        return path

    def ask(self, endpoint: str, method: str, path: str, key: str = "") -> Any:
        """One request with the body that the route wants."""
        if endpoint.endswith(("add_file", ".check")) and method == "POST":
            data = {"file": (io.BytesIO(b"not a picture"), "x.png"), "participant": self.mine}
            if endpoint.endswith("add_file"):
                del data["participant"]
            return self.api.ask(method, path, key=key, data=data, content_type="multipart/form-data")
        body = self._body(endpoint) if method in ("POST", "PATCH") else None
        return self.api.ask(method, path, key=key, json=body)

    def _body(self, endpoint: str) -> dict[str, Any]:
        if endpoint == "participants.accept":
            current = self.api.ask("GET", "/api/v1/terms/logo-terms").json
            digest = hashlib.sha256(current["text"].encode()).hexdigest()
            signatory = {"name": "Example Person", "capacity": "Secretary"}
            version = current["version"]
            return {
                "terms": "logo-terms",
                "version": version,
                "language": "en",
                "digest": digest,
                "signatory": signatory,
            }
        return {
            name: value.format(participant=self.mine) if isinstance(value, str) else value
            for name, value in BODIES.get(endpoint, {}).items()
        }


def routes(app: Flask) -> Iterator[tuple[str, str, str, Any]]:
    """Every route: its rule, method, endpoint and view."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            yield str(rule), method, rule.endpoint, app.view_functions[rule.endpoint]


def api_routes(app: Flask) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """The routes of the API that need a key, with the roles that may use them; what ends others comes last."""
    found = [
        (rule, method, endpoint, tuple(getattr(view, "roles", ())))
        for rule, method, endpoint, view in routes(app)
        if rule.startswith(f"{paths.API}/") and endpoint not in OPEN_API
    ]
    order = {"GET": 0, "POST": 1, "PATCH": 2, "DELETE": 3}
    return sorted(found, key=lambda one: ("decide" in one[2] or "erase" in one[2], order[one[1]], one[0]))


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    for rule, _, endpoint, view in routes(app):
        if rule.startswith(f"{paths.API}/"):
            assert bool(getattr(view, "roles", ())) is (endpoint not in OPEN_API), rule
        elif not endpoint.startswith("staff."):
            assert (endpoint in OPEN) is not (endpoint in ACCOUNT), f"{rule} needs a line in OPEN or ACCOUNT"


def test_another_role_and_a_stranger_get_nothing_of_the_api(world: World) -> None:
    wrong = []
    for rule, method, endpoint, roles in api_routes(world.api.app):
        path = world.path(rule)
        if world.ask(endpoint, method, path).status_code != 401:
            wrong.append(f"{method} {rule} without a key")
        others = [role for role in KEYS if role not in roles]
        wrong += [
            f"{method} {rule} as {role}"
            for role in others
            if world.ask(endpoint, method, path, role).status_code != 403
        ]
        for role in STRANGERS:
            if role not in roles:
                continue
            about_one = "<" in rule or endpoint in ("links.issue", "embeds.create", "artwork.check")
            answer = world.ask(endpoint, method, path, f"strange-{role}")
            if about_one and answer.status_code != 404:
                wrong.append(f"{method} {rule} as a strange {role}: {answer.status_code}")
            shown = [name for name, one in world.ids.items() if one in answer.text and one not in path]
            if shown:
                wrong.append(f"{method} {rule} shows a strange {role} another's {shown}")
    assert not wrong
    link = world.api.ask("GET", f"/api/v1/links/{world.ids['link']}", key="staff").json
    assert (link["status"], link["participant"]) == ("active", world.mine)


def test_whose_thing_it_is_and_staff_may_use_the_api(world: World) -> None:
    wrong = []
    for rule, method, endpoint, roles in api_routes(world.api.app):
        if "<file>" in rule or endpoint in ("artwork.one_check", "artwork.overrule"):
            continue  # what is asked for here is not there
        path = world.path(rule)
        own = roles if "/cases/<" not in rule else ("portal", "staff")  # the case is of one that the portal joined
        for role in sorted(set(own) & set(roles)):
            answer = world.ask(endpoint, method, path, role)
            slug = str((answer.get_json(silent=True) or {}).get("type", ""))
            late = method in ("PATCH", "DELETE", "POST") and answer.status_code in (204, 404, 409, 410, 412)
            if answer.status_code >= 500 or slug.endswith(("/unauthorized", "/forbidden")):
                wrong.append(f"{method} {rule} as {role}: {answer.status_code} {slug}")
            elif answer.status_code == 404 and not late and not slug.endswith("/not-sealed"):
                wrong.append(f"{method} {rule} as {role}: not there")
    assert not wrong


#: What a key for one package, or for one site, may use, each of its own things alone. All other routes are shut to it.
NARROW = {
    "package": {"links.issue", "links.links", "links.link", "links.revoke", "links.downloads"},
    "origin": {"embeds.create", "embeds.embeds", "embeds.embed", "embeds.change", "embeds.revoke"},
}
ON_THE_WAY = {
    "me.me",
    "participants.join",
    "participants.participant",
    "participants.accept",
    "participants.acceptances",
}
SCOPES = {
    "package": Scope(package="logo"),
    "origin": Scope(origin="https://www.example.org"),
    "read": Scope(read_only=True),
}
OTHERS = {"package": Scope(package="posters"), "origin": Scope(origin="https://other.example")}


def narrowed(world: World, role: str, scope: Scope) -> str:
    """The name of a key of ``world`` of this role and scope that has to do with its participant."""
    name = f"{role} {scope}"
    mine = world.mine if role == "partner" else None
    key, world.api.keys[name] = world.api.parts.participants.api_keys.create(
        role, participant=mine, scope=scope, name="narrow", by="staff:cli"
    )
    if role == "portal":
        world.api.parts.database.write(
            lambda session: session.add(
                tables.PortalGrant(participant=world.mine, key=key.id, granted_at=world.api.parts.clock())
            )
        )
    return name


def test_a_key_that_only_reads_changes_nothing(world: World) -> None:
    wrong = []
    keys = {role: narrowed(world, role, SCOPES["read"]) for role in KEYS}
    for rule, method, endpoint, roles in api_routes(world.api.app):
        for role in roles:
            answer = world.ask(endpoint, method, world.path(rule), keys[role])
            slug = str((answer.get_json(silent=True) or {}).get("type", ""))
            if (slug == "/problems/forbidden") is (method == "GET"):
                wrong.append(f"{method} {rule} as a {role} that only reads: {answer.status_code}")
    assert not wrong


@pytest.mark.parametrize("thing", ["package", "origin"])
def test_a_key_for_one_thing_uses_what_is_its_own_and_nothing_else(world: World, thing: str) -> None:
    wrong = []
    for role in ("partner", "portal", "staff"):
        own, other = narrowed(world, role, SCOPES[thing]), narrowed(world, role, OTHERS[thing])
        for rule, method, endpoint, roles in api_routes(world.api.app):
            if role not in roles or method == "DELETE":
                continue
            path, seen = world.path(rule), {}
            for name in (own, other):
                answer = world.ask(endpoint, method, path, name)
                seen[name] = (str((answer.get_json(silent=True) or {}).get("type", "")), answer)
            if endpoint not in NARROW[thing] | ON_THE_WAY:
                if any(slug != "/problems/forbidden" for slug, _ in seen.values()):
                    wrong.append(f"{method} {rule} is open to a {role} for one {thing}")
                continue
            if seen[own][1].status_code in (403, 404):
                wrong.append(f"{method} {rule} is shut to a {role} for its {thing}: {seen[own][1].text}")
            if endpoint in ON_THE_WAY:
                continue
            about_one = "<" in rule or method == "POST"
            if about_one and seen[other][1].status_code not in (403, 404):
                wrong.append(f"{method} {rule} is open to a {role} for another {thing}: {seen[other][1].status_code}")
            if not about_one and any(one in seen[other][1].text for one in world.ids.values() if one != world.mine):
                wrong.append(f"{method} {rule} shows a {role} for another {thing} what is not its own")
        kind, path = ("link", "links") if thing == "package" else ("embed", "embeds")
        if world.api.ask("DELETE", f"/api/v1/{path}/{world.ids[kind]}", key=other).status_code != 404:
            wrong.append(f"a {role} for another {thing} ends a {kind}")
    assert not wrong


def test_a_key_for_one_package_gets_no_more_than_it_by_any_wish(world: World) -> None:
    name = narrowed(world, "portal", SCOPES["package"])
    for wish in ({"package": "posters"}, {"packages": ["logo", "posters"]}, {"packages": ["logo"]}):
        body = {"participant": world.mine, **wish}
        problem(world.api.ask("POST", "/api/v1/links", key=name, json=body), 403, "forbidden")
    made = world.api.ask("POST", "/api/v1/links", key=name, json={"participant": world.mine, "package": "logo"})
    assert made.status_code == 201
    listed = world.api.ask("GET", "/api/v1/links", key=name).json["links"]
    assert {link["package"]["id"] for link in listed} == {"logo"}
    problem(world.api.ask("GET", "/api/v1/downloads?package=posters", key=name), 404, "not-found")


def test_a_key_for_one_site_makes_and_changes_embeds_for_it_alone(world: World) -> None:
    name, site = narrowed(world, "partner", SCOPES["origin"]), "https://www.example.org"
    body = {"participant": world.mine, "logo": "heart"}
    for origins in ([], ["https://other.example"], [site, "https://other.example"]):
        problem(world.api.ask("POST", "/api/v1/embeds", key=name, json=body | {"origins": origins}), 403, "forbidden")
    made = world.api.ask("POST", "/api/v1/embeds", key=name, json=body | {"origins": ["HTTPS://WWW.Example.ORG"]})
    assert made.status_code == 201, made.text
    path = f"/api/v1/embeds/{made.json['key']}"
    problem(world.api.ask("PATCH", path, key=name, json={"origins": ["https://other.example"]}), 403, "forbidden")
    assert world.api.ask("PATCH", path, key=name, json={"unlisted": "refuse"}).status_code == 200
    assert len(world.api.ask("GET", "/api/v1/embeds", key=name).json["embeds"]) == 2


def test_entries_of_the_log_are_shut_to_a_key_for_one_thing(world: World) -> None:
    world.api.parts.flush_and_seal()
    name = narrowed(world, "staff", SCOPES["package"])
    problem(world.api.ask("GET", "/log/tile/entries/000.p/1", key=name), 403, "forbidden")
    problem(world.api.ask("GET", "/api/v1/audit/proofs/0", key=name), 403, "forbidden")


def test_pages_of_an_account_are_its_owners(world: World) -> None:
    app = world.api.app
    stranger, nobody = Visitor(app), Visitor(app)
    stranger.join()
    wrong = []
    for rule, method, endpoint, _ in routes(app):
        if endpoint not in ACCOUNT:
            continue
        thing = ACCOUNT[endpoint]
        path = re.sub(r"<any\([^>]*>", "en", rule)
        path = re.sub(r"<(?:[^:>]+:)?\w+>", world.ids[thing or "nothing"], path)
        headers = {"Accept": "text/html"}
        status = nobody.client.open(path, method=method, headers=headers).status_code
        if status not in (302, 401, 404):
            wrong.append(f"{method} {rule} signed out: {status}")
        if thing is not None:
            status = stranger.client.open(path, method=method, headers=headers).status_code
            if status not in (403, 404):
                wrong.append(f"{method} {rule} of another: {status}")
    assert not wrong


def test_the_console_is_staffs_and_auditors_only_read(world: World) -> None:
    app = world.api.app
    nobody, participant, auditor, staff = (Visitor(app) for _ in range(4))
    participant.join()
    auditor.sign_in_as_staff("auditor@example.org")
    staff.sign_in_as_staff()
    wrong = []
    for rule, method, endpoint, _ in routes(app):
        if not endpoint.startswith("staff."):
            continue
        path = re.sub(r"<(?:[^:>]+:)?\w+>", "nothing", rule)
        wanted = {
            "nobody": {401},
            "participant": {403},
            "auditor": {403} if method != "GET" or PERSONAL.search(endpoint) else {200, 404},
            "staff": {200, 303, 404, 422},
        }
        visitors = {"nobody": nobody, "participant": participant, "auditor": auditor, "staff": staff}
        for name, visitor in visitors.items():
            status = visitor.client.open(path, method=method, headers={"Accept": "text/html"}).status_code
            if status not in wanted[name]:
                wrong.append(f"{method} {rule} as {name}: {status}")
    assert not wrong
