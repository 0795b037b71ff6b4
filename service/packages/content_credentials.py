"""Content credentials: C2PA manifests in the pictures and documents of packages, which say who made them.

A manifest is signed by the campaign's certificate over the finished file, so it is put in last: whatever changes the
file afterwards breaks it, and optimisers drop it in silence. It holds no thumbnail, and no time stamp of a third
party: readers hold the certificate against the time at which they read, so its files stay valid for as long as it
does. Formats: C2PA 2.x, written by the extra ``content``; the signature takes random salts, so the same file signed
twice is not the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from ..media_types import MEDIA_TYPES, ending
from .rights import Rights

if TYPE_CHECKING:
    import c2pa

#: Endings of the files of packages that a manifest can be put into.
CARRIERS = ("png", "jpg", "jpeg", "webp", "avif", "svg", "pdf")
#: How long before its end operators are told: time for a new certificate and new versions of the packages.
WARN_BEFORE = timedelta(days=365)
#: A certificate that ends sooner signs nothing: its files would turn invalid while they are in use.
LEAST_LIFE = timedelta(days=90)
_CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")  # C2PA 2.x, 14.5.1: the extended key usage of its signers
_DRAWN = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"
_FIX = "`emblem secrets content-credentials FILE` makes one"

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def available() -> bool:
    """Tell whether the package that writes and reads manifests is installed."""
    return find_spec("c2pa") is not None


@dataclass(frozen=True)
class ContentCredentials:
    """A signing key with its certificate and those that it follows from, as a PEM file has them."""

    key: PrivateKey
    chain: tuple[x509.Certificate, ...]

    @classmethod
    def read(cls, path: Path) -> ContentCredentials:
        """Read key and certificates from a PEM file, the signing certificate first; ValueError says the fix."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({type(error).__name__})") from error
        try:
            key = serialization.load_pem_private_key(content, password=None)
            chain = tuple(x509.load_pem_x509_certificates(content))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} holds no private key with its certificates in PEM; {_FIX}") from error
        if not isinstance(key, PrivateKey) or not _algorithm(key):
            raise ValueError(f"{path} holds a key of a kind that C2PA does not know; use Ed25519, P-256, P-384 or RSA")
        if chain[0].public_key() != key.public_key():
            raise ValueError(f"{path}: the first certificate is not that of the key; put it first")
        return cls(key, chain)

    @property
    def expires(self) -> datetime:
        """The instant from which readers refuse what was signed: the end of the certificate that ends first."""
        return min(certificate.not_valid_after_utc for certificate in self.chain)

    @property
    def digest(self) -> str:
        """SHA-256 of the signing certificate (DER), hex: what the log names it by."""
        return self.chain[0].fingerprint(hashes.SHA256()).hex()

    @cached_property
    def anchor(self) -> str:
        """The certificate that readers put among those they trust, as PEM: the last of the chain."""
        return self.chain[-1].public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, content: bytes, path: str, rights: Rights, package: str) -> bytes:
        """Return the file of a package with a manifest in it, where it is of a kind that carries one; else as it is.

        ValueError for a file that is not of the kind that its name says.
        """
        if ending(path) not in CARRIERS:
            return content
        media_type = MEDIA_TYPES[ending(path)]
        import c2pa  # here, because only building needs it, and because it is an extra

        out = io.BytesIO()
        try:
            with c2pa.Context.from_dict(_SETTINGS) as context, self._signer() as signer:
                manifest = _manifest(content, path, media_type, rights, package)
                with c2pa.Builder(manifest, context=context) as builder:
                    builder.sign(signer, media_type, io.BytesIO(content), out)
        except c2pa.C2paError as error:
            raise ValueError(f"no content credentials can be put into it: {error}") from error
        return out.getvalue()

    def _signer(self) -> c2pa.Signer:
        import c2pa

        pem = [certificate.public_bytes(serialization.Encoding.PEM) for certificate in self._sent]
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(_algorithm(self.key).encode(), b"".join(pem), key, None))

    @property
    def _sent(self) -> tuple[x509.Certificate, ...]:
        """The certificates that go into a file: all but the anchor, which a reader has to have from elsewhere."""
        return self.chain[:-1] or self.chain


#: No thumbnail, which would be larger than most files; what was signed is read again by the tests, not each time.
_SETTINGS = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}


def _manifest(content: bytes, path: str, media_type: str, rights: Rights, package: str) -> dict[str, Any]:
    """Claims about a file: drawn by this program, whose it is, in which version of which package."""
    named = hashlib.sha256(f"{package}\n{rights.version}\n{path}\n".encode() + content).digest()[:16]
    return {
        "claim_version": 2,
        "label": f"urn:c2pa:{uuid.UUID(bytes=named, version=4)}",
        "instance_id": f"xmp:iid:{uuid.UUID(bytes=named, version=4)}",
        "claim_generator_info": [{"name": "Emblem"}],
        "title": path,
        "format": media_type,
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": _DRAWN}]},
            },
            {
                "label": "cawg.metadata",
                "kind": "Json",
                "data": {
                    "@context": {
                        "cc": "http://creativecommons.org/ns#",
                        "dc": "http://purl.org/dc/elements/1.1/",
                        "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
                        "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
                    },
                    "cc:license": rights.licence,
                    "dc:identifier": f"{package}/{rights.version}/{path}",
                    "xmpMM:VersionID": rights.version,
                    "xmpRights:Owner": [rights.owner],
                    "xmpRights:WebStatement": rights.web_statement,
                },
            },
        ],
    }


def _algorithm(key: object) -> str:
    """The name that C2PA gives the algorithm of a key; empty where it has none."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}.get(key.curve.name, "")
    return "ps256" if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048 else ""


def new_credentials(organization: str, now: datetime, days: int) -> bytes:
    """Make a key with a certificate for it, issued by an authority whose key is thrown away; as PEM.

    The certificate names ``organization`` and is good for ``days`` from ``now``. Profile: C2PA 2.x, 14.5.1.
    """
    authority, key = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    issuer = _name(organization, "Content credentials authority")
    anchor = (
        _certificate(issuer, issuer, authority, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority, None)
    )
    usages = [_CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]  # the second is what readers of C2PA 1.x ask for
    certificate = (
        _certificate(_name(organization, "Content credentials"), issuer, key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, None)
    )
    parts = [
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        certificate.public_bytes(serialization.Encoding.PEM),
        anchor.public_bytes(serialization.Encoding.PEM),
    ]
    return b"".join(parts)


def _name(organization: str, common: str) -> x509.Name:
    attributes = [(NameOID.ORGANIZATION_NAME, organization[:64]), (NameOID.COMMON_NAME, common)]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in attributes])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ed25519.Ed25519PrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
