"""The composition root: settings → parts → Flask app. The only place where the parts meet.

``assemble`` puts the capabilities of one deployment together; the command line works on these alone.
``create_app`` puts the web entrance over them.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from . import settings as settings_module
from .audit import Maintenance
from .campaign import Campaign, load
from .embeds import Embeds
from .ids import Clock, now
from .ledger import Sealer, key_source
from .links import Links, Recorder, Tokens
from .logos import Variants
from .mail import Mailer
from .packages import Catalogue
from .participants import Participants
from .problems import ConfigurationError
from .settings import Settings
from .storage import Storage, open_storage
from .store import Database, migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

    from .web.limits import Limiter

log = structlog.get_logger()


@dataclass
class Parts:
    """Everything one deployment is made of."""

    settings: Settings
    clock: Clock
    campaign: Campaign
    database: Database
    storage: Storage
    mailer: Mailer
    catalogue: Catalogue
    participants: Participants
    tokens: Tokens
    links: Links
    recorder: Recorder
    variants: Variants
    embeds: Embeds
    sealer: Sealer
    maintenance: Maintenance
    limiter: Limiter = field(init=False)

    def close(self) -> None:
        """Writes what is only in memory, and lets go of connections."""
        self.variants.close()
        self.embeds.close()
        self.mailer.close()
        self.database.close()


def assemble(settings: Settings, clock: Clock = now) -> Parts:
    """The parts of a deployment. Raises ConfigurationError or CampaignError with every mistake in it."""
    campaign = load(settings.policies_dir, settings.assets_dir)
    database = Database(settings.database_url)
    storage = open_storage(settings.storage_url)
    mailer = Mailer(settings.mail_url, sender=campaign.info.contact_email)
    catalogue = Catalogue(database, storage, campaign, clock)
    participants = Participants(
        database, campaign, clock, mailer, settings.base_url, staff=settings.staff, auditors=settings.auditors
    )
    tokens = Tokens(settings.secret_keys)
    links = Links(
        database,
        campaign,
        catalogue,
        tokens,
        clock,
        base_url=settings.base_url,
        ages=(settings.link_default_age, settings.link_max_age),
    )
    recorder = Recorder(database, campaign, clock, settings.secret_keys)
    variants = Variants(dict(campaign.logos), campaign.brand, storage, settings.data_dir)
    embeds = Embeds(database, campaign, clock, settings.base_url)
    sealer = _sealer(settings, database, storage, clock)
    maintenance = Maintenance(
        settings=settings,
        database=database,
        storage=storage,
        campaign=campaign,
        sealer=sealer,
        embeds=embeds,
        mailer=mailer,
        clock=clock,
    )
    return Parts(
        settings,
        clock,
        campaign,
        database,
        storage,
        mailer,
        catalogue,
        participants,
        tokens,
        links,
        recorder,
        variants,
        embeds,
        sealer,
        maintenance,
    )


def _sealer(settings: Settings, database: Database, storage: Storage, clock: Clock) -> Sealer:
    try:
        signers = key_source(settings.log_key, settings.log_origin, settings.config)
    except ValueError as error:
        raise ConfigurationError([f"{error}."]) from error
    return Sealer(database, storage, signers, settings.log_origin, clock, settings.data_dir)


def create_app(
    environ: Mapping[str, str] | None = None,
    *,
    settings: Settings | None = None,
    clock: Clock = now,
    work: bool = False,
) -> Flask:
    """The web application of a deployment, from its environment or its settings.

    Refuses to start (ConfigurationError, CampaignError) where the schema is not current, the log's key is
    not the log's, or a policy has a mistake. With ``work`` the background work runs in this process too.
    """
    from .web import compose

    parts = assemble(settings or settings_module.load(os.environ if environ is None else environ), clock)
    migrate.require_current(parts.database)
    parts.sealer.check()
    app = compose(parts)
    if work:
        start_work(parts)
    return app


_SWEEP = timedelta(hours=1)


def _sweep(parts: Parts) -> None:
    """Deletes what has run out: sessions, mailed links, kept answers."""
    from .web import idempotency

    parts.participants.purge()
    idempotency.purge(parts.database, parts.clock())


def start_work(parts: Parts) -> Callable[[], None]:
    """Starts the background work of this process (sealing, counts, mails …); returns what ends it.

    Every process of a deployment runs it; what only one may do is under a lock of its own. The last turn
    happens while ending, so that nothing waits in memory.
    """
    ending = threading.Event()
    parts.embeds.start()
    parts.variants.start()

    def turns() -> None:
        swept = parts.clock()
        while not ending.wait(1.0):
            try:
                parts.maintenance.tick()
                if parts.clock() - swept > _SWEEP:
                    swept = parts.clock()
                    _sweep(parts)
            except Exception as error:
                log.error("background work failed; it is tried again", exc_info=error)

    thread = threading.Thread(target=turns, name="emblem-work", daemon=True)
    thread.start()

    def end() -> None:
        ending.set()
        thread.join(timeout=5)
        steps: list[Any] = [parts.maintenance.finish, parts.close]
        for step in steps:
            try:
                step()
            except Exception as error:
                log.error("ending the background work failed", exc_info=error)

    return end
