"""Taking lists out: what is wanted and why, how far it is, the file, and the log of everybody's."""

from io import BytesIO

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.exports import operations, queries
from outreach.exports.forms import ExportForm
from outreach.exports.rules import (
    FULL_ROWS_A_DAY,
    KEPT,
    ROWS_A_DAY,
    SHORTEST_REASON,
    ExportState,
    FileGone,
    Format,
)
from outreach.exports.rules.offers import Asked, Offer, Table, filters_used, offer_of
from outreach.kernel import clock
from outreach.kernel.outbox import WorkState
from outreach.web.access import staff
from outreach.web.language import chosen

blueprint = Blueprint("exports", __name__, url_prefix="/desk/exports")

LONGEST_ARGUMENT = 200


@blueprint.get("/")
@staff
def index() -> ResponseReturnValue:
    """Show what the reader took out."""
    return render_template(
        "exports/index.html",
        page=queries.exports_of(current_user, request.args.get("page")),
        tables=queries.tables_for(current_user),
        oversees=_oversees(),
        ExportState=ExportState,
        now=clock.now(),
    )


@blueprint.get("/log")
@staff
def log() -> ResponseReturnValue:
    """Show who took what out of the units the reader oversees, and why."""
    if not _oversees():
        abort(403)
    text = request.args.get("q", "").strip()[:60]
    return render_template(
        "exports/log.html",
        page=queries.log_for(current_user, text=text, cursor=request.args.get("page")),
        text=text,
        offer_of=offer_of,
        now=clock.now(),
    )


@blueprint.route("/new/<offer>", methods=["GET", "POST"])
@staff
def new(offer: str) -> ResponseReturnValue:
    """Ask what is wanted of a list and why, and have the file written."""
    wanted = offer_of(offer)
    if wanted is None:
        abort(404)
    if not queries.may_take(current_user, wanted):
        abort(403)
    asked = Asked(current_user, _arguments(wanted), clock.now())
    narrowed = filters_used(wanted, asked)
    title = wanted.title(asked) if wanted.title else gettext(wanted.label)
    form = ExportForm()
    form.offer(wanted, current_user)
    made: list[int] = []
    if form.validate_on_submit() and form.attempt(lambda: made.append(_ask(form, wanted, asked, title, narrowed))):
        return redirect(url_for("exports.show", export_id=made[0]), 303)
    return (
        render_template(
            "exports/new.html",
            form=form,
            offer=wanted,
            title=title,
            narrowed=narrowed,
            arguments=asked.arguments,
            count=queries.count_of(wanted, asked) if isinstance(wanted, Table) else None,
            sensitive=[column for column in wanted.columns if column.sensitive],
            least=SHORTEST_REASON,
            rows_a_day=ROWS_A_DAY,
            full_a_day=FULL_ROWS_A_DAY,
            hours=int(KEPT.total_seconds() // 3600),
        ),
        form.status if form.errors or form.refusal else 200,
    )


@blueprint.get("/<int:export_id>")
@staff
def show(export_id: int) -> ResponseReturnValue:
    """Show how far a file is, or hand it out."""
    export = queries.export_for(current_user, export_id)
    stuck = export.work is not None and export.work.state is WorkState.FAILED
    if export.state is not ExportState.ASKED and request.headers.get("HX-Request") and request.args.get("waiting"):
        return "", 200, {"HX-Redirect": url_for("exports.show", export_id=export.id)}
    return render_template(
        "exports/show.html",
        export=export,
        offer=offer_of(export.offer),
        stuck=stuck,
        now=clock.now(),
        ExportState=ExportState,
    )


@blueprint.post("/<int:export_id>/file")
@staff
def download(export_id: int) -> ResponseReturnValue:
    """Hand out the file to whoever asked for it, and write that down."""
    export = queries.export_for(current_user, export_id)
    operations.note_download(export=export, by=current_user.actor, now=clock.now())
    content = queries.content_of(export)
    if not content:
        raise FileGone
    return send_file(
        BytesIO(content),
        mimetype=export.format.media_type,
        as_attachment=True,
        download_name=f"{export.title}-{export.number}.{export.format.value}",
    )


@blueprint.post("/<int:export_id>/stop")
@staff
def stop(export_id: int) -> ResponseReturnValue:
    """Let go of a file that is not written yet."""
    export = queries.export_for(current_user, export_id)
    operations.stop(export=export, by=current_user.actor, now=clock.now())
    flash(gettext("Stopped. Nothing of it is kept."), "ok")
    return redirect(url_for("exports.index"), 303)


@blueprint.post("/<int:export_id>/delete")
@staff
def delete(export_id: int) -> ResponseReturnValue:
    """Delete a file before its time is up."""
    export = queries.export_for(current_user, export_id)
    operations.delete_file(export=export, by=current_user.actor, now=clock.now())
    flash(gettext("The file is deleted. That it was taken stays in the log."), "ok")
    return redirect(url_for("exports.index"), 303)


def _ask(form: ExportForm, offer: Offer, asked: Asked, title: str, narrowed: list[tuple[str, str]]) -> int:
    export = operations.ask(
        offer=offer,
        kind=Format(form.format.data),
        title=title,
        arguments=asked.arguments,
        narrowed=narrowed,
        columns=form.columns.data or (),
        in_full=form.in_full.data or (),
        reason=form.reason.data,
        account_id=current_user.id,
        account_name=current_user.name,
        organisation_id=current_user.organisation_id,
        organisation_name=current_user.organisation.name,
        language=chosen(),
        by=current_user.actor,
        now=asked.now,
    )
    return export.id


def _arguments(offer: Offer) -> dict[str, str]:
    said = {name: request.args.get(name, "").strip()[:LONGEST_ARGUMENT] for name in offer.arguments}
    return {name: value for name, value in said.items() if value}


def _oversees() -> bool:
    return queries.oversees(current_user)
