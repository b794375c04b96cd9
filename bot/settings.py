"""Every option, with its default and one sentence; the only reader of the environment (PORTSIDE_… variables)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.encoder import DEFAULT_MODEL
from bot.errors import SettingProblem

Probability = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseSettings):
    """Options of the bot. `PORTSIDE_PORT=9000` sets `port`."""

    model_config = SettingsConfigDict(env_prefix="PORTSIDE_", extra="ignore", frozen=True)

    site: Path = Field(Path("site"), description="Folder of the built site.")
    index: Path = Field(Path("index"), description="Folder of the index.")
    model: str = Field(DEFAULT_MODEL, description="Embedding model: the default, or a folder with a sentence-transformers model.")
    host: str = Field("127.0.0.1", min_length=1, description="Address to serve on; 0.0.0.0 opens it to the network.")
    port: int = Field(8000, ge=0, le=65535, description="Port to serve on; 0 takes a free one.")
    threads: int = Field(4, ge=1, le=64, description="Requests answered at the same time.")
    public_url: str = Field(
        "", pattern=r"^(https?://[^\s/]+.*)?$", description="The site's address as readers know it; Slack links need it."
    )
    answer_at: Probability | None = Field(
        None, description="Confidence from which an answer is given plainly; unset: as tuned, see “How good are the answers?”."
    )
    unsure_at: Probability | None = Field(
        None, description="Confidence from which the closest section is shown with a caveat; below it the bot declines."
    )
    journal: Path = Field(Path("data/journal.sqlite"), description="File in which questions and feedback are kept, redacted.")
    journal_days: int = Field(90, ge=1, le=3650, description="Days after which a question is deleted from the journal.")
    slack_signing_secret: SecretStr | None = Field(None, description="Signing secret of the Slack app; unset: no Slack.")


def read_settings(**given: object) -> Settings:
    """Return the settings from `given` (None: not given), then the environment, then the defaults.

    Raises SettingProblem with name, value and what is allowed.
    """
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        raise SettingProblem(f"PORTSIDE_{name.upper()} is {first['input']!r}: {first['msg']}.") from None
    if settings.answer_at is not None and settings.unsure_at is not None and settings.unsure_at > settings.answer_at:
        raise SettingProblem(f"PORTSIDE_UNSURE_AT is {settings.unsure_at}: it must not be above PORTSIDE_ANSWER_AT ({settings.answer_at}).")
    return settings
