"""``service.settings``: every setting, its default, and every mistake named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.problems import ConfigurationError
from service.settings import VARIABLES, load, parse_duration, read_config

NEEDED = {"EMBLEM_SECRET_KEYS": "k" * 32, "EMBLEM_LOG_KEY": "PRIVATE+KEY+x"}

BAD = {
    "EMBLEM_BASE_URL": "ftp://example.org",
    "EMBLEM_DATABASE_URL": "mysql://localhost/x",
    "EMBLEM_STORAGE_URL": "/just/a/path",
    "EMBLEM_DELIVERY": "pigeon",
    "EMBLEM_SECRET_KEYS": "short",
    "EMBLEM_LOG_ORIGIN": "https://example.org/log/",
    "EMBLEM_REDIS_URL": "memcached://localhost",
    "EMBLEM_MAIL_URL": "mailto:a@example.org",
    "EMBLEM_ASSETS_DIR": "/no/such/folder",
    "EMBLEM_POLICIES_DIR": "/no/such/folder/either",
    "EMBLEM_STAFF": "nobody",
    "EMBLEM_AUDITORS": "a@example.org, no one",
    "EMBLEM_TRUSTED_PROXIES": "-1",
    "EMBLEM_LOG_POLICY": "/no/such/file",
    "EMBLEM_CREDENTIAL_KEY": "ed25519:short",
    "EMBLEM_CONTENT_CREDENTIALS": "/nowhere/key.pem",
    "EMBLEM_OIDC_ISSUER": "http://login.example.org",
    "EMBLEM_METRICS_BIND": "9000",
    "EMBLEM_WEBHOOK_NETWORKS": "10.0.0.1/8",
    "EMBLEM_SEAL_INTERVAL": "soon",
    "EMBLEM_LINK_MAX_AGE": "90d,7d",
    "EMBLEM_RATE_LIMITS": "maybe",
}


def mistakes(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(environ)
    return caught.value.mistakes


def test_all_mistakes_are_named_at_once() -> None:
    """A bad value anywhere stops the start and names all mistakes at once."""
    found = mistakes(NEEDED | BAD)
    assert [mistake.partition(":")[0] for mistake in found] == [name for name in VARIABLES if name in BAD]
    assert all(mistake.endswith(".") for mistake in found)


@pytest.mark.parametrize("name", sorted(BAD))
def test_each_bad_value_is_a_mistake_of_its_own(name: str) -> None:
    (only,) = mistakes(NEEDED | {name: BAD[name]})
    assert only.startswith(f"{name}: ")


def test_every_setting_with_a_format_has_a_bad_value_here() -> None:
    free = {"EMBLEM_DATA_DIR", "EMBLEM_LOG_KEY"}  # any path; a key is judged by the log, which knows its format
    free |= {"EMBLEM_OIDC_CLIENT_ID", "EMBLEM_OIDC_CLIENT_SECRET"}  # whatever the provider gave
    assert set(BAD) | free == set(VARIABLES)


def test_no_secret_means_no_start() -> None:
    """Defaults are safe: outside ``demo``, no secret means no start."""
    found = mistakes({})
    assert [mistake.split()[0] for mistake in found] == ["EMBLEM_SECRET_KEYS", "EMBLEM_LOG_KEY"]
    assert all("emblem secrets new" in mistake for mistake in found)


def test_an_empty_secret_is_no_secret() -> None:
    assert len(mistakes({"EMBLEM_SECRET_KEYS": "", "EMBLEM_LOG_KEY": ""})) == 2


@pytest.mark.parametrize("text", [",", " , ,", ",,"])
def test_a_list_of_no_secret_is_no_secret(text: str) -> None:
    (only,) = mistakes(NEEDED | {"EMBLEM_SECRET_KEYS": text})
    assert "emblem secrets new" in only


def test_a_mistake_never_repeats_a_secret() -> None:
    secret = "tooshort-but-secret"
    (only,) = mistakes(NEEDED | {"EMBLEM_SECRET_KEYS": secret})
    assert secret not in only


def test_settings_do_not_show_secrets() -> None:
    shown = repr(load(NEEDED | {"EMBLEM_DATABASE_URL": "postgresql://emblem:pass-word@db/emblem"}))
    assert "k" * 32 not in shown
    assert "PRIVATE+KEY" not in shown
    assert "pass-word" not in shown


def test_defaults_lie_in_the_data_directory(tmp_path: Path) -> None:
    made = load(NEEDED | {"EMBLEM_DATA_DIR": str(tmp_path)})
    assert made.database_url == f"sqlite:///{tmp_path}/emblem.sqlite3"
    assert made.storage_url == f"file://{tmp_path}/storage"
    assert made.outbox == tmp_path / "outbox"
    assert made.delivery == "direct"
    assert made.trusted_proxies == 0
    assert made.rate_limits
    assert made.metrics_bind == ""
    assert made.seal_interval == 5
    assert made.link_max_age == (7 * 86400, 90 * 86400)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_urls_reach_the_driver_that_is_there(scheme: str) -> None:
    made = load(NEEDED | {"EMBLEM_DATABASE_URL": f"{scheme}://emblem@db/emblem"})
    assert made.database_url == "postgresql+psycopg://emblem@db/emblem"


def test_lists_are_split_and_lowered() -> None:
    made = load(
        NEEDED | {"EMBLEM_STAFF": "Anna@Example.org, ben@example.org,", "EMBLEM_SECRET_KEYS": f"{'a' * 32},{'b' * 40}"}
    )
    assert made.staff == ("anna@example.org", "ben@example.org")
    assert made.secret_keys == ("a" * 32, "b" * 40)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "emblem.env"
    file.write_text(f"EMBLEM_SECRET_KEYS={'f' * 32}\nEMBLEM_LOG_KEY=from-file\nEMBLEM_DELIVERY=x-accel\n")
    made = load({"EMBLEM_CONFIG": str(file), "EMBLEM_DELIVERY": "redirect", "PATH": "/bin"})
    assert made.secret_keys == ("f" * 32,)
    assert made.delivery == "redirect"


def test_a_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / "emblem.env"
    file.write_text(
        "# a remark\n\n"
        "export EMBLEM_BASE_URL = https://emblem.example.org/\n"
        "EMBLEM_STAFF='anna@example.org'\n"
        'EMBLEM_LOG_KEY="PRIVATE+KEY+a=b"\n'
    )
    values, found = read_config(file)
    assert found == []
    assert values == {
        "EMBLEM_BASE_URL": "https://emblem.example.org/",
        "EMBLEM_STAFF": "anna@example.org",
        "EMBLEM_LOG_KEY": "PRIVATE+KEY+a=b",
    }


def test_mistakes_of_a_file_name_its_line(tmp_path: Path) -> None:
    """An unknown name in the file stops the start."""
    file = tmp_path / "emblem.env"
    file.write_text("EMBLEM_BASE_ULR=https://x\nnothing at all\nEMBLEM_DELIVERY=pigeon\n")
    found = mistakes(NEEDED | {"EMBLEM_CONFIG": str(file)})
    assert found[0].startswith(f"{file}:1: EMBLEM_BASE_ULR is not a setting")
    assert found[1].startswith(f"{file}:2: ")
    assert found[2].startswith("EMBLEM_DELIVERY: ")


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    (only,) = mistakes(NEEDED | {"EMBLEM_CONFIG": str(tmp_path / "no.env")})
    assert "no.env" in only


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("15s", 15), ("15m", 900), ("12h", 43200), ("7d", 604800), ("2w", 1209600)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0d", "-1", "1.5h", "7 d", "7y", "d", "٧d", "1e3", "99999999999"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_a_provider_needs_the_id_by_which_it_knows_us() -> None:
    (only,) = mistakes(NEEDED | {"EMBLEM_OIDC_ISSUER": "https://login.example.org"})
    assert only.startswith("EMBLEM_OIDC_CLIENT_ID")
