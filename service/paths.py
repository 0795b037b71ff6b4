"""Paths of pages and of the API, as mails, links, embeds, problems and reports name them: one function a path.

Each is what follows the deployment's base URL. The routes themselves stand at their views; ``tests/web/test_paths.py``
holds the two against each other.
"""

from __future__ import annotations

from urllib.parse import quote

API = "/api/v1"
STAFF = "/staff"
DOWNLOADS = "/d/"
VARIANTS = "/logos/"
BROWSER_REPORTS = "/browser-reports"
OPENID_RETURN = "/sign-in/openid"  # where the OpenID Connect provider sends browsers back to


def home(language: str) -> str:
    """The campaign's home page."""
    return f"/{language}/"


def terms(language: str, terms_id: str, version: str | None = None) -> str:
    """The page of terms to read: one version, or whichever is current when it is opened."""
    return f"/{language}/terms/{terms_id}" + (f"/{version}" if version else "")


def account(language: str) -> str:
    """The account of whoever is signed in."""
    return f"/{language}/account"


def mailed_link(language: str, purpose: str, secret: str) -> str:
    """The page of a mailed link, whose button uses it; ``purpose`` is ``sign-in``, ``join`` or ``grant``."""
    return f"/{language}/{purpose}/{secret}"


def report(language: str) -> str:
    """The page where anybody writes about a use of the logo."""
    return f"/{language}/report"


def letter(language: str, token: str) -> str:
    """The page of a letter about a report of misuse, where whoever got it answers."""
    return f"/{language}/letter/{token}"


def digest_end(language: str, token: str) -> str:
    """The page that ends a person's mails of who waits."""
    return f"/{language}/digest/{token}"


def embed_page(language: str, key: str) -> str:
    """The public page of an embed, which editors turn into the logo."""
    return f"/{language}/embeds/{quote(key, safe='')}"


def problem(slug: str) -> str:
    """The page that explains a kind of problem: its ``type``."""
    return f"/problems/{slug}"


def staff_audit() -> str:
    """The audit for staff and auditors."""
    return f"{STAFF}/audit"


def download(token: str, filename: str) -> str:
    """A signed download link."""
    return f"{DOWNLOADS}{token}/{quote(filename)}"


def variants(key: str, logo: str) -> str:
    """Return what the paths of a logo's variants in an embed begin with."""
    return f"{VARIANTS}{quote(key, safe='')}/{logo}"


def participant(participant_id: str) -> str:
    """A participant in the API."""
    return f"{API}/participants/{participant_id}"


def link(link_id: str) -> str:
    """A link in the API."""
    return f"{API}/links/{link_id}"


def embed(key: str) -> str:
    """An embed in the API."""
    return f"{API}/embeds/{key}"


def verify(language: str, certificate: str = "") -> str:
    """The page that says whether a certificate holds, or without one whether a file is the campaign's."""
    return f"/{language}/verify" + (f"/{certificate}" if certificate else "")


def verifications() -> str:
    """Return where files are sent in the API to ask whether they are genuine."""
    return f"{API}/verifications"


def certificate_file(certificate: str, form: str) -> str:
    """A file of a certificate: ``pdf``, ``png`` (the badge) or ``jwt`` (the credential)."""
    return f"/certificates/{certificate}.{form}"


def status_list(number: int) -> str:
    """A status list of credentials."""
    return f"/status/{number}"


def certificates(participant_id: str) -> str:
    """A participant's certificates in the API."""
    return f"{API}/participants/{participant_id}/certificates"


def rules() -> str:
    """The brand rules in the API, with their digest."""
    return f"{API}/rules"


def all_terms() -> str:
    """All terms in the API."""
    return f"{API}/terms"


def package_versions(package: str) -> str:
    """The versions of a package in the API."""
    return f"{API}/packages/{package}/versions"


def preview(package: str, version: str) -> str:
    """The preview picture of a package version."""
    return f"{package_versions(package)}/{version}/preview.png"


def proof(name: str) -> str:
    """The proof that an entry, named by its id or leaf index, is in the public log."""
    return f"{API}/audit/proofs/{name}"


def openapi() -> str:
    """The OpenAPI document."""
    return f"{API}/openapi.json"


def api_docs() -> str:
    """The description of the API as a page."""
    return f"{API}/docs"


def docs(address: str = "") -> str:
    """A page or file of the documentation; its first page without an address."""
    return f"/docs/{quote(address)}"


def annotated(secret: str, page: int) -> str:
    """The annotated picture of a check of artwork, for as long as it is kept."""
    return f"/artwork/{secret}/{page}.png"


def shown_variant(logo: str, colourway: str, width: int) -> str:
    """A logo as it should be, for our own pages; partners use embeds."""
    return f"/brand/{logo}/{colourway}/{width}.png"


def artwork_check(check: str) -> str:
    """A check of artwork in the API."""
    return f"{API}/artwork-checks/{check}"


def case(case_id: str) -> str:
    """A case in the API."""
    return f"{API}/cases/{case_id}"


def case_file(case_id: str, file_id: str) -> str:
    """A file of a case in the API."""
    return f"{case(case_id)}/files/{file_id}"


def staff_passkeys() -> str:
    """One's own passkeys on the staff pages."""
    return f"{STAFF}/passkeys"


def staff_case(case_id: str) -> str:
    """A case on the staff pages."""
    return f"{STAFF}/cases/{case_id}"


def staff_link(link_id: str) -> str:
    """The page of a link for staff."""
    return f"{STAFF}/links/{link_id}"


def staff_embed(key: str) -> str:
    """The page of an embed for staff."""
    return f"{STAFF}/embeds/{quote(key, safe='')}"


def staff_participant(participant_id: str) -> str:
    """The page of a participant for staff."""
    return f"{STAFF}/participants/{participant_id}"


def account_case(language: str, case_id: str) -> str:
    """A case on the account pages of the participant whom it is about."""
    return f"{account(language)}/cases/{case_id}"
