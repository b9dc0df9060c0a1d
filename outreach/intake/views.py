"""Bringing in a file: upload, columns, preview, decisions, landing."""

from collections.abc import Mapping
from io import BytesIO

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.intake import documents, operations, queries
from outreach.intake.forms import UploadForm
from outreach.intake.rules import (
    BUSY,
    NO_ROOM,
    OPEN_STATES,
    Decision,
    Field,
    Importer,
    ImportState,
    Problem,
    Verdict,
    importer_of,
)
from outreach.intake.rules.headings import example, letters, missing
from outreach.kernel import clock
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.web.access import staff
from outreach.web.forms import Form, sentence_of

blueprint = Blueprint("intake", __name__, url_prefix="/desk/imports")

LISTED_BESIDE = 6
LISTED = 20

LINES = {
    "uploaded": N_("Uploaded"),
    "read": N_("Read: %(rows)s rows"),
    "unreadable": N_("Could not be read"),
    "columns_set": N_("Columns corrected"),
    "decided": N_("Row %(row)s decided"),
    "confirmed": N_("%(rows)s rows confirmed"),
    "landed": N_("Brought in: %(landed)s rows, %(created)s of them new"),
    "stopped": N_("Stopped"),
    "went_on": N_("Gone on with"),
    "undo_confirmed": N_("Undoing begun: %(rows)s rows"),
    "undone": N_("Undone; %(kept)s rows stay"),
    "rows_forgotten": N_("Its rows were deleted after their time"),
    "abandoned": N_("Let go"),
    "refused_downloaded": N_("Rows to put right downloaded"),
}
"""What a line of a file's history says, by its act."""


@blueprint.get("/")
@staff
def index() -> ResponseReturnValue:
    """Show the files the reader brought in."""
    _kinds()
    return render_template(
        "intake/index.html",
        page=queries.imports_of(current_user, request.args.get("page")),
        importer_of=importer_of,
        stands_still=queries.stands_still,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@staff
def upload() -> ResponseReturnValue:
    """Take a file in."""
    kinds = _kinds()
    form = UploadForm(kind=request.args.get("kind"))
    form.offer(kinds)
    if form.validate_on_submit():
        imported = operations.upload(
            kind=form.kind.data,
            filename=form.filename,
            content=form.content,
            account_id=current_user.id,
            account_name=current_user.name,
            organisation_id=current_user.organisation_id,
            by=current_user.actor,
            now=clock.now(),
        )
        return redirect(url_for("intake.show", import_id=imported.id), 303)
    most = current_app.config["SETTINGS"].upload_megabytes
    notes = {kind.key: gettext("Can be checked now, taken over later") for kind in kinds if kind.lands_with}
    page = render_template("intake/upload.html", form=form, kinds=kinds, most=most, notes=notes)
    return page, 422 if form.errors else 200


@blueprint.get("/<int:import_id>")
@staff
def show(import_id: int) -> ResponseReturnValue:
    """Show where a file stands; once its rows are judged, what each of them is."""
    imported = queries.import_for(current_user, import_id)
    still = queries.stands_still(imported)
    if imported.state in BUSY and not still:
        return render_template(
            "intake/busy.html",
            imported=imported,
            importer=importer_of(imported.kind),
            no_room=NO_ROOM,
            goes_on_at=imported.work and imported.work.goes_on_at(clock.now()),
        )
    if request.headers.get("HX-Request") and request.args.get("waiting"):
        return "", 200, {"HX-Redirect": url_for("intake.show", import_id=imported.id)}
    if imported.state is ImportState.MAPPED:
        return redirect(url_for("intake.columns", import_id=imported.id))
    if imported.state in (ImportState.UNREADABLE, ImportState.ABANDONED) or imported.forgotten_at is not None:
        problem = Problem(imported.problem).label if imported.problem else None
        return render_template("intake/ended.html", imported=imported, problem=problem, past=_past(imported))
    if imported.state in BUSY:
        return render_template(
            "intake/stopped.html",
            imported=imported,
            importer=importer_of(imported.kind),
            counted=queries.tally(imported.id),
            by_hand=imported.stopped_at is not None,
            past=_past(imported),
        )
    if imported.state is ImportState.UNDONE:
        return _undone(imported)
    return _preview(imported)


def _undone(imported: object) -> str:
    page = queries.kept_rows(imported, request.args.get("page"))
    return render_template(
        "intake/undone.html",
        imported=imported,
        importer=importer_of(imported.kind),
        page=page,
        lines=queries.lines_of(imported, page.items),
        kept=queries.tally(imported.id).landed,
        sentence=_sentence,
        past=_past(imported),
    )


def _past(imported: object) -> list[dict[str, object]]:
    return [
        {"at": line.at, "text": gettext(LINES[line.act], **_numbers(line.facts))}
        for line in reversed(queries.history_of(imported))
    ]


def _preview(imported: object) -> str:
    counted = queries.tally(imported.id)
    verdict = _chosen_verdict(counted)
    page = queries.rows_of(imported, verdict, request.args.get("page"))
    refused = queries.rows_of(imported, Verdict.REFUSED, None, size=LISTED_BESIDE).items
    sheets = queries.sheets_of(imported)
    return render_template(
        "intake/preview.html",
        imported=imported,
        importer=importer_of(imported.kind),
        counted=counted,
        verdict=verdict,
        page=page,
        lines=queries.lines_of(imported, page.items),
        refused=queries.lines_of(imported, refused) if verdict is not Verdict.REFUSED else [],
        taken=queries.taken_sheets(imported),
        left_out=[sheet for sheet in sheets if sheet.rows and sheet not in queries.taken_sheets(imported)],
        kept_aside=queries.kept_aside,
        hidden=[sheet for sheet in sheets if sheet.hidden],
        open=imported.state in OPEN_STATES,
        sentence=_sentence,
        in_a_part=queries.REFUSED_IN_A_PART,
        Decision=Decision,
        Verdict=Verdict,
        past=_past(imported),
    )


@blueprint.route("/<int:import_id>/columns", methods=["GET", "POST"])
@staff
def columns(import_id: int) -> ResponseReturnValue:
    """Show what each column is taken for, and take corrections."""
    imported = queries.import_for(current_user, import_id)
    if imported.state in BUSY or imported.state not in OPEN_STATES:
        return redirect(url_for("intake.show", import_id=import_id))
    importer = importer_of(imported.kind)
    sheets = [sheet for sheet in queries.sheets_of(imported) if sheet.rows and not sheet.hidden]
    wanted = request.values.get("sheet", type=int)
    sheet = next((one for one in sheets if one.number == wanted), None)
    sheet = sheet or next((one for one in sheets if one.importer is not None), sheets[0])
    form, refusal = Form(), None
    if form.validate_on_submit():
        try:
            operations.set_columns(
                imported=imported,
                sheet_number=sheet.number,
                by=current_user.actor,
                now=clock.now(),
                **_corrections(importer, sheet),
            )
        except Refused as refused:
            refusal = sentence_of(refused)
        else:
            return redirect(url_for("intake.show", import_id=import_id), 303)
    kind = importer.sheets[sheet.importer or 0]
    named = {wanted.name: wanted for wanted in kind.fields}
    taken_for = {column: named[name] for column, name in sheet.mapping.items() if name in named}
    fields = [(wanted.name, gettext(wanted.label)) for wanted in kind.fields]
    return (
        render_template(
            "intake/columns.html",
            imported=imported,
            importer=importer,
            sheets=sheets,
            sheet=sheet,
            kind=kind,
            fields=fields,
            missing=missing(sheet, kind),
            examples=_examples(sheet, taken_for),
            first_rows={
                number: [example(str(cell or ""), None) for cell in cells] for number, cells in sheet.top.items()
            },
            chosen=_chosen_mapping(sheet),
            letters=letters,
            form=form,
            refusal=refusal,
        ),
        422 if refusal else 200,
    )


@blueprint.post("/<int:import_id>/rows/<int:row_id>")
@staff
def decide(import_id: int, row_id: int) -> ResponseReturnValue:
    """Keep what the clerk says of a doubtful row."""
    imported = queries.import_for(current_user, import_id)
    row = queries.row_for(imported, row_id)
    try:
        decision = Decision(request.form.get("decision", ""))
    except ValueError:
        abort(400)
    operations.decide(imported=imported, row=row, decision=decision, by=current_user.actor, now=clock.now())
    page = request.form.get("page") or None
    back = url_for("intake.show", import_id=import_id, show=Verdict.DOUBTFUL.value, page=page, _anchor=f"row-{row_id}")
    return redirect(back, 303)


@blueprint.post("/<int:import_id>/land")
@staff
def land(import_id: int) -> ResponseReturnValue:
    """Bring in what is ready."""
    imported = queries.import_for(current_user, import_id)
    operations.land(imported=imported, by=current_user.actor, now=clock.now())
    return redirect(url_for("intake.show", import_id=import_id), 303)


@blueprint.post("/<int:import_id>/stop")
@staff
def stop(import_id: int) -> ResponseReturnValue:
    """Have the worker leave the file alone."""
    imported = queries.import_for(current_user, import_id)
    operations.stop(imported=imported, by=current_user.actor, now=clock.now())
    return redirect(url_for("intake.show", import_id=import_id), 303)


@blueprint.post("/<int:import_id>/go-on")
@staff
def go_on(import_id: int) -> ResponseReturnValue:
    """Have the worker go on with a file that stands still."""
    imported = queries.import_for(current_user, import_id)
    operations.go_on(imported=imported, by=current_user.actor, now=clock.now())
    return redirect(url_for("intake.show", import_id=import_id), 303)


@blueprint.route("/<int:import_id>/undo", methods=["GET", "POST"])
@staff
def undo(import_id: int) -> ResponseReturnValue:
    """Say what undoing a file will do, and have it done."""
    imported = queries.import_for(current_user, import_id)
    if request.method == "POST":
        operations.undo(imported=imported, by=current_user.actor, now=clock.now())
        return redirect(url_for("intake.show", import_id=import_id), 303)
    if not queries.can_be_undone(imported):
        return redirect(url_for("intake.show", import_id=import_id))
    trial = operations.try_undoing(imported=imported, now=clock.now())
    shown = sorted(trial.stays)[:LISTED]
    rows = queries.rows_at(imported, shown)
    lines = queries.lines_of(imported, [rows[key] for key in shown])
    return render_template(
        "intake/undo.html",
        imported=imported,
        importer=importer_of(imported.kind),
        counted=queries.tally(imported.id),
        trial=trial,
        stays=[(line, trial.stays[key]) for key, line in zip(shown, lines, strict=True)],
    )


@blueprint.post("/<int:import_id>/abandon")
@staff
def abandon(import_id: int) -> ResponseReturnValue:
    """Let the file go."""
    imported = queries.import_for(current_user, import_id)
    operations.abandon(imported=imported, by=current_user.actor, now=clock.now())
    flash(gettext("The file was let go; nothing of it is kept."), "ok")
    return redirect(url_for("intake.index"), 303)


@blueprint.post("/<int:import_id>/refused")
@staff
def refused(import_id: int) -> ResponseReturnValue:
    """Hand out the rows that cannot be taken, with the reasons, as a spreadsheet."""
    imported = queries.import_for(current_user, import_id)
    part = min(max(request.form.get("part", 1, type=int), 1), 1000)
    operations.note_download(imported=imported, by=current_user.actor, now=clock.now())
    content = documents.refused_workbook(
        queries.sheets_of(imported),
        queries.refused_rows(imported, part),
        titles=(gettext("Row of the file"), gettext("Why it cannot be taken")),
        sentence=_sentence,
    )
    name = gettext("%(name)s - rows to put right", name=imported.filename.rpartition(".")[0] or imported.filename)
    return send_file(
        BytesIO(content),
        mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_attachment=True,
        download_name=f"{name}{f' {part}' if part > 1 else ''}.xlsx",
    )


def _kinds() -> list[Importer]:
    kinds = queries.kinds_for(current_user)
    if not kinds:
        abort(403)
    return kinds


def _numbers(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: f"{value:,}" for name, value in facts.items() if isinstance(value, int)}


def _chosen_verdict(counted: queries.Tally) -> Verdict:
    try:
        return Verdict(request.args.get("show", ""))
    except ValueError:
        hurting = ((counted.doubtful, Verdict.DOUBTFUL), (counted.refused, Verdict.REFUSED), (counted.new, Verdict.NEW))
        return next((verdict for number, verdict in hurting if number), Verdict.SAME)


def _sentence(reason: Mapping[str, object]) -> str:
    source, values = reason["sentence"], reason["values"]
    return gettext(source, **values) if values else gettext(source)


def _corrections(importer: Importer, sheet: object) -> dict[str, object]:
    """Return what the form says of a sheet; columns are recognised anew where headings or kind have changed."""
    first = request.form.get("heading", type=int) or (sheet.heading[0] if sheet.heading else 1)
    depth = 1 if request.form.get("two") else 0
    heading = (first, first + depth)
    kind = request.form.get("kind", type=int)
    kind = kind if kind is not None and 0 <= kind < len(importer.sheets) else sheet.importer or 0
    if heading != sheet.heading or kind != sheet.importer:
        return {"heading": heading, "kind": kind, "mapping": None}
    return {"heading": heading, "kind": kind, "mapping": _chosen_mapping(sheet)}


def _chosen_mapping(sheet: object) -> dict[int, str]:
    if request.method == "GET":
        return sheet.mapping
    return {
        column: name
        for column in range(sheet.width)
        if (name := request.form.get(f"column-{column}")) not in (None, "")
    }


def _examples(sheet: object, fields: Mapping[int, Field]) -> dict[int, list[str]]:
    last = sheet.heading[1] if sheet.heading else 0
    found: dict[int, list[str]] = {}
    for number in sorted(sheet.top):
        if number > last:
            for column, text in enumerate(sheet.top[number]):
                if text and len(found.setdefault(column, [])) < 2:
                    found[column].append(example(str(text), fields.get(column)))
    return found
