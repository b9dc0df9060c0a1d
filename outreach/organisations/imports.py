"""The tree of organisations and its people, from one file of two sheets (单位, 人员).

Units are named by full or short name, in any order: a unit may stand before the one it belongs to. The row of
the lead office is recognised as the root that the first set-up made.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa

from outreach.intake.operations import one_by_one
from outreach.intake.queries import rows_of_sheet
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
from outreach.kernel.contact_details import normalised_email, normalised_phone
from outreach.kernel.database import db
from outreach.kernel.refusals import Refused
from outreach.kernel.sealing import blind
from outreach.kernel.wording import N_
from outreach.organisations import operations, queries
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import (
    KIND_SAID,
    ROLE_SAID,
    AnotherLead,
    NoPersonName,
    NoUnitName,
    NumberOfAnother,
    OrganisationKind,
    Permission,
    Role,
    UnitAmbiguous,
    UnitElsewhere,
    UnitMissing,
    UnitsInACircle,
    UnitUnknown,
    kind_said,
    roles_said,
)

UNITS, PEOPLE = 0, 1
HOUSE = "house"
"""Where an errand remembers the tree, over one judging or one batch of landing."""


class _House:
    """The tree as it is, and the units the file adds to it."""

    def __init__(self, errand: Errand) -> None:
        self.viewer = db.session.get_one(Account, errand.account_id)
        self.own = db.session.get_one(Organisation, errand.organisation_id)
        self.root = queries.lead_organisation()
        self._by_text: dict[str, list[Organisation]] = {}
        for unit in db.session.scalars(sa.select(Organisation).order_by(Organisation.id)):
            self.add(unit)
        self._rows: dict[str, list[Row]] = {}
        for row in rows_of_sheet(errand.import_id, UNITS):
            for text in dict.fromkeys((row.text("name"), row.text("short_name"))):
                if text:
                    self._rows.setdefault(text, []).append(row)
        self.made_now: list[int] = []  # units added for the row that is landing
        self._names_root = any(self._is_named_as_root(row) for rows in self._rows.values() for row in rows)

    def add(self, unit: Organisation) -> None:
        for text in dict.fromkeys((unit.name, unit.short_name)):
            self._by_text.setdefault(text, []).append(unit)

    def find(self, text: str) -> Organisation | Row:
        """Return the unit of a full or short name: as it stands in the tree, else its row in the file.

        :raises UnitUnknown: if there is none
        :raises UnitAmbiguous: if there are several
        """
        units = self._by_text.get(text, [])
        if len(units) > 1:
            units = [unit for unit in units if unit.name == text] or units
        if len(units) > 1:
            raise UnitAmbiguous(text=text)
        if units:
            return units[0]
        rows = self._rows.get(text, [])
        if len({row.text("name") for row in rows}) > 1:
            raise UnitAmbiguous(text=text)
        if not rows:
            raise UnitUnknown(text=text)
        return self.standing(rows[0]) or rows[0]

    def standing(self, row: Row) -> Organisation | None:
        """Return the unit that a row of the file names, if it stands in the tree already."""
        if self.is_root(row):
            return self.root
        units = self._by_text.get(row.text("name"), [])
        if len(units) > 1:
            with suppress(Refused):
                parent = self.parent_of(row)
                units = [unit for unit in units if isinstance(parent, Organisation) and unit.parent_id == parent.id]
        return units[0] if len(units) == 1 else None

    def is_root(self, row: Row) -> bool:
        """Tell whether a row is the lead office's: by its name, or as the file's one 牵头部门 at the top."""
        if self._is_named_as_root(row):
            return True
        if self._names_root or row.text("parent"):
            return False
        with suppress(Refused):
            return kind_said(row.text("kind")) is OrganisationKind.LEAD
        return False

    def _is_named_as_root(self, row: Row) -> bool:
        names = {self.root.name, self.root.short_name}
        return row.text("name") in names or (row.text("short_name") in names and not row.text("parent"))

    def parent_of(self, row: Row) -> Organisation | Row:
        """Return what a row's unit belongs to; the importing office where the file does not say.

        :raises UnitUnknown: and its siblings, if it cannot be told
        """
        text = row.text("parent")
        return self.find(text) if text else self.own

    def place_of(self, row: Row) -> Organisation:
        """Return the standing unit under which a row's unit will come to stand, perhaps by way of other rows.

        :raises UnitsInACircle: if the rows above it lead back to it
        :raises UnitElsewhere: if whoever imports does not look after that place
        """
        seen = {row.number}
        above = self.parent_of(row)
        while isinstance(above, Row):
            if above.number in seen:
                raise UnitsInACircle(text=row.text("name"))
            seen.add(above.number)
            above = self.parent_of(above)
        self.look_after(above)
        return above

    def look_after(self, unit: Organisation) -> None:
        if not queries.reaches(self.viewer, unit, Permission.ADMINISTER):
            raise UnitElsewhere(text=unit.short_name)

    def made(self, row: Row, errand: Errand) -> Organisation:
        """Return the unit of a row, added to the tree if it is not there, after those above it.

        :raises Refused: if one of them cannot be added
        """
        unit = self.standing(row)
        if unit is not None:
            return unit
        checked = _checked_unit(row, self)
        self.place_of(row)
        parent = self.parent_of(row)
        unit = operations.create_organisation(
            name=checked.name,
            short_name=checked.short_name,
            kind=checked.kind,
            parent=self.made(parent, errand) if isinstance(parent, Row) else parent,
            by=errand.by,
            now=errand.now,
        )
        self.add(unit)
        self.made_now.append(unit.id)
        return unit


@dataclass(frozen=True)
class _Unit:
    name: str
    short_name: str
    kind: OrganisationKind


@dataclass(frozen=True)
class _Member:
    name: str
    unit: Organisation | Row
    roles: list[Role]
    phone: str | None
    email: str | None


class Units:
    """Rows of the tree."""

    key = "units"
    label = N_("Units")
    fields = (
        Field("name", N_("Full name"), ("单位全称", "单位名称", "名称", "机构名称", "单位"), required=True),
        Field("short_name", N_("Short name"), ("简称", "单位简称")),
        Field("parent", N_("Belongs to"), ("上级单位", "上级", "隶属单位", "隶属", "主管单位"), required=True),
        Field("kind", N_("Kind"), ("类别", "单位类别", "类型", "单位类型", "性质")),
    )

    def judge(self, rows: Sequence[Row], errand: Errand) -> list[Judgement]:
        """Say of each row whether its unit is new, stands already, or cannot be taken."""
        house = _house_of(errand)
        return [_judged(lambda row=row: self._judge(row, house, errand)) for row in rows]

    def land(self, rows: Sequence[Landing], errand: Errand) -> list[Landed]:
        """Add the units, with those above them that the file names further down; one that stands stays as it is."""
        return one_by_one(rows, lambda landing: self._land(landing, errand))

    def undo(self, landed: Sequence[Landed], errand: Errand) -> list[Reason | None]:
        """Remove the units that rows added and nothing came to stand on."""
        return [_undone(one, errand) for one in landed]

    def _land(self, landing: Landing, errand: Errand) -> Landed:
        if landing.onto is not None:
            return Landed(landing.onto)
        try:
            house = _house_of(errand)
            house.made_now.clear()
            unit = house.made(landing.row, errand)
        except Refused:
            errand.seen.pop(HOUSE, None)  # what was added on the way is undone with it
            raise
        return Landed(unit.id, {"units": list(house.made_now)})

    def existing(self, ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        """Return the units as a file would say them."""
        units = db.session.scalars(sa.select(Organisation).where(Organisation.id.in_(ids)).order_by(Organisation.id))
        return {
            unit.id: {
                "name": unit.name,
                "short_name": unit.short_name,
                "parent": unit.parent.short_name if unit.parent else "",
                "kind": KIND_SAID[unit.kind],
            }
            for unit in units
        }

    def _judge(self, row: Row, house: _House, errand: Errand) -> Judgement:
        if house.is_root(row):
            called = (
                ()
                if house.root.name == row.text("name")
                else (Reason(N_("This is the lead office; it is called %(name)s here."), {"name": house.root.name}),)
            )
            return Judgement(Verdict.SAME, called, match_id=house.root.id)
        checked = _checked_unit(row, house)
        place = house.place_of(row)
        standing = house.standing(row)
        if standing is not None:
            return Judgement(Verdict.SAME, _odd_about(standing, row, house), match_id=standing.id)
        earlier = errand.seen.setdefault(("unit", checked.name, row.text("parent")), RowKey(row.sheet, row.number))
        if earlier.number != row.number or earlier.sheet != row.sheet:
            return Judgement(Verdict.SAME, (Reason(N_("The same unit stands above in this file.")),), match_row=earlier)
        if not row.text("parent"):
            return Judgement(
                Verdict.NEW,
                (
                    Reason(
                        N_("No unit above it is named: it comes to stand under %(name)s."), {"name": place.short_name}
                    ),
                ),
            )
        return Judgement(Verdict.NEW)


class People:
    """Rows of those who work here."""

    key = "people"
    label = N_("Staff")
    fields = (
        Field("name", N_("Name"), ("姓名", "人员姓名"), required=True),
        Field("unit", N_("Unit"), ("单位", "所在单位", "工作单位", "单位名称"), required=True),
        Field("position", N_("Position"), ("职务", "职务职级", "岗位")),
        Field("roles", N_("Roles"), ("平台角色", "角色", "系统角色", "权限"), required=True),
        Field("phone", N_("Mobile number"), ("手机", "手机号", "手机号码", "联系电话", "电话"), shown=Shown.PHONE),
        Field("email", N_("Mail address"), ("邮箱", "电子邮箱", "邮件", "email"), shown=Shown.EMAIL),
    )

    def judge(self, rows: Sequence[Row], errand: Errand) -> list[Judgement]:
        """Say of each row whether it is somebody new, somebody with an account, or cannot be taken."""
        house = _house_of(errand)
        known = _Accounts(rows)
        return [_judged(lambda row=row: self._judge(row, house, known, errand)) for row in rows]

    def land(self, rows: Sequence[Landing], errand: Errand) -> list[Landed]:
        """Open accounts, or fill what is blank in those there and add the roles they lack."""
        return one_by_one(rows, lambda landing: self._land(landing, errand))

    def undo(self, landed: Sequence[Landed], errand: Errand) -> list[Reason | None]:
        """Remove the accounts that rows opened and nobody uses; empty again what they filled, take off their roles."""
        return [_undone(one, errand) for one in landed]

    def _land(self, landing: Landing, errand: Errand) -> Landed:
        row, onto = landing.row, landing.onto
        house = _house_of(errand)
        house.made_now.clear()
        try:
            member = _checked_member(row, house)
            unit = house.made(member.unit, errand) if isinstance(member.unit, Row) else member.unit
            house.look_after(unit)
        except Refused:
            errand.seen.pop(HOUSE, None)
            raise
        units = list(house.made_now)
        if onto is None:
            account = operations.create_account(
                name=member.name,
                organisation=unit,
                roles=[(role, unit) for role in member.roles],
                position=row.text("position"),
                phone=member.phone,
                email=member.email,
                by=errand.by,
                now=errand.now,
            )
            return Landed(account.id, {"accounts": [account.id], "units": units})
        account = queries.account_for(house.viewer, onto)
        said = {"position": row.text("position"), "phone": member.phone, "email": member.email}
        filled = {name: value for name, value in said.items() if value and not getattr(account, name)}
        held = [(grant.role, grant.organisation) for grant in account.grants]
        added = [(role, unit) for role in member.roles if (role, unit) not in held]
        _changed(account, filled, [*held, *added], errand)
        trace = {"account": account.id, "filled": {name: getattr(account, name) for name in filled}, "units": units}
        return Landed(account.id, trace | {"roles": [[role.value, at.id] for role, at in added]})

    def existing(self, ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        """Return the accounts as a file would say them."""
        accounts = db.session.scalars(sa.select(Account).where(Account.id.in_(ids)).order_by(Account.id))
        return {
            account.id: {
                "name": account.name,
                "unit": account.organisation.short_name,
                "position": account.position or "",
                "roles": "、".join(ROLE_SAID[grant.role] for grant in account.grants),
                "phone": account.phone or "",
                "email": account.email or "",
            }
            for account in accounts
        }

    def _judge(self, row: Row, house: _House, known: "_Accounts", errand: Errand) -> Judgement:
        member = _checked_member(row, house)
        if isinstance(member.unit, Row):
            house.place_of(member.unit)
        else:
            house.look_after(member.unit)
        account = known.who_is(member)
        if account is not None:
            return self._same(row, account, member)
        return self._of_this_file(row, member, errand)

    def _same(self, row: Row, account: Account, member: _Member) -> Judgement:
        blanks = [
            (account.position, row.text("position")),
            (account.phone, member.phone),
            (account.email, member.email),
        ]
        held = {grant.role for grant in account.grants}
        added = [role for role in member.roles if role not in held]
        reasons = [Reason(N_("Gets another role: %(role)s."), {"role": ROLE_SAID[role]}) for role in added]
        if isinstance(member.unit, Organisation) and account.organisation_id != member.unit.id:
            reasons.append(
                Reason(
                    N_("Stays at %(name)s, where the account was opened."), {"name": account.organisation.short_name}
                )
            )
        fills = sum(1 for held_already, said in blanks if said and not held_already)
        return Judgement(Verdict.SAME, tuple(reasons), match_id=account.id, fills=fills)

    def _of_this_file(self, row: Row, member: _Member, errand: Errand) -> Judgement:
        """Compare with the rows above: a number or address belongs to one person; else name and unit tell."""
        here = RowKey(row.sheet, row.number)
        unit = member.unit.text("name") if isinstance(member.unit, Row) else member.unit.name
        keys = [("reach", way) for way in (member.phone, member.email) if way]
        for key in keys or [("member", member.name, unit)]:
            name, earlier = errand.seen.setdefault(key, (member.name, here))
            if earlier == here:
                continue
            if name != member.name:
                raise NumberOfAnother(name=name)
            return Judgement(
                Verdict.SAME, (Reason(N_("The same person stands above in this file.")),), match_row=earlier
            )
        return Judgement(Verdict.NEW)


class _Accounts:
    """The accounts that some rows may mean, looked up once for all of them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        names, phones, emails = set(), set(), set()
        for row in rows:
            names.add(row.text("name"))
            with suppress(Refused):
                phones.add(blind(normalised_phone(row.text("phone")), purpose="phone"))
            with suppress(Refused):
                emails.add(blind(normalised_email(row.text("email")), purpose="email"))
        found = db.session.scalars(
            sa.select(Account)
            .where(sa.or_(Account.name.in_(names), Account.phone_index.in_(phones), Account.email_index.in_(emails)))
            .order_by(Account.id)
        ).all()
        self._reached = {way: account for account in found for way in (account.phone, account.email) if way}
        self._named: dict[tuple[str, int], list[Account]] = {}
        for account in found:
            self._named.setdefault((account.name, account.organisation_id), []).append(account)

    def who_is(self, member: _Member) -> Account | None:
        """Return the account a row means: by number or address and name; by name and unit where nothing contradicts.

        :raises NumberOfAnother: if the number or address is somebody else's
        """
        for way in (member.phone, member.email):
            account = self._reached.get(way) if way else None
            if account is not None:
                if account.name != member.name:
                    raise NumberOfAnother(name=account.name)
                return account
        if isinstance(member.unit, Row):
            return None
        fitting = [
            account
            for account in self._named.get((member.name, member.unit.id), [])
            if not (account.phone and member.phone) and not (account.email and member.email)
        ]
        return fitting[0] if len(fitting) == 1 else None


def _changed(
    account: Account, values: Mapping[str, str | None], roles: Sequence[tuple[Role, Organisation]], errand: Errand
) -> None:
    """Write down what of an account is to change, and the roles it is to hold."""
    if values:
        operations.edit_account(
            account=account,
            name=account.name,
            username=account.username,
            organisation=account.organisation,
            **{name: values.get(name, getattr(account, name)) for name in ("position", "phone", "email")},
            by=errand.by,
            now=errand.now,
        )
    operations.set_roles(account=account, roles=roles, by=errand.by, now=errand.now)


def _undone(landed: Landed, errand: Errand) -> Reason | None:
    """Take out what one row brought; say why something of it stays."""
    trace, why = landed.trace, None
    if operations.take_back_accounts(ids=trace.get("accounts", ()), by=errand.by, now=errand.now):
        why = Reason(N_("The account is in use, or something names it; it stays. It can be closed by hand."))
    account = db.session.get(Account, trace["account"]) if "account" in trace else None
    if account is not None:
        same = {name: None for name, value in trace["filled"].items() if getattr(account, name) == value}
        if len(same) < len(trace["filled"]):
            why = Reason(N_("Some of what the row filled in was changed since; that stays."))
        added = {(role, at) for role, at in trace["roles"]}
        held = [(grant.role, grant.organisation) for grant in account.grants]
        left = [(role, at) for role, at in held if (role.value, at.id) not in added]
        try:
            with db.session.begin_nested():
                _changed(account, same, left, errand)
        except Refused as refused:  # the last administrator, one's own account
            why = Reason(refused.message, {name: str(value) for name, value in refused.values.items()})
    if operations.take_back_organisations(ids=trace.get("units", ()), by=errand.by, now=errand.now):
        why = Reason(N_("Accounts, people or other units belong to this unit by now; it stays."))
    return why


def _house_of(errand: Errand) -> _House:
    if HOUSE not in errand.seen:
        errand.seen[HOUSE] = _House(errand)
    return errand.seen[HOUSE]


def _judged(judge: Callable[[], Judgement]) -> Judgement:
    try:
        return judge()
    except Refused as refused:
        values = {name: str(value) for name, value in refused.values.items()}
        return Judgement(Verdict.REFUSED, (Reason(refused.message, values),))


def _checked_unit(row: Row, house: _House) -> _Unit:
    name = row.text("name")
    if not name:
        raise NoUnitName
    kind = kind_said(row.text("kind"))
    if kind is OrganisationKind.LEAD:
        raise AnotherLead(name=house.root.short_name)
    return _Unit(name=name[:200], short_name=(row.text("short_name") or name)[:60], kind=kind)


def _checked_member(row: Row, house: _House) -> _Member:
    name, unit = row.text("name"), row.text("unit")
    if not name:
        raise NoPersonName
    if not unit:
        raise UnitMissing
    phone, email = row.text("phone"), row.text("email")
    return _Member(
        name=name[:120],
        unit=house.find(unit),
        roles=roles_said(row.text("roles")),
        phone=normalised_phone(phone) if phone else None,
        email=normalised_email(email) if email else None,
    )


def _odd_about(standing: Organisation, row: Row, house: _House) -> tuple[Reason, ...]:
    parent = house.parent_of(row) if row.text("parent") else None
    if isinstance(parent, Organisation) and standing.parent is not None and parent.id != standing.parent_id:
        return (Reason(N_("Stays under %(name)s, where it stands here."), {"name": standing.parent.short_name}),)
    return ()


IMPORTER = Importer(
    key="organisations",
    label=N_("Units and staff"),
    permission=Permission.ADMINISTER,
    sheets=(Units(), People()),
    onward=(
        Onward(N_("Print the one-time links"), "organisations.accounts"),
        Onward(N_("See the tree"), "organisations.index"),
    ),
    words=Words(
        same=N_("Here already, the same"),
        doubtful=N_("Perhaps the same"),
        no_same=N_("Nothing of it is here already"),
        is_same=N_("The same"),
        is_another=N_("Another one"),
        landed=N_("%(created)s units and accounts new, %(known)s were here already."),
    ),
)
