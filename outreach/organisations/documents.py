"""What a city wears: the stylesheet of its colour, and its mark; and what leaves the house about units and accounts."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from flask_babel import gettext
from sqlalchemy.orm import aliased

from outreach.exports.rules.offers import Asked, Column, Sensitive, Table
from outreach.kernel.wording import N_
from outreach.organisations import queries
from outreach.organisations.models import Account, Grant, Organisation
from outreach.organisations.rules import Permission, Role, brand, mark
from outreach.organisations.rules.brand import Brand
from outreach.web.filters import masked_email, masked_phone


def brand_stylesheet(colour: str) -> str:
    """Return the CSS that puts a city's colour in the place of the design's own, in both themes.

    Nothing for the design's own colour: its values stand in the design's tokens.
    """
    if colour == brand.DEFAULT:
        return ""
    light, dark = _declarations(brand.light(colour)), _declarations(brand.dark(colour))
    return (
        f":root {{ {light} }}\n"
        f'[data-bs-theme="dark"] {{ {dark} }}\n'
        f'@media (prefers-color-scheme: dark) {{ [data-bs-theme="auto"] {{ {dark} }} }}\n'
    )


def drawn_anew(content: bytes) -> bytes:
    """Return an uploaded mark as a square PNG of our own making: nothing of the file but its look remains.

    :raises Refused: as rules.mark.checked, and NotAMark if it cannot be drawn after all
    """
    import typst  # noqa: PLC0415 -- slow to import, and marks are rare

    name = f"mark.{mark.checked(content)}"
    page = (
        f"#set page(width: {mark.SIDE}pt, height: {mark.SIDE}pt, margin: 0pt, fill: none)\n"
        f'#align(center + horizon, image("{name}", width: 100%, height: 100%, fit: "contain"))'
    )
    with TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        (Path(folder) / "page.typ").write_text(page)
        try:
            return typst.compile(Path(folder) / "page.typ", root=folder, format="png", ppi=72.0)
        except typst.TypstError as error:
            raise mark.NotAMark from error


def _declarations(values: Brand) -> str:
    return " ".join(f"--{name.replace('_', '-')}: {value};" for name, value in asdict(values).items())


_above = aliased(Organisation)
PHONE = Sensitive(Permission.ADMINISTER, masked_phone)
EMAIL = Sensitive(Permission.ADMINISTER, masked_email)


def _roles(held: str | None) -> str | None:
    return "、".join(gettext(Role(one).label) for one in sorted(set(held.split(",")))) if held else None


def _account_words(asked: Asked) -> list[tuple[str, str | None]]:
    text, waiting = asked.arguments.get("q", ""), asked.arguments.get("show") == "waiting"
    return [
        (gettext("Search"), f"“{text}”" if text else ""),
        (gettext("State"), gettext("Without a password yet") if waiting else ""),
    ]


ORGANISATIONS = Table(
    key="organisations",
    label=N_("List of units"),
    permissions=(Permission.EXPORT, Permission.ADMINISTER),
    columns=(
        Column("name", N_("Full name"), (Organisation.name,)),
        Column("short_name", N_("Short name"), (Organisation.short_name,)),
        Column("kind", N_("Kind"), (Organisation.kind,)),
        Column("parent", N_("Belongs to"), (_above.name,)),
        Column(
            "accounts",
            N_("Open accounts"),
            (
                sa.select(sa.func.count(Account.id))
                .where(Account.organisation_id == Organisation.id, Account.disabled_at.is_(None))
                .scalar_subquery(),
            ),
        ),
    ),
    rows=lambda asked: (
        sa.select(Organisation.id)
        .where(Organisation.id.in_(queries.reach(asked.account, Permission.ADMINISTER)))
        .order_by(Organisation.path)
    ),
    source=lambda: sa.select(Organisation.id).outerjoin(_above, _above.id == Organisation.parent_id),
    row=Organisation.id,
    unit=N_("%(n)s units"),
)
ACCOUNTS = Table(
    key="accounts",
    label=N_("List of accounts"),
    permissions=(Permission.EXPORT, Permission.ADMINISTER),
    columns=(
        Column("name", N_("Name"), (Account.name,)),
        Column("username", N_("Username"), (Account.username,)),
        Column("position", N_("Position"), (Account.position,)),
        Column("unit", N_("Unit"), (Organisation.name,)),
        Column(
            "roles",
            N_("Roles"),
            (
                sa.select(sa.func.aggregate_strings(sa.cast(Grant.role, sa.String), ","))
                .where(Grant.account_id == Account.id)
                .scalar_subquery(),
            ),
            shown=_roles,
        ),
        Column("phone", N_("Mobile number"), (Account.phone,), sensitive=PHONE),
        Column("email", N_("E-mail"), (Account.email,), sensitive=EMAIL),
        Column("created_at", N_("Opened at"), (Account.created_at,)),
        Column("activated_at", N_("Activated at"), (Account.activated_at,)),
        Column("disabled_at", N_("Disabled at"), (Account.disabled_at,)),
    ),
    rows=lambda asked: queries.account_ids(
        asked.account, text=asked.arguments.get("q", "")[:80], waiting=asked.arguments.get("show") == "waiting"
    ),
    source=lambda: sa.select(Account.id).join(Organisation, Organisation.id == Account.organisation_id),
    row=Account.id,
    unit=N_("%(n)s accounts"),
    arguments=("q", "show"),
    narrowed=_account_words,
)
