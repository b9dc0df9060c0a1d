"""The desk of liaison: who is due, a visit to log, a visit that was logged."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel import clock
from outreach.liaison import operations, queries
from outreach.liaison.forms import MOST_ASKS, EndForm, PairForm, VisitForm
from outreach.liaison.queries import PairingDue, planning, visits
from outreach.liaison.rules import PAIRING_ACTS, DueState, OtherAccount, PairingKind, VisitWay
from outreach.liaison.rules.photographs import MOST_PHOTOGRAPHS
from outreach.organisations.rules import Permission, Role
from outreach.people import queries as people
from outreach.people.rules import Rhythm
from outreach.web import limits
from outreach.web.access import requires

blueprint = Blueprint("liaison", __name__, url_prefix="/desk")
MOST_OFFERED = 12


@blueprint.get("/liaison")
@requires(Permission.VISIT_LOG, Permission.PAIRING_READ)
def index() -> ResponseReturnValue:
    """List pairings, the longest overdue first."""
    now = clock.now()
    may_see_all = current_user.may(Permission.PAIRING_READ)
    mine = not may_see_all or request.args.get("whose") == "mine"
    standing = request.args.get("standing", "")
    state = DueState(standing) if standing in (DueState.OVERDUE, DueState.SOON) else None
    return render_template(
        "liaison/index.html",
        page=queries.due_pairings(
            current_user,
            now=now,
            mine=mine,
            state=state,
            never_met=standing == "never",
            cursor=request.args.get("page"),
        ),
        counts=queries.due_counts(current_user, now=now, mine=mine),
        standing="never" if standing == "never" else state,
        mine=mine,
        may_see_all=may_see_all,
        may_log=current_user.may(Permission.VISIT_LOG),
        may_pair=current_user.may(Permission.PAIRING_EDIT),
        may_catch_up=current_user.may(Permission.VISIT_LOG) or current_user.may(Permission.PAIRING_EDIT),
        to_confirm=visits.to_confirm(current_user),
    )


@blueprint.get("/visits", endpoint="visits")
@requires(Permission.VISIT_LOG, Permission.PAIRING_READ)
def visits_so_far() -> ResponseReturnValue:
    """List the visits that were logged, the latest first."""
    return render_template(
        "liaison/visits.html",
        page=visits.recent_visits(current_user, cursor=request.args.get("page")),
        may_log=current_user.may(Permission.VISIT_LOG),
    )


@blueprint.get("/visits/new")
@requires(Permission.VISIT_LOG)
def log() -> ResponseReturnValue:
    """Show the form of a visit, for now and, where the link says so, for one pairing."""
    now = clock.now()
    pairings = queries.loggable(current_user, now=now)
    form = VisitForm(formdata=None)
    form.form_token.data = operations.fresh_form_token()
    form.account.data = str(current_user.id)
    form.at.data = clock.local(now).replace(tzinfo=None)
    wanted = request.args.get("pairing", type=int)
    form.pairings.data = [row.pairing.id for row in pairings if row.pairing.id == wanted or len(pairings) == 1]
    return _form(form, pairings, now=now)


@blueprint.post("/visits/new")
@requires(Permission.VISIT_LOG)
def save() -> ResponseReturnValue:
    """Log the visit, or show the form again with everything typed; «one more» only adds a row."""
    now = clock.now()
    logged = visits.visit_of_form(current_user, request.form.get("form_token", "")[:40])
    if logged is not None:
        return redirect(url_for("liaison.show", visit_id=logged.id), 303)
    pairings = queries.loggable(current_user, now=now)
    form = VisitForm()
    if "more" in request.form:
        if len(form.asks) < MOST_ASKS:
            form.asks.append_entry()
        return _form(form, pairings, now=now)
    if form.account.data not in (None, "", str(current_user.id)):
        raise OtherAccount
    form.offer(pairings)
    sound = form.validate_on_submit()
    chosen = form.chosen(pairings)
    if not form.name_the_askers(list({pairing.person_id for pairing in chosen})) or not sound:
        return _form(form, pairings, now=now), 422
    made: list[Any] = []
    saved = form.attempt(
        lambda: made.append(
            operations.log_visit(
                account=current_user,
                form_token=form.form_token.data,
                pairings=chosen,
                at=form.moment,
                way=VisitWay(form.way.data),
                companions=form.companions.data,
                asks=form.asked(),
                situation=form.situation.data,
                advice=form.advice.data,
                advised_by=form.advised_by.data,
                confidential=form.confidential.data,
                photographs=form.pictures(),
                now=now,
            )
        )
    )
    if not saved:
        return _form(form, pairings, now=now), 422
    return redirect(url_for("liaison.show", visit_id=made[0].id), 303)


@blueprint.get("/visits/<int:visit_id>")
@requires(Permission.VISIT_LOG, Permission.PAIRING_READ)
def show(visit_id: int) -> ResponseReturnValue:
    """Show a visit: who met whom, what was asked, who answers it by when; notes to those who may read them."""
    visit = visits.visit_for(current_user, visit_id)
    asked = visits.asked_on(visit)
    return render_template(
        "liaison/show.html",
        visit=visit,
        asked=asked,
        open_to_viewer=visits.cases_in_sight(current_user, [case.id for case in asked]),
        notes=visits.may_read_notes(current_user, visit),
        completes=visits.completes(current_user, visit),
        to_confirm=any(there.account_id == current_user.id and not there.confirmed_at for there in visit.leaders),
        MOST_PHOTOGRAPHS=MOST_PHOTOGRAPHS,
        may_log=current_user.may(Permission.VISIT_LOG),
    )


@blueprint.get("/liaison/new")
@requires(Permission.PAIRING_EDIT)
def choose() -> ResponseReturnValue:
    """Ask which talent is to be paired."""
    text = request.args.get("q", "").strip()
    if text:
        limits.spend(limits.SEARCHING, current_user.id)
    found = people.find(current_user, people.Wanted(text=text)).page(size=MOST_OFFERED + 1).items if text else []
    return render_template("liaison/choose.html", text=text, found=found[:MOST_OFFERED], more=len(found) > MOST_OFFERED)


@blueprint.route("/people/<int:person_id>/pair", methods=["GET", "POST"])
@requires(Permission.PAIRING_EDIT)
def pair(person_id: int) -> ResponseReturnValue:
    """Join a talent to a leader or officer."""
    talent = people.person_for(current_user, person_id)
    leaders = queries.who_may_keep_in_touch(current_user, Role.LEADER, Role.SERVICE_OFFICER)
    officers = queries.who_may_keep_in_touch(current_user, Role.LIAISON_OFFICER)
    form, moment = PairForm(), clock.now()
    form.offer(leaders, officers)
    made: list[Any] = []
    if not form.is_submitted():
        form.starts_on.data = clock.office_day(moment)
        usual = talent.talent_class.rhythm if talent.talent_class else None
        form.rhythm.data = usual.value if usual else None
    elif form.validate() and form.attempt(lambda: made.append(_paired(form, talent, [*leaders, *officers], moment))):
        flash(gettext("%(leader)s keeps in touch with %(talent)s now.", leader=made[0].leader.name, talent=talent.name))
        return redirect(url_for("liaison.pairing", pairing_id=made[0].id), 303)
    return (
        render_template(
            "liaison/pair.html",
            form=form,
            talent=talent,
            leaders=leaders,
            pairings=queries.pairings_of_person(current_user, person_id),
            recent=queries.last_contacts([person_id], now=moment).get(person_id),
        ),
        422 if form.errors or form.refusal else 200,
    )


@blueprint.get("/liaison/<int:pairing_id>")
@requires(Permission.VISIT_LOG, Permission.PAIRING_READ)
def pairing(pairing_id: int) -> ResponseReturnValue:
    """Show a pairing: when the next contact is due, and every contact so far."""
    return _pairing(pairing_id, EndForm(formdata=None))


@blueprint.post("/liaison/<int:pairing_id>/end")
@requires(Permission.PAIRING_EDIT)
def end(pairing_id: int) -> ResponseReturnValue:
    """End a pairing; its requests stay where they are."""
    found = queries.pairing_for_editing(current_user, pairing_id)
    form = EndForm()
    if not form.validate_on_submit() or not form.attempt(
        lambda: operations.end_pairing(pairing=found, ends_on=form.ends_on.data, by=current_user.actor, now=clock.now())
    ):
        return _pairing(pairing_id, form), 422
    return redirect(url_for("liaison.pairing", pairing_id=pairing_id), 303)


def _paired(form: PairForm, talent: Any, accounts: Sequence[Any], moment: datetime) -> Any:
    known = {account.id: account for account in accounts}
    leader = known[form.leader.data]
    return operations.pair(
        leader=leader,
        person=talent,
        liaison_officer=known.get(form.liaison_officer.data),
        kind=PairingKind.LEADER if leader.has_role(Role.LEADER) else PairingKind.OFFICER,
        rhythm=Rhythm(form.rhythm.data),
        starts_on=form.starts_on.data,
        organisation=queries.unit_that_pairs(current_user, leader),
        by=current_user.actor,
        now=moment,
    )


def _form(form: VisitForm, pairings: list[PairingDue], *, now: datetime) -> str:
    form.offer(pairings)
    return render_template(
        "liaison/log.html",
        form=form,
        pairings=pairings,
        destinations=visits.destinations(pairings[0].pairing.organisation, now=now) if pairings else {},
        most_asks=MOST_ASKS,
        most_photographs=MOST_PHOTOGRAPHS,
        now=now,
    )


def _pairing(pairing_id: int, form: EndForm) -> str:
    found = queries.pairing_for(current_user, pairing_id)
    lines = queries.history_of_pairing(found)
    now = clock.now()
    return render_template(
        "liaison/pairing.html",
        pairing=found,
        due=queries.dues_of([found], now=now)[found.id],
        visits=visits.visits_of(found),
        recent=queries.last_contacts([found.person_id], now=now).get(found.person_id),
        may_log=current_user.id in (found.leader_id, found.liaison_officer_id),
        may_end=queries.may_edit(current_user, found),
        may_plan=found.ends_on is None and bool(planning.plannable(current_user, [found.id])),
        planned=planning.open_plan(found),
        plans=planning.plans_of(found),
        lines=lines,
        names=people.names_of_accounts([line.actor_id for line in lines if line.actor_id]),
        PAIRING_ACTS=PAIRING_ACTS,
        form=form,
    )
