"""Commands of an operator, run as `flask --app wsgi <command>`."""

import logging
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import click
import flask_migrate
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import with_appcontext

from outreach.config import ROOT, Settings, SettingsRefused
from outreach.kernel import calendar_days, outbox, setup_code, timetable
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.queries import installation
from outreach.people import operations as people

log = logging.getLogger("outreach.worker")
IDLE_SECONDS = 0.4
PUBLISHED_SINCE = 2024
PEOPLE_AT_ONCE = 1000


@click.command("upgrade-database")
@with_appcontext
def upgrade_database() -> None:
    """Bring the database to this version and fill in the published calendars."""
    bring_up_to_date()


def bring_up_to_date() -> None:
    """Migrate the database, fill in the published calendars, and commit."""
    flask_migrate.upgrade(directory=str(ROOT / "migrations"))
    calendar_days.seed(first=PUBLISHED_SINCE, last=now().year + 1)
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
    """Write anew the words by which people are found, while the system runs; what is not written yet is not found."""
    people.forget_words()
    db.session.commit()
    done, after, more = 0, 0, 1
    while more:
        after, more = people.index_people(after=after, limit=PEOPLE_AT_ONCE)
        db.session.commit()
        done += more
    click.echo(f"{done} people can be found.")


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Do what the outbox holds, until stopped. Run as many as you like."""
    refuse_the_demo(current_app.config["SETTINGS"])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    work_until(current_app._get_current_object(), stop)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--threads", default=8, show_default=True)
@with_appcontext
def serve(host: str, port: int, threads: int) -> None:
    """Serve a small installation: the pages and the worker in this one process."""
    import waitress  # noqa: PLC0415 -- only this command needs it

    app = current_app._get_current_object()
    settings = app.config["SETTINGS"]
    if "base_url" not in settings.model_fields_set:
        app.config["SETTINGS"] = settings.model_copy(update={"base_url": f"http://{host}:{port}"})
    bring_up_to_date()
    refuse_the_demo(settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the worker ends its piece of work
    stop = threading.Event()
    at_work = threading.Thread(target=work_until, args=(app, stop), name="worker", daemon=True)
    at_work.start()
    click.echo(f"雁来: http://{host}:{port}")
    if installation() is None:
        code = setup_code.read_or_make(Path(app.config["SETTINGS"].instance_path))
        click.echo(f"First set-up 首次设置: http://{host}:{port}/desk/setup  (from another machine 从别的机器: {code})")
    db.session.remove()  # or this thread would hold SQLite's write lock for as long as the pages are served
    try:
        waitress.serve(app, host=host, port=port, threads=threads, ident=None)
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


@click.command("write-first-migration", hidden=True)
@with_appcontext
def write_first_migration() -> None:
    """Write the first migration anew from the models, against an empty OUTREACH_INSTANCE_PATH; until a release."""
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


COMMANDS = (upgrade_database, rebuild_search, worker, serve, write_first_migration)
