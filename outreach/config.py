"""Every setting: from the environment (OUTREACH_…) and from one file, instance/outreach.env.

A default is what is safe on one machine that serves only itself; what a city must say itself has none.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """The settings of one installation; each is described in docs/operating.md."""

    model_config = SettingsConfigDict(env_prefix="OUTREACH_", env_file_encoding="utf-8", extra="forbid")

    instance_path: Path = Field(default=ROOT / "instance", description="Where the database, keys and uploads are kept.")
    database_url: str | None = Field(
        default=None, description="postgresql+psycopg://… ; without it SQLite in the instance folder."
    )
    base_url: str = Field(
        default="http://127.0.0.1:8000", description="What links in messages and QR codes begin with."
    )
    trusted_proxies: int = Field(default=0, ge=0, le=5, description="How many proxies in front may say who calls.")
    language: Literal["zh_Hans_CN", "en"] = Field(default="zh_Hans_CN", description="The language of first sight.")
    smtp_host: str | None = Field(default=None, description="The mail server; without it mail waits in the outbox.")
    smtp_port: int = Field(default=25, description="Its port.")
    smtp_user: str | None = Field(default=None, description="Its user, where it asks for one.")
    smtp_password: SecretStr | None = Field(default=None, description="Its password.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(default="none", description="How the line is encrypted.")
    mail_from: str = Field(default="outreach@localhost", description="The sender of every mail.")
    sms_gateway: Literal["page"] = Field(
        default="page", description="Who carries SMS: «page» keeps them on a page that only administrators see."
    )
    upload_megabytes: int = Field(default=20, ge=1, le=200, description="The largest upload accepted, in MB.")

    @property
    def database(self) -> str:
        """The URL SQLAlchemy connects to."""
        return self.database_url or f"sqlite:///{self.instance_path.resolve() / 'outreach.db'}"

    @property
    def keys_file(self) -> Path:
        """Where the keys are kept: beside the database, never in it."""
        return self.instance_path / "keys.json"


def load() -> Settings:
    """Return the settings of this process.

    :raises pydantic.ValidationError: naming each setting that is wrong
    """
    first = Settings()
    return Settings(_env_file=first.instance_path / "outreach.env")
