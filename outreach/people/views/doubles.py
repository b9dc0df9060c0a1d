"""Records that may be one person: finding them, seeing two side by side, making one of them, and two again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel.clock import now
from outreach.organisations.rules import Permission
from outreach.people import queries
from outreach.people.documents import masked_birth, masked_identity
from outreach.people.forms import MergeForm, UndoForm
from outreach.people.operations import merging
from outreach.people.queries import doubles
from outreach.people.rules.merging import COLUMNS, LABELS, ROWS, Named, Stay
from outreach.web.access import requires

blueprint = Blueprint("doubles", __name__, url_prefix="/desk/people")


@dataclass(frozen=True)
class Line:
    """One field of two records, masked where it exposes somebody; `differs` where one must lead."""

    column: str
    label: str
    one: str
    other: str
    differs: bool


@blueprint.get("/doubles")
@requires(Permission.PEOPLE_MERGE)
def index() -> ResponseReturnValue:
    """Show the records that may be one person, the likeliest first."""
    found = doubles.doubtful(current_user, request.args.get("page"))
    return render_template("people/doubles.html", page=found.page, count=found.count)


@blueprint.get("/<int:person_id>/beside")
@requires(Permission.PEOPLE_MERGE)
def choose(person_id: int) -> ResponseReturnValue:
    """Offer records that may be the same person as this one, and a search for any other."""
    person = queries.person_for(current_user, person_id, Permission.PEOPLE_MERGE)
    text = request.args.get("q", "").strip()
    found = queries.find(current_user, queries.Wanted(text=text)).page(size=MOST_OFFERED + 1).items if text else []
    return render_template(
        "people/beside.html",
        person=person,
        doubles=doubles.of(current_user, person),
        found=[one for one in found if one.id != person.id][:MOST_OFFERED],
        text=text,
    )


@blueprint.route("/<int:person_id>/beside/<int:other_person_id>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_MERGE)
def compare(person_id: int, other_person_id: int) -> ResponseReturnValue:
    """Show two records side by side, and make one of them; the older one's address is kept."""
    one, other = _both(person_id, other_person_id)
    differing = doubles.differing(one, other)
    form = MergeForm(differing)
    made: list[Any] = []
    if form.validate_on_submit() and form.attempt(
        lambda: made.append(merging.merge(kept=one, gone=other, leads=form.leads(), by=current_user, now=now()))
    ):
        flash(gettext("It is one record now. If it was wrong, you can undo it here."), "ok")
        return redirect(url_for("doubles.merged", merge_id=made[0].id), 303)
    why = doubles.compared(one, other)
    return (
        render_template(
            "people/compare.html",
            form=form,
            one=one,
            other=other,
            lines=list(_lines(one, other, differing)),
            grade=why[0] if why else None,
            reasons=why[1] if why else (),
            distinction=doubles.distinction(one.id, other.id),
            rows=[(person, _rows(doubles.rows_of(person.id))) for person in (one, other)],
        ),
        422 if form.errors or form.refusal else 200,
    )


@blueprint.post("/<int:person_id>/beside/<int:other_person_id>/apart")
@requires(Permission.PEOPLE_MERGE)
def apart(person_id: int, other_person_id: int) -> ResponseReturnValue:
    """Say that two records are two people."""
    one, other = (
        queries.person_for(current_user, each, Permission.PEOPLE_MERGE) for each in (person_id, other_person_id)
    )
    merging.tell_apart(one=one, other=other, by=current_user, now=now())
    flash(gettext("Kept as two people. Nobody will be asked about these two again."), "ok")
    return redirect(url_for("doubles.index"), 303)


@blueprint.post("/<int:person_id>/beside/<int:other_person_id>/perhaps-one")
@requires(Permission.PEOPLE_MERGE)
def perhaps_one(person_id: int, other_person_id: int) -> ResponseReturnValue:
    """Take back that two records are two people."""
    one, other = (
        queries.person_for(current_user, each, Permission.PEOPLE_MERGE) for each in (person_id, other_person_id)
    )
    merging.take_back_distinction(one=one, other=other, by=current_user, now=now())
    return redirect(url_for("doubles.compare", person_id=one.id, other_person_id=other.id), 303)


@blueprint.route("/merges/<int:merge_id>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_MERGE)
def merged(merge_id: int) -> ResponseReturnValue:
    """Show what was made one record, and undo it; once undone, what did not return and why."""
    merge = doubles.merge_for(current_user, merge_id)
    form = UndoForm()
    if form.validate_on_submit() and form.attempt(
        lambda: merging.undo(merge=merge, different=form.different.data, by=current_user, now=now())
    ):
        flash(gettext("These are two records again."), "ok")
        return redirect(url_for("doubles.merged", merge_id=merge_id), 303)
    moved = {key.partition(".")[0]: len(ids) for key, ids in merge.rows.get("moved", {}).items()}
    return (
        render_template(
            "people/merged.html",
            form=form,
            merge=merge,
            moved=_rows(moved),
            stayed=_stayed(merge.stayed or (), doubles.names_of_rows(current_user, merge.stayed or ())),
        ),
        422 if form.errors or form.refusal else 200,
    )


MOST_OFFERED = 8


def _both(person_id: int, other_person_id: int) -> list[Any]:
    """Return two records within the reader's reach, the older first; 404 elsewhere."""
    ids = sorted((person_id, other_person_id))
    return [queries.person_for(current_user, each, Permission.PEOPLE_MERGE) for each in ids]


def _lines(one: Any, other: Any, differing: Sequence[str]) -> Iterator[Line]:
    for column in COLUMNS:
        mine, theirs = _shown(one, column), _shown(other, column)
        if mine or theirs:
            yield Line(column, gettext(LABELS[column]), mine, theirs, column in differing)


def _shown(person: Any, column: str) -> str:
    held = getattr(person, column)
    if not held:
        return ""
    if column == "identity_number":
        return masked_identity(held)
    if column == "birth":
        return f"{held[:7]}-**" if len(held) == 10 else masked_birth(held)
    if column == "source":
        return gettext(queries.came_by(held))
    return gettext(held.label) if hasattr(held, "label") else doubles.in_words(person, column)


def _rows(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(gettext(ROWS[table].label) if table in ROWS else table, many) for table, many in counts.items()]


@dataclass
class Left:
    """What of a kind stayed where it was for one reason, and what those are called that the reader may see."""

    what: str
    why: str
    many: int
    named: list[Named]


def _stayed(entries: Sequence[Mapping[str, Any]], names: Mapping[tuple[str, int], Named]) -> list[Left]:
    """Return what stayed where it was, alike entries together."""
    found: dict[tuple[str, str], Left] = {}
    for entry in entries:
        label = LABELS[entry["column"]] if "column" in entry else ROWS[entry["table"]].label
        what = gettext(label)
        why = gettext(Stay(entry["why"]).label)
        left = found.setdefault((what, why), Left(what, why, 0, []))
        left.many += 1
        if "column" not in entry and (entry["table"], entry["id"]) in names:
            left.named.append(names[entry["table"], entry["id"]])
    return list(found.values())
