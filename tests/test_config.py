"""Settings: every wrong value is one line that names its variable, and never the value of a secret."""

import os
from pathlib import Path

import pytest

from app.config import Environment, Settings, SettingsError, load, variable_of

SECRET = "a-secret-that-is-long-enough-to-sign-with"
PRODUCTION = {
    "TENET_ENV": "production",
    "TENET_SECRET": SECRET,
    "TENET_ORIGINS": "https://app.example.com",
    "DATABASE_URL": "postgresql://tenet:hunter22@db.example.com/tenet",
    "REDIS_URL": "redis://:hunter22@redis.example.com:6379/0",
}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment with nothing of ours in it, in a folder without `.env`."""
    for variable in list(os.environ):
        if variable.startswith("TENET_") or variable in ("DATABASE_URL", "REDIS_URL"):
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


def faults_of(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> list[str]:
    """Load settings that must be refused."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        load()
    return refused.value.faults


def test_nothing_set_is_development_with_embedded_servers() -> None:
    settings = load()
    assert settings.env is Environment.DEVELOPMENT
    assert (settings.database_url, settings.redis_url, settings.port) == (None, None, 8000)


@pytest.mark.parametrize(
    ("variable", "value", "needs"),
    [
        ("TENET_ENV", "staging", "production"),
        ("TENET_EMBEDDED", "perhaps", "boolean"),
        ("TENET_SECRET", "short-hunter22", "at least 32 characters"),
        ("TENET_PORT", "eighty", "integer"),
        ("TENET_PORT", "70000", "65535"),
        ("TENET_PUBLIC_URL", "tenet.example.com", "https://"),
        ("TENET_ORIGINS", "https://app.example.com/path", "without a path"),
        ("TENET_LOG_LEVEL", "loud", "debug"),
        ("TENET_LOG_FORMAT", "xml", "json"),
        ("TENET_DATABASE_CONNECTIONS", "0", "greater than or equal to 2"),
        ("TENET_STATEMENT_SECONDS", "0", "greater than 0"),
        ("TENET_SHUTDOWN_SECONDS", "-1", "greater than or equal to 0"),
        ("TENET_WORKER_LEASE_SECONDS", "0.1", "greater than or equal to 1"),
        ("TENET_LOCAL_SOURCES", "sometimes", "boolean"),
        ("TENET_PRIVATE_ADDRESSES", "sometimes", "boolean"),
        ("TENET_REPO_MEGABYTES", "0", "greater than or equal to 1"),
        ("TENET_REPO_FILES", "many", "integer"),
        ("TENET_FETCH_SECONDS", "0", "greater than 0"),
        ("DATABASE_URL", "mysql://tenet:hunter22@db/tenet", "postgresql://"),
        ("DATABASE_URL", "hunter22", "postgresql://"),
        ("REDIS_URL", "http://:hunter22@redis", "redis://"),
    ],
)
def test_a_wrong_value_is_a_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, needs: str
) -> None:
    faults = faults_of(monkeypatch, {variable: value})
    assert len(faults) == 1
    assert faults[0].startswith(f"{variable}: ")
    assert needs in faults[0]
    assert "hunter22" not in faults[0]


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(monkeypatch, {"TENET_PORT": "x", "TENET_LOG_LEVEL": "x", "TENET_PROT": "1"})
    assert {fault.split(":")[0] for fault in faults} == {"TENET_PORT", "TENET_LOG_LEVEL", "TENET_PROT"}


def test_a_misspelt_variable_suggests_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert faults_of(monkeypatch, {"TENET_DATADIR": "x"}) == [
        "TENET_DATADIR: is no setting; did you mean TENET_DATA_DIR?"
    ]


@pytest.mark.parametrize(
    ("variable", "value", "missing"),
    [
        ("TENET_DOCUMENTS_ONLY", "true", "TENET_DOCUMENTS"),
        ("TENET_ISSUER", "https://issuer.example.com", "TENET_ISSUER_AUDIENCE"),
        ("TENET_GITHUB_CLIENT_ID", "tenet", "TENET_GITHUB_CLIENT_ID"),
    ],
)
def test_what_needs_another_setting_names_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, missing: str
) -> None:
    (fault,) = faults_of(monkeypatch, {variable: value})
    assert fault.startswith(f"{missing}: ")


def test_production_takes_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in PRODUCTION.items():
        monkeypatch.setenv(variable, value)
    settings = load()
    assert settings.production
    assert settings.origins == ("https://app.example.com",)
    assert "hunter22" not in repr(settings)
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("missing", ["TENET_SECRET", "TENET_ORIGINS", "DATABASE_URL", "REDIS_URL"])
def test_production_refuses_what_development_does_without(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    environment = {variable: value for variable, value in PRODUCTION.items() if variable != missing}
    faults = faults_of(monkeypatch, environment)
    assert len(faults) == 1
    assert faults[0].startswith(f"{missing}: is missing")


def test_production_refuses_a_secret_that_can_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(monkeypatch, {**PRODUCTION, "TENET_SECRET": "a" * 40})
    assert faults == ["TENET_SECRET: is too simple; production needs one made at random"]


def test_production_takes_embedded_servers_when_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {name: value for name, value in PRODUCTION.items() if not name.endswith("_URL")}
    for variable, value in {**environment, "TENET_EMBEDDED": "true"}.items():
        monkeypatch.setenv(variable, value)
    assert load().database_url is None


def test_local_paths_are_taken_in_development_and_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().allows_local_sources
    monkeypatch.setenv("TENET_LOCAL_SOURCES", "false")
    assert not load().allows_local_sources
    for variable, value in PRODUCTION.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delenv("TENET_LOCAL_SOURCES")
    assert not load().allows_local_sources
    monkeypatch.setenv("TENET_LOCAL_SOURCES", "true")
    assert load().allows_local_sources


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("TENET_PORT=1001\nTENET_HOST=0.0.0.0\nTENET_LOG_LEVEL=error\n")
    monkeypatch.setenv("TENET_PORT", "1002")
    monkeypatch.setenv("TENET_HOST", "127.0.0.2")
    settings = load(port=1003, host=None)
    assert (settings.port, settings.host, settings.log_level) == (1003, "127.0.0.2", "error")


def test_the_signing_secret_of_development_outlives_the_process(tmp_path: Path) -> None:
    first, second = (load(data_dir=tmp_path / "data") for _ in range(2))
    assert first.signing_secret() == second.signing_secret()
    assert len(first.signing_secret()) == 64
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    assert variable_of("database_url") == "DATABASE_URL"
    assert variable_of("log_level") == "TENET_LOG_LEVEL"
