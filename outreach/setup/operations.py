"""The first set-up of a city: once."""

from datetime import datetime

from outreach.kernel.actor import SYSTEM
from outreach.organisations import operations as organisations
from outreach.organisations.models import Account
from outreach.organisations.rules import Role
from outreach.people import operations as people
from outreach.signing_in import operations as signing_in


def set_up_city(
    *,
    city_name: str,
    office_name: str,
    office_short_name: str,
    brand_colour: str,
    language: str,
    name: str,
    username: str | None,
    phone: str | None,
    email: str | None,
    password: str,
    also_organises: bool,
    now: datetime,
) -> Account:
    """Make this database a city's installation and return its first administrator, ready to sign in.

    :raises AlreadySetUp: the second time
    :raises kernel.refusals.Refused: as organisations.operations.create_account and signing_in's passwords do
    """
    installation = organisations.set_up(
        city_name=city_name,
        name=office_name,
        short_name=office_short_name,
        brand_colour=brand_colour,
        language=language,
        by=SYSTEM,
        now=now,
    )
    people.seed_consent_texts(now=now)
    people.seed_classes_and_fields()
    lead = installation.lead_organisation
    roles = [Role.ADMINISTRATOR, Role.ORGANISER] if also_organises else [Role.ADMINISTRATOR]
    account = organisations.create_account(
        name=name,
        organisation=lead,
        roles=[(role, lead) for role in roles],
        position=None,
        phone=phone,
        email=email,
        username=username,
        by=SYSTEM,
        now=now,
    )
    signing_in.set_first_password(account=account, password=password, now=now)
    return account
