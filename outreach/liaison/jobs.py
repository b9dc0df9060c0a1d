"""What liaison does in the morning of every working day."""

from dataclasses import asdict
from datetime import datetime

from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.outbox import Work
from outreach.liaison.queries import digests
from outreach.notices import operations as notices
from outreach.organisations.models import Account
from outreach.signing_in import operations as signing_in


def digest(*, now: datetime, work: Work) -> None:
    """Mail to those who keep in touch what waits for them, if anything does; on working days, once a day.

    The mail holds figures and a link, no names. Begun a second time it goes on with those who were not told yet.
    """
    if not working_calendar().is_working_day(office_day(now)):
        return
    for account_id in digests.to_be_told(now=now):
        account = db.session.get_one(Account, account_id)
        morning = digests.morning_of(account, now=now)
        if not morning.is_quiet:
            notices.tell_account(
                kind=digests.KIND,
                account=account,
                template="liaison/messages/digest.txt",
                values={
                    "name": account.name,
                    "token": signing_in.make_way_in(account=account, now=now),
                    **asdict(morning),
                },
                now=now,
            )
        db.session.commit()
