"""Every setting: from the environment (OUTREACH_…) and from one file, instance/outreach.env.

A default is what is safe on one machine that serves only itself; what a city must say itself has none.
"""

import difflib
import ipaddress
import os
import stat
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "OUTREACH_"
NOT_OURS = ("OUTREACH_TEST_", "OUTREACH_BENCH_")
"""Names that only the tests and the measurements read."""
FILE = "outreach.env"
SHORTEST_TOKEN = 16
MOUNTS = Path("/proc/self/mounts")
SHARED_FILE_SYSTEMS = frozenset({"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "lustre", "nfs", "nfs4"})
"""Where SQLite's locks do not hold (sqlite.org, «SQLite Over a Network»)."""


class SettingsRefused(SystemExit):
    """Settings that are wrong, or unsafe where they are used; all of them at once. Ends the program with its text."""

    def __init__(self, heading: str, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("\n".join([heading, *(f"  - {sentence}" for sentence in self.sentences)]))


def _plain_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ValueError("should look like https://talent.example.cn")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("should end after the host and the port: the application has no folder of its own")
    return f"{parts.scheme}://{parts.netloc}"


def _sender(value: str) -> str:
    name, _, host = value.rpartition("@")
    if not name or not host or any(sign.isspace() for sign in value):
        raise ValueError("should be a mail address, such as talent@example.cn")
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_TOKEN:
        raise ValueError(f"should have at least {SHORTEST_TOKEN} characters")
    return value


def _redis_address(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("should look like redis://127.0.0.1:6379/0")
    return value


class Settings(BaseSettings):
    """The settings of one installation; each is described in docs/operating.md."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    instance_path: Path = Field(default=ROOT / "instance", description="Where the database, keys and uploads are kept.")
    production: bool | None = Field(
        default=None, description="Whether others depend on it; without it, whether base_url is another machine's."
    )
    database_url: str | None = Field(
        default=None, description="postgresql+psycopg://… ; without it SQLite in the instance folder."
    )
    redis_url: Annotated[SecretStr, AfterValidator(_redis_address)] | None = Field(
        default=None, description="redis://… ; where several processes count attempts together."
    )
    base_url: Annotated[str, AfterValidator(_plain_address)] = Field(
        default="http://127.0.0.1:8000", description="What links in messages and QR codes begin with."
    )
    intranet_without_https: bool = Field(
        default=False, description="Says that http:// is meant: a closed network, and no camera at the door."
    )
    trusted_proxies: int = Field(default=0, ge=0, le=5, description="How many proxies in front may say who calls.")
    language: Literal["zh_Hans_CN", "en"] = Field(default="zh_Hans_CN", description="The language of first sight.")
    smtp_host: str | None = Field(default=None, description="The mail server; without it mail waits in the outbox.")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="Its port.")
    smtp_user: str | None = Field(default=None, description="Its user, where it asks for one.")
    smtp_password: SecretStr | None = Field(default=None, description="Its password.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(default="none", description="How the line is encrypted.")
    mail_from: Annotated[str, AfterValidator(_sender)] = Field(
        default="outreach@localhost", description="The sender of every mail."
    )
    sms_gateway: Literal["page"] = Field(
        default="page", description="Who carries SMS: «page» keeps them on a page that only administrators see."
    )
    upload_megabytes: int = Field(default=20, ge=1, le=200, description="The largest upload accepted, in MB.")
    metrics_token: Annotated[SecretStr, AfterValidator(_long_enough)] | None = Field(
        default=None, description="What another machine says to read /metrics."
    )

    @property
    def database(self) -> str:
        """The URL SQLAlchemy connects to."""
        return self.database_url or f"sqlite:///{self.instance_path.resolve() / 'outreach.db'}"

    @property
    def keys_file(self) -> Path:
        """Where the keys are kept: beside the database, never in it."""
        return self.instance_path / "keys.json"

    @property
    def in_production(self) -> bool:
        """Whether others depend on this installation; then what is unsafe is refused."""
        return not is_loopback(urlsplit(self.base_url).hostname or "") if self.production is None else self.production


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load() -> Settings:
    """Return the settings of this process.

    :raises SettingsRefused: naming everything that is wrong, at once
    """
    instance_path = Path(os.environ.get("OUTREACH_INSTANCE_PATH") or Settings.model_fields["instance_path"].default)
    file = instance_path / FILE
    wrong = list(_unknown(file))
    try:
        settings = Settings(_env_file=file)
    except ValidationError as error:
        wrong += [_said(each) for each in error.errors()]
    if wrong:
        raise SettingsRefused("Outreach does not start: these settings are wrong.", wrong)
    return settings


def refuse_unsafe(settings: Settings) -> None:
    """Stop an installation that others depend on, if it is not safe to begin.

    :raises SettingsRefused: naming everything that is unsafe, at once
    """
    if settings.in_production and (sentences := list(unsafe(settings))):
        raise SettingsRefused(
            f"Outreach does not start: {settings.base_url} is used by others, and this is not safe.", sentences
        )


def unsafe(settings: Settings) -> Iterator[str]:
    """Yield a sentence for everything that must not be so where others depend on the installation."""
    yield from _unsafe_address(settings)
    yield from _unsafe_mail(settings)
    yield from _unsafe_files(settings)


def _unsafe_address(settings: Settings) -> Iterator[str]:
    https = settings.base_url.startswith("https://")
    if not https and not settings.intranet_without_https:
        yield (
            "OUTREACH_BASE_URL begins with http://, so passwords and numbers would cross the network in the clear. Use "
            "https://, or say OUTREACH_INTRANET_WITHOUT_HTTPS=1 where the network is closed."
        )
    if https and settings.trusted_proxies == 0:
        yield (
            "OUTREACH_BASE_URL begins with https://, so a proxy stands in front, but OUTREACH_TRUSTED_PROXIES is 0: "
            "all people would seem to call from the proxy. Set it to the number of proxies, usually 1."
        )


def _unsafe_mail(settings: Settings) -> Iterator[str]:
    if not settings.smtp_host:
        return
    in_the_clear = settings.smtp_security == "none" and not is_loopback(settings.smtp_host)
    if settings.smtp_password and in_the_clear and not settings.intranet_without_https:
        yield (
            "OUTREACH_SMTP_PASSWORD would cross the network in the clear. Set OUTREACH_SMTP_SECURITY to starttls or "
            "tls."
        )
    if settings.mail_from == Settings.model_fields["mail_from"].default:
        yield "OUTREACH_MAIL_FROM is not set, so no mail server would take our mail. Set it to the office's address."


def _unsafe_files(settings: Settings) -> Iterator[str]:
    folder = settings.instance_path
    if folder.is_dir() and _mode(folder) & 0o007:
        yield f"Everybody on this machine can look into {folder}. Run: chmod 700 {folder}"
    for file in (settings.keys_file, folder / FILE):
        if file.is_file() and _mode(file) & 0o077:
            yield f"Others on this machine can read {file}. Run: chmod 600 {file}"
    if settings.database_url is None and (system := _file_system(folder)) in SHARED_FILE_SYSTEMS:
        yield (
            f"{folder} lies on a network share ({system}), where SQLite loses data. Use a disk of this machine, or "
            "PostgreSQL by OUTREACH_DATABASE_URL."
        )


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _file_system(folder: Path) -> str | None:
    """Return the kind of file system a folder lies on, where the system tells."""
    if not MOUNTS.is_file():
        return None
    there = folder.resolve()
    kinds = {
        Path(point.replace("\\040", " ")): kind
        for _device, point, kind, *_rest in (line.split(" ") for line in MOUNTS.read_text().splitlines())
    }
    return next((kinds[parent] for parent in (there, *there.parents) if parent in kinds), None)


def _unknown(file: Path) -> Iterator[str]:
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    in_file = dotenv_values(file) if file.is_file() else {}
    if f"{PREFIX}INSTANCE_PATH" in in_file:
        yield f"OUTREACH_INSTANCE_PATH says where {FILE} lies, so it cannot stand in it. Set it in the environment."
    ours = [name for name in os.environ if name.startswith(PREFIX) and not name.startswith(NOT_OURS)]
    for name in sorted({*ours, *in_file} - set(known)):
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.5)
        where = f" in {file}" if name in in_file else ""
        yield f"{name}{where} is no setting." + (f" Did you mean {near[0]}?" if near else "")


def _said(error: Any) -> str:
    name = f"{PREFIX}{str(error['loc'][0]).upper()}"
    return f"{name}: {error['msg'].removeprefix('Value error, ').removeprefix('Input ')}."


def version() -> str:
    """Return the version of this program, as pyproject.toml names it."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
