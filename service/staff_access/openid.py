"""Staff sign in at an OpenID Connect provider that the operator names: code flow with PKCE by S256, state and nonce.

Only a verified mailbox that is one of the staff's gets in, and whoever has a passkey shows it afterwards.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from .. import paths
from ..clock import Clock
from ..ids import secret_digest
from ..participants import Confirmed, Staff
from ..participants.application import read_address
from ..participants.sign_in import SignIn
from ..problems import NotFound, OpenIdRefused, Unavailable
from ..store import Database, tables

if TYPE_CHECKING:
    from .provider import Provider

REQUEST_LIFE = timedelta(minutes=10)
# For the log alone.
_OTHER_ISSUER = "the answer is another issuer's"
_NO_ISSUER = "the answer names no issuer, and the provider's always do"
_OTHER_SUBJECT = "the userinfo is another subject's"
_ALIKE = "the mailbox is written with other letters than it is compared with"
_NO_MAILBOX = "there is no mailbox in the token or at the userinfo endpoint"
_LONGEST = 4000  # characters of what comes back
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


@dataclass(frozen=True)
class OpenIdSettings:
    """Settings of the provider; ``issuer`` is empty where there is none."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True)
class Departure:
    """Address to which the browser goes to sign in, and the secret that it brings back in a cookie."""

    url: str
    binding: str = field(repr=False)


class OpenId:
    """Sign-in at a provider. Authlib and the provider are not touched before somebody signs in."""

    def __init__(
        self, database: Database, clock: Clock, staff: Staff, sign_in: SignIn, settings: OpenIdSettings
    ) -> None:
        self._database = database
        self._clock = clock
        self._staff = staff
        self._sign_in = sign_in
        self._settings = settings
        self._provider: Provider | None = None

    @property
    def on(self) -> bool:
        """Tell whether there is a provider."""
        return bool(self._settings.issuer)

    def depart(self, language: str) -> Departure:
        """Begin: return where the browser goes. Raises NotFound without a provider, Unavailable where it is away."""
        from .provider import ProviderError

        provider = self._of_settings()
        state, nonce, verifier, binding = (secrets.token_urlsafe(32) for _ in range(4))
        try:
            with provider.client() as client:
                endpoint = provider.configuration()["authorization_endpoint"]
                url, _ = client.create_authorization_url(endpoint, state=state, nonce=nonce, code_verifier=verifier)
        except ProviderError as error:
            raise _away(error) from error
        row = tables.OpenIdRequest(
            state_sha256=secret_digest(state),
            binding_sha256=secret_digest(binding),
            nonce=nonce,
            code_verifier=verifier,
            language=language,
            expires_at=self._clock() + REQUEST_LIFE,
        )
        self._database.write(lambda session: session.add(row))
        return Departure(str(url), binding)

    def arrive(self, query: dict[str, str], binding: str, replaces: str = "") -> Confirmed:
        """Take what the browser brings back, exactly once, and sign in whose mailbox the provider vouches for.

        ``binding`` is the cookie of the browser that departed. Raises OpenIdRefused, NotFound, or Unavailable.
        """
        provider = self._of_settings()
        request = self._request(query.get("state", ""), binding)
        # RFC 9207: an answer of another provider is none of ours.
        if query.get("iss", self._settings.issuer) != self._settings.issuer:
            raise OpenIdRefused(private=_OTHER_ISSUER)
        if "iss" not in query and self._names_itself(provider):
            raise OpenIdRefused(private=_NO_ISSUER)
        code = query.get("code", "")
        if not code or len(code) > _LONGEST:
            raise OpenIdRefused(private=f"the provider answers {query.get('error', 'no code')[:100]}")
        address, subject = self._vouched(provider, code, request)

        def work(session: Transaction) -> Confirmed:
            member = self._staff.admit(session, address)
            if member is None:
                raise OpenIdRefused
            self._keep_subject(session, member.id, secret_digest(f"{provider.issuer} {subject}"))
            if self._staff.has_passkey(session, address):
                return Confirmed("sign-in", request.language, "staff", None)
            done = self._sign_in.begin(session, address, request.language, replaces)
            assert done.session is not None  # whoever has a passkey left above
            row = session.get_one(tables.SignInSession, secret_digest(done.session))
            row.openid = True
            return done

        return self._database.write(work)

    def departure_of(self, secret: str) -> str | None:
        """Return where the provider's own session is ended, if that of this secret began there and it offers that."""
        if not self.on or not secret:
            return None
        with self._database.read() as session:
            row = session.get(tables.SignInSession, secret_digest(secret))
            if row is None or not row.openid:
                return None
        return self.sign_out_url()

    def sign_out_url(self) -> str | None:
        """Return the provider's page that ends its session (RP-Initiated Logout 1.0); None where it offers none."""
        from urllib.parse import urlencode

        from .provider import ProviderError

        provider = self._of_settings()
        try:
            offered = provider.configuration().get("end_session_endpoint")
            if not offered:
                return None
            back = {"client_id": self._settings.client_id, "post_logout_redirect_uri": self._home()}
            return f"{provider.check(offered)}?{urlencode(back)}"
        except ProviderError:
            return None

    def check(self) -> str:
        """Return one line on the provider for the operator. Raises ValueError with what is wrong."""
        from .provider import ProviderError

        try:
            found = self._of_settings().configuration()
            self._of_settings().keys()
        except ProviderError as error:
            raise ValueError(str(error)) from error
        methods = found.get("code_challenge_methods_supported")
        if methods is not None and "S256" not in methods:
            raise ValueError("the provider does not know PKCE with S256")
        leaving = "with" if found.get("end_session_endpoint") else "without"
        return f"{self._settings.issuer} answers, {leaving} single logout; register {self._settings.redirect_uri} there"

    def purge(self) -> None:
        """Delete requests that were not answered in time."""
        table = tables.OpenIdRequest
        self._database.write(lambda session: session.execute(delete(table).where(table.expires_at <= self._clock())))

    def _home(self) -> str:
        return self._settings.redirect_uri.removesuffix(paths.OPENID_RETURN) + "/"

    def _of_settings(self) -> Provider:
        if not self.on:
            raise NotFound
        if self._provider is None:
            from .provider import Provider

            said = self._settings
            self._provider = Provider(said.issuer, said.client_id, said.client_secret, said.redirect_uri)
        return self._provider

    def _request(self, state: str, binding: str) -> tables.OpenIdRequest:
        """Use a request up, of whom it is. Raises OpenIdRefused for one that is not waiting, or another browser's."""
        table = tables.OpenIdRequest

        def work(session: Transaction) -> tables.OpenIdRequest | None:
            row = session.scalar(select(table).where(table.state_sha256 == secret_digest(state)).with_for_update())
            if row is None or row.binding_sha256 != secret_digest(binding):
                return None
            session.delete(row)
            session.flush()
            session.expunge(row)
            return row

        found = self._database.write(work)
        if found is None or found.expires_at <= self._clock():
            raise OpenIdRefused("This took too long, or was begun in another browser. Try once more.")
        return found

    def _keep_subject(self, session: Transaction, staff: str, digest: str) -> None:
        """Keep who a person is there, at the first time, and refuse whoever has their mailbox there later.

        Mailboxes can be given to others, subjects cannot (OpenID Connect Core 1.0, section 5.7).
        """
        row = session.get_one(tables.StaffMember, staff, with_for_update=True)
        if row.openid_sha256 is None:
            row.openid_sha256 = digest
        elif row.openid_sha256 != digest:
            raise OpenIdRefused(
                "The provider vouches for another person than before. If that is right, the operator runs "
                "`emblem staff recover`.",
                private=f"another subject than before for {staff}",
            )

    def _vouched(self, provider: Provider, code: str, request: tables.OpenIdRequest) -> tuple[str, str]:
        """Return the verified mailbox for which the provider gives a token, and its subject.

        Raises OpenIdRefused or Unavailable.
        """
        from authlib.common.errors import AuthlibBaseError
        from joserfc.errors import JoseError
        from requests import RequestException

        from .provider import ProviderError

        try:
            configuration = provider.configuration()
            with provider.client() as client:
                token = client.fetch_token(
                    configuration["token_endpoint"], code=code, code_verifier=request.code_verifier
                )
                claims = self._claims(provider, token, request.nonce)
                if "email" not in claims and configuration.get("userinfo_endpoint"):
                    more = client.get(provider.check(configuration["userinfo_endpoint"])).json()
                    if more.get("sub") != claims["sub"]:
                        raise OpenIdRefused(private=_OTHER_SUBJECT)
                    claims = claims | {name: more.get(name) for name in ("email", "email_verified")}
        except ProviderError as error:
            raise _away(error) from error
        except (RequestException, OSError) as error:
            raise _away(error) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise OpenIdRefused(private=f"{type(error).__name__}: {str(error)[:200]}") from error
        if claims.get("email_verified") is not True:
            raise OpenIdRefused("The provider does not say that this mailbox is verified.")
        said = str(claims.get("email") or "")
        address, errors = read_address(said)
        if errors:
            raise OpenIdRefused(private=_NO_MAILBOX)
        # A letter that only looks like one of ASCII, or becomes one where case and width are left aside, makes another
        # mailbox: somebody may have that one there, and this one is not theirs.
        if address.isascii() and not said.isascii():
            raise OpenIdRefused(private=_ALIKE)
        return address, str(claims["sub"])

    def _names_itself(self, provider: Provider) -> bool:
        """Tell whether the provider says that its answers name their issuer (RFC 9207): then one without is none."""
        from .provider import ProviderError

        try:
            return provider.configuration().get("authorization_response_iss_parameter_supported") is True
        except ProviderError as error:
            raise _away(error) from error

    def _claims(self, provider: Provider, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Return the claims of the ID token, whose signature, issuer, audience, times, nonce and hash hold."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        registry = JWSRegistry(algorithms=list(_ALGORITHMS), strict_check_header=False)
        try:
            signed = jwt.decode(token["id_token"], KeySet.import_key_set(provider.keys()), registry=registry)  # type: ignore[arg-type]
        except InvalidKeyIdError:  # it has changed its keys
            keys = KeySet.import_key_set(provider.keys(anew=True))  # type: ignore[arg-type]
            signed = jwt.decode(token["id_token"], keys, registry=registry)
        wanted = {
            "iss": {"essential": True, "values": [provider.issuer]},
            "aud": {"essential": True, "values": [provider.client_id]},
        }
        given = {"nonce": nonce, "client_id": provider.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(signed.claims, signed.header, wanted, given)
        claims.validate(leeway=60)
        return dict(claims)


def _away(error: Exception) -> Unavailable:
    return Unavailable(
        "The place where staff sign in does not answer. Try again in a moment, or sign in by mail.",
        private=f"OpenID provider: {type(error).__name__}: {str(error)[:200]}",
    )
