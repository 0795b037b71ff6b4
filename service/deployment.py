"""The composition root: settings → every part of a deployment, built once. The only place where the parts meet.

The command line works on a deployment alone; ``service.app`` puts the web entrance over it; ``service.jobs``
does its background work.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from . import paths
from .alerts.alert_rules import AlertRules, load_rules
from .alerts.alerts import Alerts
from .alerts.checkpoint_mail import DailyCheckpoint
from .alerts.entry_webhooks import EntryWebhooks
from .alerts.refusals import Refusals
from .alerts.webhooks import Webhooks
from .audit.receipts import Receipts
from .audit.reports import Reports
from .audit.segments import Segments
from .authenticity import Authenticity
from .campaign import Campaign, CampaignError, load
from .certificates import Certificates, Issuer
from .certificates.credentials import read_keys
from .clients import Classifier
from .clock import Clock, now
from .desk import Desk, DeskMail, Endings, Openings, SignedLinks
from .embeds import Embeds
from .embeds.origins import check_origin
from .ledger import Sealer, key_source
from .ledger.witnesses import Witnesses
from .limits import Limiter
from .links import Links, Recorder, SharedRecording, Tokens
from .logos import Variants
from .mail import Mailer
from .packages import Bundles, Catalogue, Publications, PublicationView, PublishedFile, StoredPackages
from .participants import Participants, Scope
from .participants.trial import count_asked_again
from .privacy import DataRetention, Erasure, Export
from .problems import ConfigurationError, Unavailable
from .settings import Settings
from .sharing import SharePictures
from .staff_access import OpenId, OpenIdSettings, Passkeys
from .storage import Storage, open_storage
from .store import Database
from .store.idempotency import IdempotentRequests
from .verdicts import Verdicts
from .verification.policy import Policy, parse_policy

if TYPE_CHECKING:
    from .packages.content_credentials import ContentCredentials
    from .packages.publishing import Publisher

log = structlog.get_logger()

_RETIRED = 60.0  # seconds in which requests that have begun may still use what another publication replaced


@dataclass(frozen=True)
class InForce:
    """Publication that a process works by: the campaign and its alert rules, from the publication that is in force.

    ``publication`` is None where nothing was published yet: then they are the files themselves.
    """

    publication: PublicationView | None
    campaign: Campaign
    rules: AlertRules


@dataclass(frozen=True)
class LastingParts:
    """The parts that stay when another publication comes, as far as those that are built on the campaign need them."""

    database: Database
    storage: Storage
    mailer: Mailer
    tokens: Tokens
    embeds: Embeds
    reports: Reports
    verdicts: Verdicts
    certificates: Certificates
    shared_recording: SharedRecording


@dataclass
class CampaignParts:
    """The parts that are built on one campaign. Another publication has others; each of them sees one campaign only."""

    publication: PublicationView | None
    campaign: Campaign
    classifier: Classifier
    catalogue: Catalogue
    bundles: Bundles
    participants: Participants
    passkeys: Passkeys
    openid: OpenId
    desk: Desk
    erasure: Erasure
    links: Links
    endings: Endings
    recorder: Recorder
    alerts: Alerts
    retention: DataRetention
    authenticity: Authenticity


@dataclass
class Deployment(CampaignParts):
    """Every part of one deployment. ``refresh`` replaces those that are built on the campaign, all at once."""

    settings: Settings
    clock: Clock
    database: Database
    storage: Storage
    publications: Publications
    mailer: Mailer
    limiter: Limiter
    idempotent: IdempotentRequests
    stored_packages: StoredPackages
    tokens: Tokens
    shared_recording: SharedRecording
    variants: Variants
    embeds: Embeds
    verdicts: Verdicts
    certificates: Certificates
    share_pictures: SharePictures
    export: Export
    sealer: Sealer
    witnesses: Witnesses | None
    segments: Segments
    reports: Reports
    receipts: Receipts
    refusals: Refusals
    webhooks: Webhooks
    entry_webhooks: EntryWebhooks
    checkpoint_mail: DailyCheckpoint
    _unreadable: int = 0  # the number of a publication that could not be taken up
    _retired: list[tuple[float, Variants]] = field(default_factory=list)

    def refresh(self) -> bool:
        """Take up the newest publication where it is not in force here yet; False where nothing changed.

        One that cannot be read is logged, and what was in force stays. Raises Unavailable.
        """
        while self._retired and time.monotonic() - self._retired[0][0] > _RETIRED:
            self._retired.pop(0)[1].close()
        newest = self.publications.newest()
        if newest is None or newest == self.publication or newest.number == self._unreadable:
            return False
        try:
            found = _read_publication(self.publications, newest)
        except CampaignError as error:
            self._unreadable = newest.number
            log.error("a publication cannot be taken up; the one before stays in force", reason=str(error))
            return False
        self._take_up(found)
        log.info("publication taken up", number=newest.number, policies=newest.policies)
        return True

    def _take_up(self, found: InForce) -> None:
        lasting = LastingParts(
            self.database,
            self.storage,
            self.mailer,
            self.tokens,
            self.embeds,
            self.reports,
            self.verdicts,
            self.certificates,
            self.shared_recording,
        )
        parts = _build_on(found, self.settings, self.clock, lasting)
        variants = _variants(found.campaign, self.storage, self.settings)
        self.participants.api_keys.note_uses()  # what only the replaced part knows
        self.embeds.take_up(found.campaign)
        self.verdicts.take_up(found.campaign)
        self.certificates.take_up(found.campaign)
        self.mailer.sender = found.campaign.info.contact_email
        replaced: dict[str, object] = vars(parts)
        if variants.version == self.variants.version:
            variants.close()
        else:
            self._retired.append((time.monotonic(), self.variants))
            if self.variants.started:
                variants.start()
            replaced = {**replaced, "variants": variants}
        vars(self).update(replaced)  # one step: a request sees the parts of one publication, or of the next

    def scope(self, *, read_only: bool = False, package: str | None = None, origin: str | None = None) -> Scope:
        """Return what a key is narrowed to, as somebody wrote it. Raises InvalidRequest or UnknownPackage."""
        if package is not None:
            self.catalogue.versions(package)
        return Scope(read_only, package, None if origin is None else check_origin(origin, "/origin"))

    def stored_files(self) -> list[PublishedFile]:
        """Return every stored file that links may lead to: packages, and bundles of them."""
        return [*self.catalogue.handed_out(), *self.bundles.handed_out()]

    def flush_and_seal(self) -> int:
        """Enter every counted view into the ledger and seal: the size of the log after it. Waits for another sealer."""
        self.embeds.settle()
        self.embeds.enter_uses(everything=True)
        return self.sealer.seal(wait=30).size

    def close(self) -> None:
        """Write what is only in memory, and let go of connections."""
        for _, retired in self._retired:
            retired.close()
        self.variants.close()
        self.verdicts.close()
        self.embeds.close()
        self.mailer.close()
        self.recorder.close()
        self.database.close()


def assemble(
    settings: Settings, clock: Clock = now, *, database: Database | None = None, published: bool = True
) -> Deployment:
    """Build the parts of a deployment. Raises ConfigurationError or CampaignError with every mistake in it.

    ``database`` is one that is open already. Without ``published`` the files are in force as they lie there, and
    nothing is asked of a database that is known to be away.
    """
    database = database or Database(settings.database_url)
    storage = open_storage(settings.storage_url, shared=settings.delivery == "x-accel")
    publications = Publications(database)
    found = in_force(settings, publications) if published else _as_they_lie(settings)
    mailer = Mailer(database, settings.mail_url, sender=found.campaign.info.contact_email, clock=clock)
    tokens = Tokens(settings.secret_keys)
    segments = Segments(database, storage, settings.data_dir, clock)
    reports = Reports(database, segments, clock)
    sealer = _sealer(settings, database, storage, clock)
    policy = _policy(settings)
    embeds = Embeds(database, found.campaign, clock, settings.base_url)
    receipts = Receipts(database, storage, reports, policy)
    issuer = _issuer(settings, found.campaign)
    verdicts = Verdicts(
        database, storage, found.campaign, clock, embeds, base_url=settings.base_url, data_dir=settings.data_dir
    )
    certificates = Certificates(database, storage, found.campaign, clock, receipts, sealer, issuer, settings.base_url)
    shared_recording = SharedRecording()
    lasting = LastingParts(database, storage, mailer, tokens, embeds, reports, verdicts, certificates, shared_recording)
    return Deployment(
        **vars(_build_on(found, settings, clock, lasting)),
        settings=settings,
        clock=clock,
        database=database,
        storage=storage,
        publications=publications,
        mailer=mailer,
        idempotent=IdempotentRequests(database, clock),
        limiter=Limiter(settings.rate_limits, settings.redis_url, settings.data_dir),
        stored_packages=StoredPackages(storage),
        tokens=tokens,
        shared_recording=shared_recording,
        variants=_variants(found.campaign, storage, settings),
        embeds=embeds,
        verdicts=verdicts,
        export=Export(database, clock),
        sealer=sealer,
        segments=segments,
        reports=reports,
        receipts=receipts,
        certificates=certificates,
        share_pictures=SharePictures(storage),
        witnesses=Witnesses(sealer, policy) if policy else None,
        refusals=Refusals(database, clock),
        webhooks=Webhooks(database, clock, settings.secret_keys, networks=settings.webhook_networks),
        entry_webhooks=EntryWebhooks(database, storage, clock),
        checkpoint_mail=DailyCheckpoint(database, clock, mailer, settings.auditors, settings.base_url),
    )


@contextmanager
def open_publisher(settings: Settings, clock: Clock = now) -> Iterator[Publisher]:
    """Read the files of policies and assets for publishing, whatever is in force. Raises CampaignError."""
    from .packages.publishing import Publisher  # here, because only who publishes needs the renderers

    load_rules(settings.policies_dir)  # for its mistakes
    database = Database(settings.database_url)
    try:
        storage = open_storage(settings.storage_url, shared=settings.delivery == "x-accel")
        credentials = content_credentials(settings)
        if credentials is not None and find_spec("c2pa") is None:
            fix = "install the extra with `pip install 'emblem[content]'`, or take the setting away"
            raise ConfigurationError([f"EMBLEM_CONTENT_CREDENTIALS: c2pa-python is missing and signs nothing: {fix}."])
        yield Publisher.of(database, storage, clock, settings.policies_dir, settings.assets_dir, credentials)
    finally:
        database.close()


@contextmanager
def open_sealer(settings: Settings, clock: Clock = now) -> Iterator[Sealer]:
    """Open database, storage and log alone, whatever is in them: for putting a backup back."""
    database = Database(settings.database_url)
    try:
        yield _sealer(
            settings, database, open_storage(settings.storage_url, shared=settings.delivery == "x-accel"), clock
        )
    finally:
        database.close()


def in_force(settings: Settings, publications: Publications) -> InForce:
    """Read what was published last, or the files where nothing was, or the database does not answer.

    Raises CampaignError where that has a mistake.
    """
    try:
        newest = publications.newest()
    except Unavailable:  # whoever needs the database says so; no request is answered without it
        newest = None
    if newest is not None:
        return _read_publication(publications, newest)
    return _as_they_lie(settings)


def _as_they_lie(settings: Settings) -> InForce:
    campaign = load(settings.policies_dir, settings.assets_dir, packages=False)
    return InForce(None, campaign, load_rules(settings.policies_dir))


def campaign_in_force(settings: Settings) -> Campaign:
    """Read the campaign in force alone. Raises CampaignError where it has a mistake."""
    database = Database(settings.database_url)
    try:
        return in_force(settings, Publications(database)).campaign
    finally:
        database.close()


def asked_again(database: Database, draft: Campaign, clock: Clock = now) -> int:
    """Count the participants whom ``draft`` would ask to accept terms again, beside what was published last."""
    publications = Publications(database)
    newest = publications.newest()
    if newest is None:
        return 0
    try:
        before = _read_publication(publications, newest).campaign
    except CampaignError:  # an older release took what this one does not; publishing anew is the way out
        return 0
    return count_asked_again(database, before, draft, clock)


def _read_publication(publications: Publications, publication: PublicationView) -> InForce:
    with publications.opened(publication) as (policies_dir, assets_dir):
        return InForce(publication, load(policies_dir, assets_dir, packages=False), load_rules(policies_dir))


def _build_on(found: InForce, settings: Settings, clock: Clock, lasting: LastingParts) -> CampaignParts:
    campaign, database, mailer = found.campaign, lasting.database, lasting.mailer
    catalogue = Catalogue(database, lasting.storage, campaign, clock)
    bundles = Bundles(database, lasting.storage, catalogue, clock)
    participants = Participants(
        database,
        campaign,
        clock,
        mailer,
        settings.base_url,
        staff=settings.staff,
        auditors=settings.auditors,
        held=Openings(campaign).joining,
    )
    links = Links(
        database,
        campaign,
        catalogue,
        bundles,
        lasting.tokens,
        clock,
        base_url=settings.base_url,
        ages=settings.link_max_age,
    )
    desk_mail = DeskMail(campaign, mailer, settings.base_url)
    signed_links = SignedLinks(settings.secret_keys)
    return CampaignParts(
        publication=found.publication,
        campaign=campaign,
        classifier=Classifier(campaign.clients),
        catalogue=catalogue,
        bundles=bundles,
        participants=participants,
        passkeys=Passkeys(database, clock, participants, settings.base_url),
        openid=OpenId(database, clock, participants.staff, participants.sign_in, _openid(settings)),
        desk=Desk(database, lasting.storage, campaign, clock, desk_mail, participants, lasting.verdicts, signed_links),
        erasure=Erasure(database, campaign, clock, mailer, participants.api_keys),
        links=links,
        endings=Endings(database, clock, desk_mail, links, lasting.embeds),
        recorder=Recorder(database, campaign, clock, settings.secret_keys, settings.base_url, lasting.shared_recording),
        alerts=Alerts(
            database,
            lasting.reports,
            clock,
            found.rules,
            mailer=mailer,
            staff=participants.staff.addresses,
            base_url=settings.base_url,
            data_dir=settings.data_dir,
        ),
        authenticity=Authenticity(
            campaign,
            catalogue,
            lasting.certificates,
            lasting.verdicts,
            credentials.anchor if (credentials := content_credentials(settings)) else None,
        ),
        retention=DataRetention(database, clock, campaign.info.retention),
    )


def _openid(settings: Settings) -> OpenIdSettings:
    back = settings.base_url + paths.OPENID_RETURN
    return OpenIdSettings(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, back)


def _variants(campaign: Campaign, storage: Storage, settings: Settings) -> Variants:
    return Variants(dict(campaign.logos), campaign.brand, storage, settings.data_dir)


def _issuer(settings: Settings, campaign: Campaign) -> Issuer | None:
    if not settings.credential_key:
        return None
    try:
        keys = read_keys(settings.credential_key)
    except ValueError as error:
        raise ConfigurationError([f"EMBLEM_CREDENTIAL_KEY: {error}."]) from error
    return Issuer(keys, settings.base_url, campaign.info.name.get("en"))


def content_credentials(settings: Settings) -> ContentCredentials | None:
    """Read the key and certificates of packages' files, where there are any. ConfigurationError says the fix."""
    if not settings.content_credentials:
        return None
    from .packages.content_credentials import ContentCredentials  # here, because few deployments' processes need it

    try:
        return ContentCredentials.read(Path(settings.content_credentials))
    except ValueError as error:
        raise ConfigurationError([f"EMBLEM_CONTENT_CREDENTIALS: {error}."]) from error


def _policy(settings: Settings) -> Policy | None:
    if not settings.log_policy:
        return None
    try:
        return parse_policy(Path(settings.log_policy).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError([f"EMBLEM_LOG_POLICY: {settings.log_policy}: {error}."]) from error


def _sealer(settings: Settings, database: Database, storage: Storage, clock: Clock) -> Sealer:
    try:
        signers = key_source(settings.log_key, settings.log_origin, settings.config)
    except ValueError as error:
        raise ConfigurationError([f"{error}."]) from error
    return Sealer(database, storage, signers, settings.log_origin, clock, settings.data_dir)
