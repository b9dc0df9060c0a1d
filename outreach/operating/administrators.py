"""The way back in when no administrator can sign in."""

from datetime import datetime

from outreach.kernel.actor import SYSTEM
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.organisations import operations as organisations
from outreach.organisations import queries
from outreach.organisations.models import Account
from outreach.organisations.rules import Role
from outreach.signing_in.operations import make_link


class NotSetUp(Refused):
    """There is no city yet."""

    message = N_("This installation is not set up yet: open /desk/setup, which makes the first administrator.")


def let_in(*, username: str, name: str | None, now: datetime) -> tuple[Account, str]:
    """Make the account of this username an administrator of everything, open again if it was closed, and return it
    with a one-time link's token by which a new password is chosen. Without such an account one is made.

    What is done is in the account's history, by the system itself: whoever may run commands on the server did it.

    :raises NotSetUp: before the first set-up
    :raises kernel.refusals.Refused: as organisations.operations.create_account does
    """
    if queries.installation() is None:
        raise NotSetUp
    lead = queries.lead_organisation()
    account = queries.account_named(username.lower())
    if account is None:
        account = organisations.create_account(
            name=name or username,
            organisation=lead,
            roles=[(Role.ADMINISTRATOR, lead)],
            position=None,
            phone=None,
            email=None,
            username=username,
            by=SYSTEM,
            now=now,
        )
    else:
        if not account.is_active:
            organisations.enable_account(account=account, by=SYSTEM, now=now)
        held = [(grant.role, grant.organisation) for grant in account.grants]
        if (Role.ADMINISTRATOR, lead) not in held:
            organisations.set_roles(account=account, roles=[*held, (Role.ADMINISTRATOR, lead)], by=SYSTEM, now=now)
    return account, make_link(account=account, by=SYSTEM, now=now)
