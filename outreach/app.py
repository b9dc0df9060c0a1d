"""The composition root: the only module that knows every feature."""

from collections.abc import Iterator
from datetime import time
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g, request, session, url_for
from flask_babel import gettext
from flask_login import LoginManager, current_user
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import outreach.cases.documents
import outreach.cases.documents.bulletin
import outreach.cases.imports
import outreach.cases.models
import outreach.cases.queries
import outreach.cases.receivers
import outreach.cases.views.desk
import outreach.cases.views.public
import outreach.cases.views.rates
import outreach.cases.views.standard
import outreach.cases.views.steps
import outreach.demo.commands
import outreach.desk.documents
import outreach.desk.views
import outreach.door.models
import outreach.door.receivers
import outreach.door.views.desk
import outreach.door.views.phone
import outreach.events.signals
import outreach.events.views
import outreach.expert_visits.imports
import outreach.exports.models
import outreach.exports.operations
import outreach.exports.queries
import outreach.exports.rules.offers
import outreach.exports.views
import outreach.fairs.imports
import outreach.intake.models
import outreach.intake.rules
import outreach.intake.views
import outreach.kernel.calendar_days
import outreach.kernel.history
import outreach.liaison.documents
import outreach.liaison.documents.handing_over
import outreach.liaison.imports
import outreach.liaison.models
import outreach.liaison.queries
import outreach.liaison.queries.visits
import outreach.liaison.receivers
import outreach.liaison.views.desk
import outreach.liaison.views.handing_over
import outreach.liaison.views.plans
import outreach.liaison.views.public
import outreach.liaison.views.reviewing
import outreach.liaison.views.surveys
import outreach.liaison.views.visits
import outreach.notices.models
import outreach.notices.receivers
import outreach.notices.views
import outreach.operating.commands
import outreach.operating.receivers
import outreach.operating.views
import outreach.organisations.documents
import outreach.organisations.imports
import outreach.organisations.queries
import outreach.organisations.signals
import outreach.organisations.views.city
import outreach.organisations.views.desk
import outreach.organisations.views.leave
import outreach.organisations.views.public
import outreach.organisations.views.working_days
import outreach.people.documents
import outreach.people.imports
import outreach.people.operations
import outreach.people.queries
import outreach.people.queries.doubles
import outreach.people.receivers
import outreach.people.rules.merging
import outreach.people.signals
import outreach.people.views.city_lists
import outreach.people.views.desk
import outreach.people.views.doubles
import outreach.portal.views
import outreach.privacy.models
import outreach.privacy.receivers
import outreach.privacy.rules
import outreach.privacy.signals
import outreach.privacy.views.desk
import outreach.privacy.views.public
import outreach.programmes.views
import outreach.registration.imports
import outreach.registration.queries
import outreach.registration.receivers
import outreach.registration.signals
import outreach.registration.views.desk
import outreach.registration.views.public
import outreach.setup.views
import outreach.signing_in.views.desk
import outreach.signing_in.views.public
import outreach.venues.views
import outreach.web.views
from outreach import config
from outreach.config import ROOT, Settings
from outreach.kernel import key_marks, logs, sealing, timetable
from outreach.kernel.clock import now
from outreach.kernel.database import POOL, db, engine_options, writing
from outreach.kernel.wording import N_
from outreach.organisations.rules import Permission
from outreach.web import (
    access,
    assets,
    errors,
    filters,
    headers,
    language,
    limits,
    qr,
    request_log,
    sessions,
    unit_of_work,
    wellformed,
)

BLUEPRINTS = (
    outreach.web.views.blueprint,
    outreach.setup.views.blueprint,
    outreach.operating.views.blueprint,
    outreach.intake.views.blueprint,
    outreach.exports.views.blueprint,
    outreach.people.views.city_lists.blueprint,
    outreach.people.views.desk.blueprint,
    outreach.people.views.doubles.blueprint,
    outreach.notices.views.blueprint,
    outreach.desk.views.blueprint,
    outreach.liaison.views.desk.blueprint,
    outreach.liaison.views.plans.blueprint,
    outreach.liaison.views.handing_over.blueprint,
    outreach.liaison.views.reviewing.blueprint,
    outreach.liaison.views.surveys.blueprint,
    outreach.liaison.views.public.blueprint,
    outreach.liaison.views.visits.blueprint,
    outreach.organisations.views.desk.blueprint,
    outreach.organisations.views.city.blueprint,
    outreach.organisations.views.leave.blueprint,
    outreach.organisations.views.working_days.blueprint,
    outreach.organisations.views.public.blueprint,
    outreach.signing_in.views.desk.blueprint,
    outreach.signing_in.views.public.blueprint,
    outreach.cases.views.desk.blueprint,
    outreach.cases.views.public.blueprint,
    outreach.door.views.desk.blueprint,
    outreach.door.views.phone.blueprint,
    outreach.registration.views.desk.blueprint,
    outreach.registration.views.public.blueprint,
    outreach.events.views.blueprint,
    outreach.programmes.views.blueprint,
    outreach.venues.views.blueprint,
    outreach.portal.views.blueprint,
    outreach.privacy.views.desk.blueprint,
    outreach.privacy.views.public.blueprint,
)
COMMANDS = (outreach.operating.commands.COMMANDS, outreach.demo.commands.COMMANDS)
RECEIVERS = (
    (outreach.organisations.signals.working_days_changed, outreach.cases.receivers.count_deadlines_again),
    (outreach.organisations.signals.places_changed, outreach.people.receivers.judge_again_who_is_away),
    (outreach.events.signals.event_cancelled, outreach.registration.receivers.cancel_registrations),
    (outreach.events.signals.event_moved, outreach.registration.receivers.tell_those_registered),
    (outreach.events.signals.capacity_changed, outreach.registration.receivers.move_up),
    (outreach.registration.signals.withdrawing, outreach.door.receivers.keep_who_came_in),
    (outreach.people.signals.people_merging, outreach.registration.receivers.settle_twice),
    (outreach.people.signals.people_merging, outreach.liaison.receivers.settle_twice),
    (outreach.people.signals.merge_undone, outreach.registration.receivers.restore),
    (outreach.people.signals.contact_ended, outreach.notices.receivers.hold_back),
    (outreach.people.signals.contact_ended, outreach.cases.receivers.move_away),
    (outreach.people.signals.contact_ended, outreach.registration.receivers.move_away),
    (outreach.people.signals.contact_ended, outreach.liaison.receivers.void_links),
    (outreach.people.signals.people_merging, outreach.privacy.receivers.not_while_being_erased),
    (outreach.people.signals.merge_undone, outreach.liaison.receivers.restore),
    (outreach.privacy.signals.given_up, outreach.operating.receivers.note_outside),
)
ROWS_OF_A_PERSON = (
    *outreach.notices.rules.ROWS_OF_A_PERSON,
    *outreach.cases.rules.ROWS_OF_A_PERSON,
    *outreach.registration.rules.ROWS_OF_A_PERSON,
    *outreach.liaison.rules.ROWS_OF_A_PERSON,
    *outreach.privacy.rules.ROWS_OF_A_PERSON,
)
ROWS_NAMED = {
    "registrations": outreach.registration.queries.name_rows,
    "cases": outreach.cases.queries.name_rows,
    "pairings": outreach.liaison.queries.name_pairings,
    "visit_talents": outreach.liaison.queries.visits.name_visits,
    "person_contacts": outreach.people.queries.doubles.name_contacts,
}
IMPORTERS: tuple[outreach.intake.rules.Importer, ...] = (
    outreach.organisations.imports.IMPORTER,
    outreach.people.imports.TALENTS,
    outreach.liaison.imports.IMPORTER,
    outreach.cases.imports.IMPORTER,
    outreach.registration.imports.IMPORTER,
    outreach.fairs.imports.IMPORTER,
    outreach.expert_visits.imports.IMPORTER,
)
EXPORTED: tuple[outreach.exports.rules.offers.Offer, ...] = (
    outreach.people.documents.PEOPLE,
    outreach.desk.documents.EVENTS,
    outreach.desk.documents.REGISTRATIONS,
    outreach.cases.documents.CASES,
    outreach.cases.documents.CASE_SHEET,
    outreach.cases.documents.bulletin.BULLETIN,
    outreach.liaison.documents.PAIRINGS,
    outreach.liaison.documents.VISITS,
    outreach.liaison.documents.handing_over.SHEET,
    outreach.organisations.documents.ORGANISATIONS,
    outreach.organisations.documents.ACCOUNTS,
)
# What a worker begins every night, at a time on the office's clocks: timetable.Errand("feature.job", time(3, 10))
ERRANDS: tuple[timetable.Errand, ...] = (
    timetable.Errand("exports.delete_expired", time(2, 40)),
    timetable.Errand("privacy.retain", time(3, 10)),
    timetable.Errand("operating.anchor_history", time(3, 40)),
    timetable.Errand("operating.note_erasures", time(3, 50)),
    timetable.Errand("cases.climb", time(8, 40)),
    timetable.Errand("liaison.digest", time(7, 30)),
)

NAVIGATION: tuple[tuple[str | None, tuple[tuple[str, str, str, tuple[Permission, ...]], ...]], ...] = (
    (
        None,
        (
            (N_("Today"), "desk.today", "home", ()),
            (
                N_("Events"),
                "events.index",
                "calendar",
                (Permission.EVENT_READ, Permission.EVENT_EDIT, Permission.EVENT_APPROVE),
            ),
            (
                N_("Requests"),
                "cases.index",
                "flag",
                (
                    Permission.CASE_REGISTER,
                    Permission.CASE_ASSIGN,
                    Permission.CASE_HANDLE,
                    Permission.CASE_SUPERVISE,
                ),
            ),
            (N_("Liaison"), "liaison.index", "link", (Permission.VISIT_LOG, Permission.PAIRING_READ)),
            (N_("Talents"), "people.index", "users", (Permission.PEOPLE_READ,)),
        ),
    ),
    (
        N_("Business"),
        (
            (
                N_("Programmes"),
                "programmes.index",
                "star",
                (Permission.PROGRAMME_EDIT, Permission.EVENT_READ),
            ),
            (N_("Venues"), "venues.index", "building", (Permission.EVENT_EDIT,)),
            (N_("Import"), "intake.index", "up", (Permission.PEOPLE_IMPORT, Permission.ADMINISTER)),
            (N_("Exports"), "exports.index", "file", (Permission.EXPORT, Permission.EXPORT_OVERSEE)),
        ),
    ),
    (
        N_("Administration"),
        (
            (N_("Organisations"), "organisations.index", "tree", (Permission.ADMINISTER,)),
            (N_("Accounts"), "organisations.accounts", "user", (Permission.ADMINISTER,)),
            (N_("Leave"), "leave.units", "clock", (Permission.ADMINISTER,)),
            (N_("Our city"), "city.show", "globe", (Permission.CITY_EDIT,)),
            (N_("Working days"), "working_days.index", "calendar", (Permission.CITY_EDIT,)),
            (N_("Classes and fields"), "city_lists.index", "star", (Permission.CITY_EDIT,)),
            (N_("Personal data"), "privacy.index", "shield", (Permission.PEOPLE_EDIT, Permission.PRIVACY_RULES)),
            (N_("SMS gateway"), "notices.sms", "message", (Permission.SMS_PAGE,)),
            (N_("System check"), "operating.check", "set", (Permission.ADMINISTER,)),
        ),
    ),
)


class Application(Flask):
    """Flask, told once that no view and no hook of ours is asynchronous: it looks at each of them in every request."""

    def ensure_sync(self, func: Any) -> Any:
        """Return the function as it is."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application.

    :raises config.SettingsRefused: if a setting is wrong, or unsafe where others depend on it
    :raises config.SettingsRefused: also if the keys are gone, damaged, or not those of the database
    """
    settings = settings or config.load()
    settings.instance_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.refuse_unsafe(settings)
    logs.configure(in_production=settings.in_production)
    sealing.use(_keys(settings), settings.keys_file)
    app = Application(
        "outreach",
        root_path=str(ROOT / "outreach"),
        template_folder="../templates",
        static_folder="../static",
        instance_path=str(settings.instance_path.resolve()),
    )
    secure = settings.base_url.startswith("https://")
    app.config.update(
        SETTINGS=settings,
        SQLALCHEMY_DATABASE_URI=settings.database,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database) | POOL,
        MAX_CONTENT_LENGTH=settings.upload_megabytes * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=8 * 1024 * 1024,  # 2 MB of Chinese pasted into a field, as browsers send it
        SESSION_COOKIE_NAME="outreach",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        WTF_CSRF_TIME_LIMIT=None,  # a visit may lie open for an evening; the session's own life limits it
        WTF_CSRF_SSL_STRICT=False,  # behind a proxy without HTTPS the referrer rule would refuse everybody
        SEND_FILE_MAX_AGE_DEFAULT=31536000,  # built names carry a hash of their content
        JSON_AS_ASCII=False,
    )
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, *[settings.trusted_proxies] * 3
        )
    sessions.mount(app)
    db.init_app(app)
    CSRFProtect(app).exempt(outreach.door.views.phone.read)
    request_log.mount(app)
    wellformed.mount(app)
    unit_of_work.mount(app)
    headers.mount(app)
    language.mount(app, of_the_city=_language_of_the_city)
    filters.mount(app)
    assets.mount(app)
    qr.mount(app)
    errors.mount(app)
    limits.mount(app)
    _mount_sign_in(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for commands in COMMANDS:
        for command in commands:
            app.cli.add_command(command)
    for signal, receiver in RECEIVERS:
        signal.connect(receiver)
    outreach.intake.rules.register(*IMPORTERS)
    outreach.exports.rules.offers.register(*EXPORTED)
    outreach.exports.queries.account_of[:] = [outreach.organisations.queries.account_on]
    outreach.exports.queries.overseen[:] = [outreach.organisations.queries.units_overseen]
    outreach.exports.operations.concerned[:] = [outreach.people.operations.note_exported]
    outreach.people.rules.merging.declare(ROWS_OF_A_PERSON)
    outreach.people.queries.doubles.namers.update(ROWS_NAMED)
    access.holders[:] = [outreach.people.queries.is_held]
    timetable.keep(ERRANDS)
    outreach.cases.queries.followed_people[:] = [outreach.liaison.queries.paired_people]
    outreach.cases.queries.origins[:] = [outreach.liaison.queries.visits.origin_of]
    app.context_processor(_shared)
    # Imported macros see globals only, not what context processors add.
    app.jinja_env.globals.update(offers=_offers, current_user=current_user, city_mark=_city_mark)
    return app


def _keys(settings: Settings) -> sealing.Keyring:
    """Return the keys of this installation, made with a new one only.

    :raises SettingsRefused: if there are none, or others, than those its database was written with
    """
    try:
        kept = _marks(settings)
        if not settings.keys_file.exists() and not kept:
            sealing.Keyring.fresh().write(settings.keys_file)
    except FileExistsError:  # another worker process was quicker
        pass
    try:
        ring = sealing.Keyring.read(settings.keys_file)
    except FileNotFoundError as error:
        raise config.SettingsRefused(
            f"Outreach does not start: {settings.keys_file} is gone, but there is a database written with those keys.",
            ["Put the file back from where you keep it, or restore a backup. Nobody can read the data without it."],
        ) from error
    except ValueError as error:
        raise config.SettingsRefused(
            f"Outreach does not start: {settings.keys_file} is damaged ({error}).",
            ["Put the file back from where you keep it, or restore a backup."],
        ) from error
    if kept and (missing := key_marks.missing_from(ring, kept)):
        raise config.SettingsRefused(
            f"Outreach does not start: the keys in {settings.keys_file} are not those of this database.",
            [
                f"The database was written with others: {', '.join(missing)}. Put the right file there, or correct "
                "OUTREACH_DATABASE_URL."
            ],
        )
    return ring


def _marks(settings: Settings) -> dict[str, str] | None:
    """Return the fingerprints of the keys the database was written with; None while it does not answer.

    :raises SettingsRefused: where it does not answer and there are no keys: new ones might be the wrong ones
    """
    if settings.database_url is None and not (settings.instance_path / "outreach.db").exists():
        return {}  # connecting would make an empty file
    engine = sa.create_engine(settings.database, poolclass=sa.NullPool, **engine_options(settings.database))
    token = writing.set(False)
    try:
        with engine.connect() as connection:
            return key_marks.kept_in(connection)
    except sa.exc.OperationalError as error:
        if settings.keys_file.exists():
            return None
        raise config.SettingsRefused(
            "Outreach does not start: the database does not answer.",
            [f"There is no {settings.keys_file} either, so it cannot be told whether new keys are to be made."],
        ) from error
    finally:
        writing.reset(token)
        engine.dispose()


def _mount_sign_in(app: Flask) -> None:
    login = LoginManager(app)
    login.login_view = "signing_in.password"
    login.login_message = None
    login.user_loader(_reader)


def _reader(kept: str) -> Any:
    return None if g.get("without_database") else outreach.organisations.queries.account_of_session(kept, now=now())


def _shared() -> dict[str, Any]:
    return {
        "installation": None if g.get("without_database") else outreach.organisations.queries.installation(),
        "navigation": _navigation,
        "theme": session.get("theme", "auto"),
        "locale": language.chosen(),
    }


def _offers(endpoint: str) -> bool:
    """Tell whether a page is there: layouts leave out the ways to features that are not mounted."""
    return endpoint in current_app.view_functions


def _language_of_the_city() -> str | None:
    return None if g.get("without_database") else outreach.organisations.queries.language_lately(now=now())


def _city_mark() -> str | None:
    """Return the address of the city's own mark, or None where it has none and shows the geese."""
    city = None if g.get("without_database") else outreach.organisations.queries.installation()
    return url_for("organisations_public.mark", v=city.mark.digest) if city and city.mark else None


def _place_in_the_rail() -> str | None:
    """Return the endpoint of the entry that this page lies below: by its address, or else by its feature."""
    places = {
        endpoint: url_for(endpoint) for _, entries in NAVIGATION for _, endpoint, *_ in entries if _offers(endpoint)
    }
    if request.endpoint in places:
        return request.endpoint
    places.pop("desk.today", None)  # every address of the desk lies below its first page
    above = [endpoint for endpoint, url in places.items() if request.path.startswith(url.rstrip("/") + "/")]
    if above:
        return max(above, key=lambda endpoint: len(places[endpoint]))
    return next((endpoint for endpoint in places if endpoint.partition(".")[0] == request.blueprint), None)


def _navigation() -> Iterator[dict[str, Any]]:
    """Yield the sections of the desk's rail that the reader may enter."""
    current = _place_in_the_rail()
    for title, entries in NAVIGATION:
        items = [
            {
                "label": gettext(label),
                "url": url_for(endpoint),
                "icon": icon,
                "current": endpoint == current,
            }
            for label, endpoint, icon, permissions in entries
            if _offers(endpoint)
            and (not permissions or any(current_user.may(permission) for permission in permissions))
        ]
        if items:
            yield {"title": gettext(title) if title else None, "items": items}
