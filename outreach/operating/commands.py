"""Commands of an operator, run as `flask --app wsgi <command>`."""

import gc
import logging
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_babel import force_locale, gettext

from outreach.config import ROOT, Settings, SettingsRefused
from outreach.events.models import EVENTS_BY_WORDS, Event
from outreach.kernel import calendar_days, key_marks, outbox, sealing, setup_code, timetable
from outreach.kernel.clock import now
from outreach.kernel.database import CLOCKS_APART, clock_apart, db
from outreach.kernel.refusals import Refused
from outreach.operating import administrators, backup, checking, erasures, rotation, schema, serving, verification
from outreach.operating.checking import State
from outreach.operating.locked_file import Secret
from outreach.organisations.queries import installation
from outreach.people.models import PEOPLE_BY_WORDS, Person
from outreach.signing_in.rules import LINK_LASTS
from outreach.web.filters import moment_text
from outreach.web.forms import sentence_of

log = logging.getLogger("outreach.worker")
IDLE_SECONDS = 0.4
CLOCK_SECONDS = 10
SIGNS = {State.WELL: "✓", State.MIND: "!", State.WRONG: "✗"}
PUBLISHED_SINCE = 2024
AT_ONCE = 1000


@click.command("migrate")
@with_appcontext
def migrate() -> None:
    """Bring the database to this version and fill in the published calendars."""
    with in_words():
        with db.engine.connect() as connection:
            standing = schema.version_of(connection)
        if standing not in {None, schema.newest()} and schema.knows(standing):
            click.echo(gettext("The database changes now. A backup made before is the way back: flask backup"))
        bring_up_to_date()
        click.echo(gettext("The database is at version %(version)s.", version=schema.newest()))


def bring_up_to_date() -> None:
    """Migrate the database, fill in the published calendars, and commit.

    :raises NewerDatabase: if a later version of the program has migrated it
    """
    with db.engine.begin() as connection:
        schema.migrate(connection)
    calendar_days.seed(first=PUBLISHED_SINCE, last=now().year + 1)
    if not key_marks.kept_in(db.session.connection()):
        key_marks.note(db.session(), sealing.ring())
    db.session.commit()


def refuse_the_demo(settings: Settings) -> None:
    """Stop where others depend on an installation that holds the city of the demo.

    :raises SettingsRefused: because everybody knows its passwords
    """
    city = installation()
    if settings.in_production and city is not None and city.is_demo:
        raise SettingsRefused(
            f"Outreach does not start: {settings.base_url} is used by others, and this is not safe.",
            ["The database holds the city of the demo, whose passwords everybody knows. Begin with an empty one."],
        )


@click.command("rebuild-search")
@with_appcontext
def rebuild_search() -> None:
    """Write anew the words by which people and events are found, while the system runs; until then they are not."""
    for model, index in ((Person, PEOPLE_BY_WORDS), (Event, EVENTS_BY_WORDS)):
        index.empty()
        done, after, more = 0, 0, 1
        while more:
            after, more = index.write_anew(model, after=after, limit=AT_ONCE)
            db.session.commit()
            done += more
        click.echo(f"{model.__tablename__}: {done} can be found.")


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Do what the outbox holds, until stopped. Run as many as you like."""
    refuse_the_demo(current_app.config["SETTINGS"])
    db.session.remove()  # or what was just looked up would hold SQLite's write lock for as long as the worker runs
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through it for garbage takes a quarter of the time of a long job
    work_until(current_app._get_current_object(), stop)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--threads", default=16, show_default=True, help="Pages made at once, in each process.")
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes, and one more for background work.")
@with_appcontext
def serve(host: str, port: int, threads: int, workers: int | None) -> None:
    """Bring the database up to date, then serve pages and do background work: in this process, or in several."""
    app = current_app._get_current_object()
    settings = app.config["SETTINGS"]
    if "base_url" not in settings.model_fields_set:
        settings = settings.model_copy(update={"base_url": f"http://{host}:{port}"})
        app.config["SETTINGS"] = settings
    bring_up_to_date()
    refuse_the_demo(settings)
    click.echo(f"雁来: http://{host}:{port}")
    if installation() is None:
        code = setup_code.read_or_make(Path(settings.instance_path))
        click.echo(f"First set-up 首次设置: http://{host}:{port}/desk/setup  (from another machine 从别的机器: {code})")
    checking.note_served(settings, workers or 1)
    db.session.remove()  # or this thread would hold SQLite's write lock for as long as the pages are served
    if workers is None:
        serve_alone(app, host=host, port=port, threads=threads)
    else:
        db.engine.dispose()
        if workers > 1 and settings.redis_url is None:
            log.warning("OUTREACH_REDIS_URL is not set: each web process counts attempts for itself")
        serving.serve_together(host=host, port=port, workers=workers, threads=threads, base_url=settings.base_url)


def serve_alone(app: Flask, *, host: str, port: int, threads: int) -> None:
    """Serve the pages and do background work in this one process."""
    import waitress  # noqa: PLC0415 -- only a small installation needs it

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the worker ends its piece of work
    stop = threading.Event()
    at_work = threading.Thread(target=work_until, args=(app, stop), name="worker", daemon=True)
    at_work.start()
    try:
        # Whom proxies name as the caller is judged by the application (OUTREACH_TRUSTED_PROXIES).
        waitress.serve(app, host=host, port=port, threads=threads, ident=None, clear_untrusted_proxy_headers=False)
    finally:
        stop.set()
        at_work.join(timeout=10)


def work_until(app: Flask, stop: threading.Event) -> None:
    """Claim and do work until told to stop, begin what is due each night; a database that goes away is waited for."""
    looked_at = None
    while not stop.is_set():
        try:
            with app.app_context():
                if looked_at is None or abs(now() - looked_at) >= timetable.LOOKED_AT_EVERY:
                    apart = clock_apart(db.session.connection(), now())
                    if apart > CLOCKS_APART:  # we would take what others are at, or leave it for too long
                        log.error("the clock is off: no work is done", extra={"seconds": int(apart.total_seconds())})
                        db.session.rollback()
                        stop.wait(CLOCK_SECONDS)
                        continue
                    timetable.tick(now=now())
                    db.session.commit()
                    looked_at = now()
                work = outbox.claim(now=now())
                if work is not None:
                    outbox.perform(work, now=now())
                    continue
        except sa.exc.OperationalError as error:
            log.warning("the database does not answer: %s", type(error).__name__)
            time.sleep(2)
        stop.wait(IDLE_SECONDS)


def locked_by(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what locks a backup."""
    for option in (
        click.option(
            "--key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="32 random bytes."
        ),
        click.option(
            "--passphrase-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Its first line is the passphrase; without either you are asked for one.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def in_words() -> Iterator[None]:
    """Speak the language of the installation, and say refusals as sentences."""
    with force_locale(current_app.config["SETTINGS"].language):
        try:
            yield
        except Refused as refusal:
            db.session.rollback()
            raise click.ClickException(sentence_of(refusal)) from refusal


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@locked_by
@click.option("--keep", type=click.IntRange(1), help="With a folder: remove all but this many of its backups.")
@with_appcontext
def make_backup(file: Path, key_file: Path | None, passphrase_file: Path | None, keep: int | None) -> None:
    """Write everything into one locked FILE while the system runs; into a folder under a name with the time."""
    folder, moment = (file if file.is_dir() else None), now()
    if keep and folder is None:
        raise click.UsageError("--keep needs a folder")
    file = folder / backup.NAMED.format(moment) if folder else file
    with in_words():
        secret = _secret(key_file, passphrase_file, twice=True)
        contents = backup.make(path=file, secret=secret, settings=current_app.config["SETTINGS"], now=moment)
        click.echo(
            gettext(
                "%(file)s: %(rows)d rows of %(tables)d tables, %(files)d files, %(bytes)d bytes",
                file=file,
                rows=contents.total,
                tables=len(contents.rows),
                files=contents.files,
                bytes=file.stat().st_size,
            )
        )
        for old in backup.keep_newest(folder, keep) if folder and keep else ():
            click.echo(gettext("Removed the older backup %(file)s", file=old))


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@locked_by
@click.option("--check", "only_check", is_flag=True, help="Read the whole file and say what is in it; change nothing.")
@click.option("--replace", is_flag=True, help="Take away everything that is here now.")
@with_appcontext
def restore_backup(
    file: Path, key_file: Path | None, passphrase_file: Path | None, only_check: bool, replace: bool
) -> None:
    """Put a backup into this installation, which must be empty and stopped."""
    with in_words():
        secret = _secret(key_file, passphrase_file, twice=False)
        if only_check:
            contents = backup.check(path=file, secret=secret)
            click.echo(gettext("The backup is whole."))
        else:
            settings = current_app.config["SETTINGS"]
            restored = backup.restore(path=file, secret=secret, settings=settings, replace=replace, now=now())
            contents = restored.contents
            click.echo(gettext("The backup is restored."))
            for sentence in _said_of_erasures(restored, settings.instance_path):
                click.echo(sentence)
        click.echo(
            gettext(
                "Made %(moment)s by version %(version)s: %(rows)d rows of %(tables)d tables, %(files)d files",
                moment=moment_text(datetime.fromisoformat(contents.made_at)),
                version=contents.version,
                rows=contents.total,
                tables=len(contents.rows),
                files=contents.files,
            )
        )


def _said_of_erasures(restored: backup.Restored, folder: Path) -> Iterator[str]:
    if restored.known_here or restored.again.people or restored.again.consents:
        yield gettext(
            "Erased since it was made, and now erased again: %(people)d people; consents taken back: %(consents)d.",
            people=restored.again.people,
            consents=restored.again.consents,
        )
    if not restored.known_here:
        yield gettext(
            "This machine has no %(ledger)s: whoever was erased after the backup was made may be back. Copy that file "
            "from the machine that ran until now into %(folder)s and restore once more with --replace.",
            ledger=erasures.LEDGER,
            folder=folder,
        )
    if restored.again.foreign:
        yield gettext(
            "%(count)d lines of %(ledger)s are another installation's or were altered: they were left alone.",
            count=restored.again.foreign,
            ledger=erasures.LEDGER,
        )


def _secret(key_file: Path | None, passphrase_file: Path | None, *, twice: bool) -> Secret:
    if key_file and passphrase_file:
        raise click.UsageError("--key-file or --passphrase-file, not both")
    if key_file:
        return Secret.key_file(key_file)
    if passphrase_file:
        return Secret.passphrase((passphrase_file.read_text().splitlines() or [""])[0])
    return Secret.passphrase(click.prompt(gettext("Passphrase"), hide_input=True, confirmation_prompt=twice))


@click.command("rotate-keys")
@with_appcontext
def rotate_keys() -> None:
    """Change the keys while the system runs, and write everything anew under them; run again if it was broken off."""

    def tell(progress: rotation.Progress) -> None:
        click.echo(gettext("%(table)s: %(values)d values", table=progress.table, values=progress.values))

    with in_words():
        rotation.rotate(keys_file=current_app.config["SETTINGS"].keys_file, now=now(), tell=tell)
        click.echo(gettext("Everything stands under the new keys; the old ones are gone. Make a backup now."))


@click.command("verify-history")
@with_appcontext
def verify_history() -> None:
    """Read the whole history and say what in it is not as it was written; then set an anchor, if all of it is."""
    settings, moment = current_app.config["SETTINGS"], now()
    with in_words():
        verdict = verification.verify(
            folder=settings.instance_path,
            tell=lambda rows: click.echo(gettext("%(rows)d rows read …", rows=rows), err=True),
        )
        for sentence in verification.sentences(verdict):
            click.echo(sentence)
        if not verdict.whole:
            raise click.exceptions.Exit(1)
        verification.set_anchor(folder=settings.instance_path, now=moment)


@click.command("check")
@with_appcontext
def check() -> None:
    """Look whether everything is as it should be, line by line; ends with 1 if something is wrong."""
    with in_words():
        found = checking.check(settings=current_app.config["SETTINGS"], now=now(), connect=True)
        for finding in found:
            click.echo(f"{SIGNS[finding.state]} {finding.what}: {finding.sentence}")
    if any(finding.state is State.WRONG for finding in found):
        raise click.exceptions.Exit(1)


@click.command("create-admin")
@click.argument("username")
@click.option("--name", help="What to call the person of a new account.")
@with_appcontext
def create_admin(username: str, name: str | None) -> None:
    """Let somebody in as administrator: make or open the account USERNAME and print a one-time link."""
    with in_words():
        account, token = administrators.let_in(username=username, name=name, now=now())
        db.session.commit()
        url = f"{current_app.config['SETTINGS'].base_url.rstrip('/')}/activate/{token}"
        click.echo(
            gettext(
                "%(name)s (%(username)s) administers everything. Choose a password within %(days)d days, once, at:",
                name=account.name,
                username=account.username,
                days=LINK_LASTS.days,
            )
        )
        click.echo(url)


@click.command("write-first-migration", hidden=True)
@with_appcontext
def write_first_migration() -> None:
    """Write the first migration anew from the models, against an empty OUTREACH_INSTANCE_PATH; until a release."""
    import flask_migrate  # noqa: PLC0415 -- nothing else needs it

    schema.migrations()
    versions = ROOT / "migrations" / "versions"
    for old in versions.glob("0001_*.py"):
        old.unlink()
    guards = versions / "0002_guards.py"
    aside = Path(str(guards) + ".aside")
    shutil.move(guards, aside)
    try:
        flask_migrate.revision(
            directory=str(ROOT / "migrations"),
            message="schema",
            autogenerate=True,
            rev_id="0001",
            head="base",
        )
    finally:
        shutil.move(aside, guards)


COMMANDS = (
    migrate,
    worker,
    serve,
    make_backup,
    restore_backup,
    rotate_keys,
    verify_history,
    check,
    create_admin,
    write_first_migration,
    rebuild_search,
)
