"""The composition root: settings → every part of a deployment, built once. The only place where the parts meet.

The command line works on a deployment alone; ``service.app`` puts the web entrance over it; ``service.jobs``
does its background work.
"""

from __future__ import annotations

from dataclasses import dataclass

from .alerts.alert_rules import load_rules
from .alerts.alerts import Alerts
from .alerts.checkpoint_mail import DailyCheckpoint
from .alerts.refusals import Refusals
from .alerts.webhooks import Webhooks
from .audit.receipts import Receipts
from .audit.reports import Reports
from .audit.segments import Segments
from .campaign import Campaign, load
from .clients import Classifier
from .clock import Clock, now
from .embeds import Embeds
from .ledger import Sealer, key_source
from .limits import Limiter
from .links import Links, Recorder, Tokens
from .logos import Variants
from .mail import Mailer
from .packages import Catalogue, StoredPackages
from .participants import Participants
from .privacy import DataRetention, Erasure
from .problems import ConfigurationError
from .settings import Settings
from .storage import Storage, open_storage
from .store import Database


@dataclass
class Deployment:
    """Every part of one deployment."""

    settings: Settings
    clock: Clock
    campaign: Campaign
    database: Database
    storage: Storage
    mailer: Mailer
    limiter: Limiter
    classifier: Classifier
    catalogue: Catalogue
    stored_packages: StoredPackages
    participants: Participants
    erasure: Erasure
    tokens: Tokens
    links: Links
    recorder: Recorder
    variants: Variants
    embeds: Embeds
    sealer: Sealer
    segments: Segments
    reports: Reports
    receipts: Receipts
    refusals: Refusals
    alerts: Alerts
    webhooks: Webhooks
    checkpoint_mail: DailyCheckpoint
    retention: DataRetention

    def flush_and_seal(self) -> int:
        """Enter every counted view into the ledger and seal: the size of the log after it. Waits for another sealer."""
        self.embeds.settle()
        self.embeds.enter_uses(everything=True)
        return self.sealer.seal(wait=30).size

    def close(self) -> None:
        """Write what is only in memory, and let go of connections."""
        self.variants.close()
        self.embeds.close()
        self.mailer.close()
        self.database.close()


def assemble(settings: Settings, clock: Clock = now) -> Deployment:
    """Build the parts of a deployment. Raises ConfigurationError or CampaignError with every mistake in it."""
    campaign = load(settings.policies_dir, settings.assets_dir)
    database = Database(settings.database_url)
    storage = open_storage(settings.storage_url)
    mailer = Mailer(database, settings.mail_url, sender=campaign.info.contact_email, clock=clock)
    catalogue = Catalogue(database, storage, campaign, clock)
    participants = Participants(
        database, campaign, clock, mailer, settings.base_url, staff=settings.staff, auditors=settings.auditors
    )
    tokens = Tokens(settings.secret_keys)
    segments = Segments(database, storage, settings.data_dir, clock)
    reports = Reports(database, segments, clock)
    return Deployment(
        settings=settings,
        clock=clock,
        campaign=campaign,
        database=database,
        storage=storage,
        mailer=mailer,
        limiter=Limiter(settings.rate_limits, settings.redis_url),
        classifier=Classifier(campaign.clients),
        catalogue=catalogue,
        stored_packages=StoredPackages(storage),
        participants=participants,
        erasure=Erasure(database, campaign, clock, mailer, participants.api_keys),
        tokens=tokens,
        links=Links(
            database,
            campaign,
            catalogue,
            tokens,
            clock,
            base_url=settings.base_url,
            ages=settings.link_max_age,
        ),
        recorder=Recorder(database, campaign, clock, settings.secret_keys, settings.base_url),
        variants=Variants(dict(campaign.logos), campaign.brand, storage, settings.data_dir),
        embeds=Embeds(database, campaign, clock, settings.base_url),
        sealer=_sealer(settings, database, storage, clock),
        segments=segments,
        reports=reports,
        receipts=Receipts(database, storage, reports),
        refusals=Refusals(database, clock),
        alerts=Alerts(
            database,
            reports,
            clock,
            load_rules(settings.policies_dir),
            mailer=mailer,
            staff=settings.staff,
            base_url=settings.base_url,
            data_dir=settings.data_dir,
        ),
        webhooks=Webhooks(database, clock, settings.secret_keys),
        checkpoint_mail=DailyCheckpoint(database, clock, mailer, settings.auditors, settings.base_url),
        retention=DataRetention(database, clock, campaign.info.retention),
    )


def _sealer(settings: Settings, database: Database, storage: Storage, clock: Clock) -> Sealer:
    try:
        signers = key_source(settings.log_key, settings.log_origin, settings.config)
    except ValueError as error:
        raise ConfigurationError([f"{error}."]) from error
    return Sealer(database, storage, signers, settings.log_origin, clock, settings.data_dir)
