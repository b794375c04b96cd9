"""Every option: documented, read from the environment, refused by name when its value is wrong."""

import pytest

from bot.errors import SettingProblem
from bot.settings import Settings, read_settings
from tests.conftest import ROOT

BOT_PAGE = ROOT / "docs" / "bot.md"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PORTSIDE_{name.upper()}", raising=False)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    assert BOT_PAGE.is_file(), "docs/bot.md lists the settings"
    lines = [line for line in BOT_PAGE.read_text(encoding="utf-8").splitlines() if f"`PORTSIDE_{name.upper()}`" in line]
    assert lines, f"PORTSIDE_{name.upper()} is not in docs/bot.md"
    default = Settings.model_fields[name].default
    assert default in (None, "") or any(str(default) in line for line in lines)


def test_every_setting_has_a_sentence() -> None:
    assert all((field.description or "").endswith(".") for field in Settings.model_fields.values())


def test_defaults_serve_only_this_machine() -> None:
    assert read_settings().host == "127.0.0.1"
    assert read_settings().slack_signing_secret is None


def test_the_environment_sets_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTSIDE_PORT", "9000")
    assert read_settings().port == 9000
    assert read_settings(port="9001", host=None).port == 9001


WRONG = [
    ("port", "http", "integer"),
    ("port", "65536", "65535"),
    ("port", "-1", "0"),
    ("threads", "0", "1"),
    ("threads", "65", "64"),
    ("host", "", "1 character"),
    ("answer_at", "1.5", "1"),
    ("unsure_at", "-0.1", "0"),
    ("answer_at", "half", "number"),
    ("journal_days", "0", "1"),
    ("public_url", "docs.example.com", "pattern"),
    ("public_url", "javascript:alert(1)", "pattern"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG)
def test_a_wrong_value_is_refused_with_name_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(f"PORTSIDE_{name.upper()}", value)
    with pytest.raises(SettingProblem) as refused:
        read_settings()
    message = str(refused.value)
    assert message.startswith(f"PORTSIDE_{name.upper()} is {value!r}: ")
    assert allowed in message
    assert refused.value.code == "setting-wrong"


def test_thresholds_that_cross_are_refused() -> None:
    with pytest.raises(SettingProblem, match=r"PORTSIDE_UNSURE_AT is 0\.8.*PORTSIDE_ANSWER_AT \(0\.5\)"):
        read_settings(answer_at=0.5, unsure_at=0.8)


def test_the_signing_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTSIDE_SLACK_SIGNING_SECRET", "s3cret-s3cret")
    settings = read_settings()
    assert "s3cret" not in repr(settings) + str(settings)


def test_settings_cannot_be_changed_after_the_start() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings().port = 1
