"""Whether an installation is as it should be: what an operator, or a page, looks through line by line."""

import os
import shutil
import smtplib
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask_babel import gettext
from limits.storage import storage_from_string

from outreach import config
from outreach.config import Settings
from outreach.kernel import key_marks, sealing
from outreach.kernel.calendar_days import CalendarYear
from outreach.kernel.clock import local, office_day
from outreach.kernel.database import CLOCKS_APART, clock_apart, db
from outreach.kernel.history import HistoryLine
from outreach.kernel.outbox import Work, WorkState
from outreach.operating import rotation, schema, verification
from outreach.operating.backup import last_made
from outreach.operating.figures import oldest_due
from outreach.organisations.queries import administrators_of_everything, installation
from outreach.web.filters import moment_text

WAITS_AT_MOST = timedelta(minutes=15)
BACKUP_EVERY = timedelta(days=2)
ANCHOR_EVERY = timedelta(days=2)
NEXT_YEAR_FROM = 11
"""The State Council announces the next year's adjusted days in October or November."""
ROOM_BYTES = 1024**3
ROOM_SHARE = 0.05
PATIENCE_SECONDS = 5
SERVED_BY = "web-processes"
"""Says in the instance folder how many they were when it was last served."""


class State(StrEnum):
    """How a thing stands."""

    WELL = "well"
    MIND = "mind"  # works, and somebody should know
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it is, how it stands, and what to do about it."""

    what: str
    state: State
    sentence: str


def check(*, settings: Settings, now: datetime, connect: bool) -> list[Finding]:
    """Look at everything, in the reader's language.

    :param connect: speak to the mail server too, which may take some seconds
    """
    parts: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _settings(settings),
        lambda: _keys(settings),
        lambda: _files(settings),
        lambda: _database(now),
        lambda: _work(now),
        lambda: _history(settings, now),
        lambda: _calendar(now),
        lambda: _limits(settings),
        lambda: _mail(settings, connect=connect),
        lambda: _backups(settings, now),
        _people,
    )
    found: list[Finding] = []
    for part in parts:
        try:
            found += part()
        except sa.exc.SQLAlchemyError:
            db.session.rollback()
            if not any(finding.what == gettext("Database") for finding in found):
                found.append(_wrong(gettext("Database"), gettext("It does not answer, or is not migrated.")))
    return found


def _well(what: str, sentence: str) -> Finding:
    return Finding(what, State.WELL, sentence)


def _mind(what: str, sentence: str) -> Finding:
    return Finding(what, State.MIND, sentence)


def _wrong(what: str, sentence: str) -> Finding:
    return Finding(what, State.WRONG, sentence)


def _settings(settings: Settings) -> Iterator[Finding]:
    what = gettext("Settings")
    if not settings.in_production:
        yield _mind(what, gettext("For trying things out: what is unsafe is not refused (OUTREACH_PRODUCTION)."))
    else:  # in production nothing starts with unsafe ones
        yield _well(what, gettext("Nothing unsafe."))
    what, url = gettext("Address"), settings.base_url
    if config.is_loopback(urlsplit(url).hostname or ""):
        yield (_wrong if settings.in_production else _mind)(
            what, gettext("Links in messages begin with %(url)s, which only this machine can open.", url=url)
        )
    elif not url.startswith("https://"):
        yield _mind(
            what, gettext("Links begin with %(url)s: without HTTPS phones have no camera at the door.", url=url)
        )
    else:
        yield _well(what, gettext("Links begin with %(url)s.", url=url))


def _keys(settings: Settings) -> Iterator[Finding]:
    what = gettext("Keys")
    mode = stat.S_IMODE(settings.keys_file.stat().st_mode)
    if mode & 0o077:
        yield _wrong(
            what,
            gettext("Others on this machine can read %(file)s. Run: chmod 600 %(file)s", file=settings.keys_file),
        )
    ring = sealing.Keyring.read(settings.keys_file)
    if missing := key_marks.missing_from(ring, key_marks.kept_in(db.session.connection())):
        yield _wrong(what, gettext("The database was written with other keys: %(keys)s.", keys=", ".join(missing)))
    elif rotation.under_way(ring):
        yield _mind(what, gettext("A rotation was begun and is not done: run rotate-keys again."))
    else:
        yield _well(what, gettext("They are those of the database, and only their owner can read them."))


def _files(settings: Settings) -> Iterator[Finding]:
    folder = settings.instance_path
    if os.access(folder, os.W_OK | os.X_OK):
        yield _well(gettext("Files"), gettext("%(folder)s can be written to.", folder=folder))
    else:
        yield _wrong(gettext("Files"), gettext("%(folder)s cannot be written to.", folder=folder))
    usage = shutil.disk_usage(folder)
    free = gettext("%(free).1f GB of %(total).1f GB are free.", free=usage.free / 1024**3, total=usage.total / 1024**3)
    scarce = usage.free < ROOM_BYTES or usage.free < usage.total * ROOM_SHARE
    yield (_wrong if usage.free < ROOM_BYTES else _mind if scarce else _well)(gettext("Disk"), free)


def _database(now: datetime) -> Iterator[Finding]:
    what = gettext("Database")
    connection = db.session.connection()
    standing = schema.version_of(connection)
    if standing is None or not schema.knows(standing):
        yield _wrong(what, gettext("It is at version %(version)s, which is not ours.", version=standing or "–"))
    elif standing != schema.newest():
        yield _wrong(
            what,
            gettext(
                "It is at version %(old)s; this program needs %(new)s. Run: migrate", old=standing, new=schema.newest()
            ),
        )
    else:
        engine = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.dialect.name]
        yield _well(what, gettext("%(engine)s answers, at version %(version)s.", engine=engine, version=standing))
    yield from _clocks(connection, now)


def _clocks(connection: sa.Connection, now: datetime) -> Iterator[Finding]:
    what = gettext("Clocks")
    shown = gettext("It is %(moment)s here (Beijing time).", moment=f"{local(now):%Y-%m-%d %H:%M:%S}")
    apart = clock_apart(connection, now)
    newest = connection.scalar(sa.select(sa.func.max(HistoryLine.at)))
    if apart > CLOCKS_APART:
        yield _wrong(
            what,
            gettext(
                "%(shown)s The clock of the database is %(seconds)d seconds apart: set both by a time server.",
                shown=shown,
                seconds=apart.total_seconds(),
            ),
        )
    elif newest is not None and newest > now + CLOCKS_APART:
        yield _wrong(
            what,
            gettext(
                "%(shown)s The newest line of the history is of %(moment)s: some clock is or was wrong.",
                shown=shown,
                moment=moment_text(newest),
            ),
        )
    else:
        yield _well(what, shown)


def _work(now: datetime) -> Iterator[Finding]:
    what = gettext("Background work")
    oldest = oldest_due(now=now)
    failed = db.session.scalar(sa.select(sa.func.count()).where(Work.state == WorkState.FAILED)) or 0
    jobs = db.session.scalars(sa.select(Work.job).where(Work.state == WorkState.FAILED).distinct().order_by(Work.job))
    if oldest is not None and now - oldest > WAITS_AT_MOST:
        yield _wrong(
            what,
            gettext("Work has waited since %(moment)s: does a worker run?", moment=moment_text(oldest)),
        )
    else:
        yield _well(what, gettext("Nothing has waited for long."))
    if failed:
        yield _mind(
            what, gettext("%(count)d pieces of work were given up: %(jobs)s.", count=failed, jobs=", ".join(jobs))
        )


def _history(settings: Settings, now: datetime) -> Iterator[Finding]:
    what = gettext("History")
    anchored_at = verification.anchored_at(settings.instance_path)
    if anchored_at is None:
        yield _mind(what, gettext("No anchor yet: a worker sets one each night, or verify-history does."))
    elif now - anchored_at > ANCHOR_EVERY:
        yield _wrong(
            what,
            gettext("The last anchor is of %(moment)s: run verify-history.", moment=moment_text(anchored_at)),
        )
    else:
        yield _well(what, gettext("Anchored %(moment)s.", moment=moment_text(anchored_at)))


def _calendar(now: datetime) -> Iterator[Finding]:
    what = gettext("Working days")
    published = set(db.session.scalars(sa.select(CalendarYear.year)))
    today = office_day(now)
    for year in (today.year, today.year + 1):
        if year in published:
            yield _well(what, gettext("The holidays and adjusted days of %(year)d are there.", year=year))
        elif year == today.year:
            yield _wrong(
                what,
                gettext(
                    "The holidays and adjusted days of %(year)d are missing: deadlines count plain weeks. Install a "
                    "newer version and migrate.",
                    year=year,
                ),
            )
        elif today.month >= NEXT_YEAR_FROM:
            yield _mind(
                what,
                gettext(
                    "The holidays and adjusted days of %(year)d are missing: deadlines that reach into it count plain "
                    "weeks. They come with a newer version, once the State Council has announced them.",
                    year=year,
                ),
            )


def note_served(settings: Settings, processes: int) -> None:
    """Keep by how many web processes this installation is served on this machine, for who looks through it later."""
    (settings.instance_path / SERVED_BY).write_text(str(processes))


def _limits(settings: Settings) -> Iterator[Finding]:
    what = gettext("Limits")
    try:
        processes = int((settings.instance_path / SERVED_BY).read_text())
    except (OSError, ValueError):
        processes = 1
    if settings.redis_url is not None:
        if storage_from_string(settings.redis_url.get_secret_value(), socket_connect_timeout=PATIENCE_SECONDS).check():
            yield _well(what, gettext("Redis answers: all processes count attempts together."))
        else:
            yield _wrong(what, gettext("Redis does not answer: each process counts attempts for itself."))
    elif processes > 1:
        yield _mind(
            what,
            gettext(
                "%(count)d web processes count attempts each for itself, so %(count)d times as many get through. Set "
                "OUTREACH_REDIS_URL.",
                count=processes,
            ),
        )
    else:
        yield _well(what, gettext("One process counts all attempts."))


def _mail(settings: Settings, *, connect: bool) -> Iterator[Finding]:
    what = gettext("Mail")
    if settings.smtp_host is None:
        yield _mind(what, gettext("No mail server is set: mails wait until one is (OUTREACH_SMTP_HOST)."))
        return
    server = f"{settings.smtp_host}:{settings.smtp_port}"
    if not connect:
        yield _well(what, gettext("%(server)s carries the mails.", server=server))
        return
    try:
        talk = smtplib.SMTP_SSL if settings.smtp_security == "tls" else smtplib.SMTP
        with talk(settings.smtp_host, settings.smtp_port, timeout=PATIENCE_SECONDS):
            pass
    except (OSError, smtplib.SMTPException) as error:
        yield _wrong(
            what, gettext("%(server)s does not answer (%(error)s).", server=server, error=type(error).__name__)
        )
    else:
        yield _well(what, gettext("%(server)s answers.", server=server))


def _backups(settings: Settings, now: datetime) -> Iterator[Finding]:
    what = gettext("Backups")
    made_at = last_made(settings)
    if made_at is None:
        yield _mind(what, gettext("None was made of this installation yet."))
    elif now - made_at > BACKUP_EVERY:
        yield _wrong(what, gettext("The last one is of %(moment)s.", moment=moment_text(made_at)))
    else:
        yield _well(what, gettext("The last one is of %(moment)s.", moment=moment_text(made_at)))


def _people() -> Iterator[Finding]:
    what = gettext("Administrators")
    if installation() is None:
        yield _mind(what, gettext("The city is not set up yet: open /desk/setup."))
        return
    able = [account for account in administrators_of_everything() if account.is_activated]
    if able:
        yield _well(what, gettext("%(count)d can sign in.", count=len(able)))
    else:
        yield _wrong(what, gettext("None can sign in. Run: create-admin USERNAME"))
