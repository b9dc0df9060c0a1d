"""The arrangement of pairings as offices keep it (联系服务专家安排表): a row for each leader and talent.

Leaders and liaison officers become accounts of the importing office. Nothing here decides by a number alone:
a talent is found by number and name, or by name and unit, and a row says how.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.intake.operations import one_by_one
from outreach.intake.rules import (
    Errand,
    Field,
    Importer,
    Judgement,
    Landed,
    Landing,
    Onward,
    Reason,
    Row,
    RowKey,
    Shown,
    Verdict,
    Words,
)
from outreach.kernel.clock import office_day
from outreach.kernel.contact_details import normalised_phone
from outreach.kernel.database import db
from outreach.kernel.refusals import Refused
from outreach.kernel.sealing import blind
from outreach.kernel.wording import N_
from outreach.liaison import operations
from outreach.liaison.models import Pairing
from outreach.liaison.rules import PairingKind, Rhythm, rhythm_said
from outreach.organisations.models import Account, Organisation
from outreach.organisations.operations import create_account, set_roles, take_back_accounts
from outreach.organisations.rules import Permission, Role
from outreach.people.models import ContactPoint, Person, PersonContact
from outreach.people.operations import Origin, bring
from outreach.people.operations import take_back as take_back_people
from outreach.people.rules import ContactKind, normalised_name
from outreach.web.filters import masked_name, masked_phone

FIELDS = (
    Field("number", N_("No."), ("序号", "编号"), kept=False),
    Field(
        "leader",
        N_("Leader"),
        (
            "市领导",
            "县领导",
            "区领导",
            "领导",
            "领导姓名",
            "联系领导",
            "联系领导姓名",
            "联系市领导",
            "联系县领导",
            "挂联领导",
            "包联领导",
            "结对领导",
            "服务领导",
            "联系服务领导",
            "服务专员",
        ),
        required=True,
    ),
    Field("position", N_("Leader's position"), ("职务", "领导职务", "现任职务", "领导职务职级")),
    Field(
        "talent",
        N_("Talent"),
        (
            "联系专家",
            "联系服务专家",
            "专家",
            "专家姓名",
            "专家人才",
            "人才",
            "人才姓名",
            "联系人才",
            "联系人才姓名",
            "结对人才",
            "服务人才",
            "服务对象",
            "联系对象",
            "姓名",
        ),
        required=True,
    ),
    Field(
        "employer",
        N_("Talent's unit"),
        ("工作单位", "单位", "所在单位", "专家单位", "人才单位", "专家工作单位", "人才工作单位"),
    ),
    Field(
        "phone",
        N_("Talent's mobile number"),
        (
            "联系电话",
            "电话",
            "手机",
            "手机号",
            "手机号码",
            "联系方式",
            "专家电话",
            "专家联系电话",
            "人才电话",
            "人才联系电话",
        ),
        shown=Shown.PHONE,
    ),
    Field("rhythm", N_("Rhythm"), ("联系频次", "走访频次", "频次", "联系周期")),
    Field(
        "officer",
        N_("Liaison officer"),
        ("联络员", "联络员姓名", "联络人", "联络人姓名", "秘书", "联系人"),
    ),
    Field(
        "officer_phone",
        N_("Liaison officer's mobile number"),
        (
            "联络员电话",
            "联络员手机",
            "联络员手机号",
            "联络员联系电话",
            "联络员联系方式",
            "联络人电话",
            "联络人手机",
            "联系人电话",
        ),
        shown=Shown.PHONE,
    ),
)


@dataclass
class _Found:
    """What a row names, as far as it is known here; `problem` is why the row cannot be taken."""

    talent: Person | None = None
    leader: Account | None = None
    officer: Account | None = None
    pairing: Pairing | None = None
    rhythm: Rhythm = Rhythm.QUARTERLY
    reasons: list[Reason] = field(default_factory=list)
    problem: Reason | None = None


class _Known:
    """What the database holds of what some rows name: looked up once for all of them."""

    def __init__(self, rows: Sequence[Row], organisation: Organisation) -> None:
        self.organisation = organisation
        below = sa.select(Organisation.id).where(Organisation.path.startswith(organisation.path, autoescape=True))
        self._people_at = _people_at({_index(row.text("phone")) for row in rows} - {None}, below)
        self._people_named: dict[str, list[Person]] = {}
        for person in db.session.scalars(
            sa.select(Person)
            .where(
                Person.name.in_({row.text("talent") for row in rows}),
                Person.merged_into_id.is_(None),
                Person.organisation_id.in_(below),
            )
            .order_by(Person.id)
        ).unique():
            self._people_named.setdefault(normalised_name(person.name), []).append(person)
        names = {row.text("leader") for row in rows} | {row.text("officer") for row in rows}
        numbers = {_index(row.text("officer_phone")) for row in rows} - {None}
        self._accounts = db.session.scalars(
            sa.select(Account)
            .where(
                Account.disabled_at.is_(None),
                sa.or_(
                    Account.phone_index.in_(numbers),
                    sa.and_(Account.name.in_(names), Account.organisation_id.in_(below)),
                ),
            )
            .order_by(Account.id)
        ).all()
        self._pairings = {
            (pairing.leader_id, pairing.person_id): pairing
            for pairing in db.session.scalars(
                sa.select(Pairing).where(
                    Pairing.leader_id.in_([account.id for account in self._accounts]), Pairing.ends_on.is_(None)
                )
            )
        }

    def of(self, row: Row) -> _Found:
        """Return what a row names."""
        found = _Found()
        self._find_talent(row, found)
        self._find_leader(row, found)
        self._find_officer(row, found)
        if found.talent is not None and found.leader is not None:
            found.pairing = self._pairings.get((found.leader.id, found.talent.id))
        said = rhythm_said(row.text("rhythm"))
        tier = found.talent.talent_class if found.talent else None
        by_class = tier.rhythm if tier else None
        found.rhythm = said or by_class or Rhythm.QUARTERLY
        if said is None and by_class is None:
            found.reasons.append(Reason(N_("The talent's class is not known, so the rhythm is once a quarter.")))
        return found

    def _find_talent(self, row: Row, found: _Found) -> None:
        name, phone = row.text("talent"), row.text("phone")
        wanted = normalised_name(name)
        if not wanted:
            found.problem = Reason(N_("There is no talent in this row."))
            return
        index = _index(phone)
        there = self._people_at.get(index, []) if index else []
        found.talent = next((person for person in there if normalised_name(person.name) == wanted), None)
        if found.talent is not None:
            return
        named = self._people_named.get(wanted, [])
        employer = normalised_name(row.text("employer"))
        of_unit = [person for person in named if employer and normalised_name(person.employer or "") == employer]
        if len(of_unit) == 1:
            found.talent = of_unit[0]
            found.reasons.append(
                Reason(N_("Found by name and unit: the number in the file is not the one in the records."))
                if phone
                else Reason(N_("Found by name and unit: there is no number in the file."))
            )
        elif there:
            found.problem = Reason(
                N_("%(phone)s belongs to %(other)s in the records, not to %(name)s. Correct the name or the number."),
                {"phone": masked_phone(phone), "other": masked_name(there[0].name), "name": masked_name(name)},
            )
        elif index is None:
            found.problem = (
                Reason(N_("This is not a mobile number, and name and unit alone do not say who is meant."))
                if phone
                else Reason(N_("Without a mobile number, name and unit alone do not say who is meant."))
            )
        else:
            found.reasons.append(
                Reason(N_("Not in the records yet: will be added with name, unit and number."))
                if not named
                else Reason(
                    N_("Somebody of this name is in the records with another number and unit; this is another person.")
                )
            )

    def _find_leader(self, row: Row, found: _Found) -> None:
        name, position = row.text("leader"), row.text("position")
        if not name:
            found.problem = found.problem or Reason(N_("There is no leader in this row."))
            return
        namesakes = [account for account in self._accounts if normalised_name(account.name) == normalised_name(name)]
        found.leader = next(
            (
                account
                for account in namesakes
                if normalised_name(account.position or "") == normalised_name(position)
                or (account.has_role(Role.LEADER) and not (position and account.position))
            ),
            None,
        )

    def _find_officer(self, row: Row, found: _Found) -> None:
        name, phone = row.text("officer"), row.text("officer_phone")
        if not name:
            found.reasons.append(Reason(N_("There is no liaison officer: only the leader can log visits.")))
            return
        index = _index(phone)
        if phone and index is None:
            found.problem = found.problem or Reason(N_("The liaison officer's number is not a mobile number."))
            return
        wanted = normalised_name(name)
        holder = next((account for account in self._accounts if index and account.phone_index == index), None)
        if holder is not None and normalised_name(holder.name) != wanted:
            found.problem = found.problem or Reason(
                N_("The liaison officer's number belongs to the account of %(other)s."),
                {"other": masked_name(holder.name)},
            )
            return
        found.officer = holder or next(
            (
                account
                for account in self._accounts
                if normalised_name(account.name) == wanted
                and account.has_role(Role.LIAISON_OFFICER)
                and not (index and account.phone_index)
            ),
            None,
        )


@dataclass(frozen=True)
class PairingSheet:
    """One row joins a leader, named with the position, and a talent; the liaison officer serves the leader."""

    key: str = "pairings"
    label: str = N_("Pairings")
    fields: tuple[Field, ...] = FIELDS

    def judge(self, rows: Sequence[Row], errand: Errand) -> Sequence[Judgement]:
        """Say of each row whether the pairing is new, there already, or cannot be made."""
        known = _Known(rows, _organisation(errand))
        return [self._judgement(row, known.of(row), errand) for row in rows]

    def land(self, rows: Sequence[Landing], errand: Errand) -> list[Landed]:
        """Make pairings, and the accounts and talents they need; on an existing one only fill in the officer."""
        return one_by_one(rows, lambda landing: self._land(landing, errand))

    def undo(self, landed: Sequence[Landed], errand: Errand) -> list[Reason | None]:
        """Remove pairings without visits, and the accounts and talents that came with them and have nothing else."""
        return [_undone(one, errand) for one in landed]

    def _land(self, landing: Landing, errand: Errand) -> Landed:
        row = landing.row
        organisation = _organisation(errand)
        found = _Known([row], organisation).of(row)
        brought = _Brought()
        officer = None
        if row.text("officer"):
            officer = _with_role(
                found.officer,
                Role.LIAISON_OFFICER,
                name=row.text("officer"),
                position=None,
                phone=row.text("officer_phone") or None,
                brought=brought,
                errand=errand,
            )
        pairing = db.session.get(Pairing, landing.onto) if landing.onto else found.pairing
        if pairing is not None:
            if pairing.liaison_officer_id is None and officer is not None:
                pairing.liaison_officer = officer
                db.session.flush()
                brought.officer = officer.id
            return Landed(pairing.id, {"filled": pairing.id, **brought.trace})
        leader = _with_role(
            found.leader,
            Role.LEADER,
            name=row.text("leader"),
            position=row.text("position") or None,
            phone=None,
            brought=brought,
            errand=errand,
        )
        talent = found.talent or _new_talent(row, organisation, brought, errand)
        pairing = operations.pair(
            leader=leader,
            person=talent,
            liaison_officer=officer,
            kind=PairingKind.LEADER,
            rhythm=found.rhythm,
            starts_on=office_day(errand.now),
            organisation=organisation,
            remark="\n".join(f"{heading}: {text}" for heading, text in row.rest.items()) or None,
            by=errand.by,
            now=errand.now,
        )
        return Landed(pairing.id, {"made": pairing.id, **brought.trace})

    def existing(self, ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        """Return what pairings say, by field name."""
        return {
            pairing.id: {
                "leader": pairing.leader.name,
                "position": pairing.leader.position or "",
                "talent": pairing.person.name,
                "employer": pairing.person.employer or "",
                "officer": pairing.liaison_officer.name if pairing.liaison_officer else "",
            }
            for pairing in db.session.scalars(
                sa.select(Pairing)
                .where(Pairing.id.in_(ids))
                .options(joinedload(Pairing.leader), joinedload(Pairing.person), joinedload(Pairing.liaison_officer))
            )
        }

    def _judgement(self, row: Row, found: _Found, errand: Errand) -> Judgement:
        if found.problem is not None:
            return Judgement(Verdict.REFUSED, (found.problem,))
        reasons = tuple(found.reasons)
        if found.pairing is not None:
            fills = int(found.pairing.liaison_officer_id is None and bool(row.text("officer")))
            return Judgement(Verdict.SAME, reasons, match_id=found.pairing.id, fills=fills)
        key = (
            normalised_name(row.text("leader")),
            normalised_name(row.text("position")),
            normalised_name(row.text("talent")),
            found.talent.id if found.talent else _index(row.text("phone")),
        )
        earlier = errand.seen.get(key)
        if earlier is not None:
            return Judgement(
                Verdict.SAME,
                (Reason(N_("The same pairing as in row %(number)s."), {"number": earlier.number}),),
                match_row=earlier,
            )
        errand.seen[key] = RowKey(row.sheet, row.number)
        return Judgement(Verdict.NEW, reasons)


def _organisation(errand: Errand) -> Organisation:
    return db.session.get_one(Organisation, errand.organisation_id)


@dataclass
class _Brought:
    """What a row brought besides its pairing."""

    accounts: list[int] = field(default_factory=list)
    roles: list[list[object]] = field(default_factory=list)  # account, role, organisation
    person: dict[str, object] | None = None
    officer: int | None = None

    @property
    def trace(self) -> dict[str, object]:
        """What undoes it."""
        return {"accounts": self.accounts, "roles": self.roles, "person": self.person, "officer": self.officer}


def _with_role(
    account: Account | None,
    role: Role,
    *,
    name: str,
    position: str | None,
    phone: str | None,
    brought: _Brought,
    errand: Errand,
) -> Account:
    """Return the account with the role at the importing office: the one that was found, or a new one."""
    organisation = _organisation(errand)
    if account is None:
        account = create_account(
            name=name,
            organisation=organisation,
            roles=[(role, organisation)],
            position=position,
            phone=phone,
            email=None,
            by=errand.by,
            now=errand.now,
        )
        brought.accounts.append(account.id)
        return account
    held = [(grant.role, grant.organisation) for grant in account.grants]
    if (role, organisation) not in held:
        set_roles(account=account, roles=[*held, (role, organisation)], by=errand.by, now=errand.now)
        brought.roles.append([account.id, role.value, organisation.id])
    return account


def _new_talent(row: Row, organisation: Organisation, brought: _Brought, errand: Errand) -> Person:
    came = bring(
        kind=ContactKind.PHONE,
        value=normalised_phone(row.text("phone")),
        name=row.text("talent"),
        organisation=organisation,
        origin=Origin(f"import:{errand.import_id}", row.number),
        by=errand.by,
        now=errand.now,
    )
    brought.person, talent = came.trace, came.person
    if talent.employer is None and row.text("employer"):
        talent.employer = row.text("employer")[:200]
    return talent


def _undone(landed: Landed, errand: Errand) -> Reason | None:
    """Take out what one row brought; say why something of it stays."""
    trace, why = landed.trace, None
    if "made" in trace and not operations.take_back(pairing_id=trace["made"], by=errand.by, now=errand.now):
        return Reason(N_("Visits or other entries belong to this pairing by now; it stays."))
    if trace.get("officer"):
        pairing = db.session.get(Pairing, trace["filled"])
        if pairing is not None and pairing.liaison_officer_id == trace["officer"]:
            pairing.liaison_officer = None
            db.session.flush()
    for account_id, role, organisation_id in trace.get("roles", ()):
        why = _role_taken_off(account_id, role, organisation_id, errand) or why
    if take_back_accounts(ids=trace.get("accounts", ()), by=errand.by, now=errand.now):
        why = Reason(N_("The account is in use, or something names it; it stays. It can be closed by hand."))
    if trace.get("person"):
        source = f"import:{errand.import_id}"
        stays = take_back_people(traces=[trace["person"]], source=source, by=errand.by, now=errand.now)[0]
        why = Reason(stays) if stays else why
    return why


def _role_taken_off(account_id: int, role: str, organisation_id: int, errand: Errand) -> Reason | None:
    account = db.session.get(Account, account_id)
    if account is None:
        return None
    held = [(grant.role, grant.organisation) for grant in account.grants]
    left = [(one, at) for one, at in held if (one.value, at.id) != (role, organisation_id)]
    try:
        with db.session.begin_nested():
            set_roles(account=account, roles=left, by=errand.by, now=errand.now)
    except Refused as refused:
        return Reason(refused.message, {name: str(value) for name, value in refused.values.items()})
    return None


def _index(phone: str) -> str | None:
    """Return the blind index of a number, or None where it is none."""
    with suppress(Refused):
        return blind(normalised_phone(phone), purpose="phone")
    return None


def _people_at(indexes: Iterable[str | None], below: sa.Select[tuple[int]]) -> dict[str, list[Person]]:
    found: dict[str, list[Person]] = {}
    for index, person in db.session.execute(
        sa.select(ContactPoint.index, Person)
        .join(PersonContact, PersonContact.contact_point_id == ContactPoint.id)
        .join(Person, Person.id == PersonContact.person_id)
        .where(
            ContactPoint.kind == ContactKind.PHONE,
            ContactPoint.index.in_(indexes),
            PersonContact.until.is_(None),
            Person.organisation_id.in_(below),
        )
        .order_by(Person.id)
    ).unique():
        found.setdefault(index, []).append(person)
    return found


IMPORTER = Importer(
    key="pairings",
    label=N_("Pairings of leaders and talents"),
    permission=Permission.PEOPLE_IMPORT,
    sheets=(PairingSheet(),),
    record=("liaison.pairing", "pairing_id"),
    onward=(Onward(N_("See the pairings"), "liaison.index"),),
    words=Words(
        same=N_("Paired already"),
        doubtful=N_("Perhaps paired already"),
        no_same=N_("None is paired already"),
        is_same=N_("The same pairing"),
        is_another=N_("Another pairing"),
        landed=N_("%(created)s pairings made, %(known)s were here already."),
    ),
)
