"""What proves who somebody is.

What must be counted although the request fails (attempts) stands in functions of its own, `note_…`: the view runs
them first, in a transaction of their own, and they refuse once a limit is reached, before anything is compared.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.contact_details import normalised_email, normalised_phone
from outreach.kernel.database import db, locked, one_at_a_time
from outreach.kernel.history import Subject
from outreach.kernel.limits import Limit, free_from, minutes_until
from outreach.kernel.outbox import Urgency
from outreach.kernel.refusals import Refused
from outreach.kernel.sealing import blind, proof
from outreach.notices import operations as notices
from outreach.organisations import queries as organisations
from outreach.organisations.models import Account
from outreach.people import queries as people
from outreach.people.models import ContactPoint
from outreach.people.rules import ContactKind, normalised_name
from outreach.signing_in import queries
from outreach.signing_in.models import ActivationLink, Attempt, ContactCode, TrustedDevice, WayIn
from outreach.signing_in.rules import (
    ATTEMPTS_ARE_KEPT,
    BETWEEN_CODES,
    CODE_LASTS,
    FAILURES_COUNT_FOR,
    LINK_LASTS,
    LINKS_FROM_ONE_ADDRESS,
    NAMES_FOR_ONE_NUMBER,
    PASSWORDS_FROM_ONE_ADDRESS,
    SENT_FROM_ONE_ADDRESS,
    SENT_TO_ONE_NUMBER,
    TRIED_FOR_ONE_NUMBER,
    TRIED_FROM_ONE_ADDRESS,
    TRIES_PER_CODE,
    TRUST_LASTS,
    WAY_IN_LASTS,
    AccountRests,
    AddressRests,
    AttemptKind,
    CodeOnItsWay,
    CodeSpent,
    CodesSpent,
    CodeWrong,
    LinkSpent,
    NamesSpent,
    NetworkBusy,
    NotKnownHere,
    NotSignedIn,
    NotTrustedHere,
    PasswordWrong,
    TriesSpent,
    check_password,
    fresh_code,
    fresh_link,
    fresh_secret,
    plain_code,
    seconds_until,
    wait_after,
)

HASHER = PasswordHasher()  # argon2id with the library's present parameters (RFC 9106, low memory)


@dataclass(frozen=True)
class PasswordAttempt:
    """A noted attempt to sign in, to be compared by `sign_in`."""

    account_id: int | None
    attempt_ids: tuple[int, ...]


def note_password(*, name: str, address: str, now: datetime) -> PasswordAttempt:
    """Count an attempt to sign in by a username, number or mail address, before the password is compared.

    Counted per account (or, where nobody has the name, per name: nothing tells the two apart) and per address.

    :raises AccountRests: while the account rests after too many failures
    :raises AddressRests: after too many failures from one address
    """
    account = _account_of(name)
    key = blind(f"account {account.id}" if account else f"name {name}", purpose="attempt")
    one_at_a_time(f"password {key}")
    past = queries.attempts(AttemptKind.PASSWORD, key, since=now - FAILURES_COUNT_FOR)
    failures: list[Attempt] = []
    for attempt in past:
        failures = [] if attempt.succeeded else [*failures, attempt]
    if failures and (free := failures[-1].at + wait_after(len(failures))) > now:
        raise AccountRests(minutes=minutes_until(free, now))
    noted = [
        _count(AttemptKind.PASSWORD_FROM, address, PASSWORDS_FROM_ONE_ADDRESS, now=now, refusal=AddressRests),
        Attempt(kind=AttemptKind.PASSWORD, key=key, at=now),
    ]
    db.session.add_all(noted)
    forget_old_attempts(now=now)
    db.session.flush()  # the comparison, in a transaction of its own, finds them by their ids
    return PasswordAttempt(account.id if account else None, tuple(each.id for each in noted))


def sign_in(*, attempt: PasswordAttempt, password: str) -> Account:
    """Return the account whose password this is.

    Takes as long for a name nobody has as for a wrong password, and answers the same.

    :raises NotSignedIn: for everything else
    """
    account = db.session.get(Account, attempt.account_id) if attempt.account_id else None
    fits = _fits(account.password_hash if account else None, password)
    if account is None or not fits or not account.is_active:
        raise NotSignedIn
    for noted in db.session.scalars(sa.select(Attempt).where(Attempt.id.in_(attempt.attempt_ids)).order_by(Attempt.id)):
        noted.succeeded = True  # an office behind one address is not locked out by its many people
    if HASHER.check_needs_rehash(account.password_hash or ""):
        account.password_hash = HASHER.hash(password)
    return account


def change_password(*, account: Account, present: str, password: str, by: Actor, now: datetime) -> None:
    """Let somebody replace their own password; their other sessions end.

    :raises PasswordWrong: if the present one is not theirs
    :raises PasswordTooShort: and its siblings, for one that is guessed first
    """
    if not _fits(account.password_hash, present):
        raise PasswordWrong
    _choose(account, password)
    history.write(subject=Subject("account", account.id), act="password_changed", by=by, now=now)


def make_link(*, account: Account, by: Actor, now: datetime) -> str:
    """Return a new one-time link's token for an account; older ones stop working. Only its hash is kept."""
    db.session.scalar(locked(sa.select(Account.id).where(Account.id == account.id)))
    db.session.execute(
        sa.update(ActivationLink)
        .where(
            ActivationLink.account_id == account.id, ActivationLink.used_at.is_(None), ActivationLink.expires_at > now
        )
        .values(expires_at=now)
    )
    token = fresh_link()
    db.session.add(
        ActivationLink(
            account=account, token_hash=queries.hash_of_link(token), created_at=now, expires_at=now + LINK_LASTS
        )
    )
    history.write(subject=Subject("account", account.id), act="link_made", by=by, now=now)
    return token


def make_links(*, accounts: Iterable[Account], by: Actor, now: datetime) -> list[tuple[Account, str]]:
    """Return new one-time tokens for several accounts, in their order, and mail them to those who have an address."""
    made = [(account, make_link(account=account, by=by, now=now)) for account in accounts]
    for account, token in made:
        if account.email:
            notices.tell_account(
                kind="activation",
                account=account,
                template="signing_in/messages/activation.txt",
                values={
                    "name": account.name,
                    "unit": account.organisation.short_name,
                    "username": account.username,
                    "token": token,
                    "days": LINK_LASTS.days,
                },
                about=Subject("account", account.id),
                now=now,
            )
    return made


def note_link(*, address: str, now: datetime) -> None:
    """Count that a link was opened from an address.

    :raises AddressRests: after too many, as when somebody tries tokens in a loop
    """
    _count(AttemptKind.LINK_FROM, address, LINKS_FROM_ONE_ADDRESS, now=now, refusal=AddressRests)


def activate(*, token: str, password: str, now: datetime) -> Account:
    """Let whoever holds a one-time link choose the password of its account.

    :raises LinkSpent: if it was used, replaced, has run out or never was
    :raises PasswordTooShort: and its siblings, for a password that is guessed first
    """
    found = queries.link_of(token, now=now)
    if found is None:
        raise LinkSpent
    link = db.session.scalar(
        locked(sa.select(ActivationLink).where(ActivationLink.id == found.id, ActivationLink.used_at.is_(None)))
    )
    if link is None:  # used by another request while this one waited
        raise LinkSpent
    account = link.account
    _choose(account, password)
    link.used_at = now
    account.activated_at = account.activated_at or now
    history.write(subject=Subject("account", account.id), act="activated", by=account.actor, now=now)
    return account


def set_first_password(*, account: Account, password: str, now: datetime) -> None:
    """Give the first administrator of an installation the password chosen in the set-up.

    :raises PasswordTooShort: and its siblings, for one that is guessed first
    """
    _choose(account, password)
    account.activated_at = now
    history.write(subject=Subject("account", account.id), act="activated", by=account.actor, now=now)


def note_code_wanted(*, kind: ContactKind, value: str, address: str, now: datetime) -> str:
    """Count that a code is wanted for a number or mail address, before one is sent, and return its normal form.

    :raises kernel.contact_details.NotAPhone: for what is no mobile number
    :raises kernel.contact_details.NotAnEmail: for what is no address
    :raises CodeOnItsWay: within a minute of the last one
    :raises CodesSpent: after too many to this number
    :raises NetworkBusy: after very many from this network
    """
    normal = normalised_phone(value) if kind is ContactKind.PHONE else normalised_email(value)
    _count(AttemptKind.CODE_SENT_FROM, address, SENT_FROM_ONE_ADDRESS, now=now, refusal=NetworkBusy)
    key = blind(normal, purpose="attempt")
    one_at_a_time(f"code {key}")
    past = queries.times_of(AttemptKind.CODE_SENT, key, now=now, within=timedelta(days=1))
    free = free_from(SENT_TO_ONE_NUMBER, past, now)
    if free is not None and free - now <= BETWEEN_CODES:
        raise CodeOnItsWay(seconds=seconds_until(free, now))
    if free is not None:
        raise CodesSpent(minutes=minutes_until(free, now))
    db.session.add(Attempt(kind=AttemptKind.CODE_SENT, key=key, at=now))
    forget_old_attempts(now=now)
    return normal


def send_code(*, contact_point: ContactPoint, now: datetime) -> None:
    """Send six digits to a number or address; only the code sent last can be used."""
    code = fresh_code()
    db.session.add(
        ContactCode(
            contact_point_id=contact_point.id,
            code_hash=_hash_of_code(contact_point, code),
            sent_at=now,
            expires_at=now + CODE_LASTS,
        )
    )
    notices.tell(
        kind="sign_in_code",
        contact_point=contact_point,
        template="signing_in/messages/code.txt",
        values={"code": code, "minutes": CODE_LASTS // timedelta(minutes=1)},
        now=now,
        urgency=Urgency.NOW,
    )


def note_code_tried(*, contact_point: ContactPoint, address: str, now: datetime) -> None:
    """Count a try of a code, before it is compared.

    :raises TriesSpent: after too many for this number
    :raises AddressRests: after very many from this network
    :raises CodeSpent: if there is no code, or it is too old, was used, or was tried too often
    """
    _count(AttemptKind.CODE_TRIED_FROM, address, TRIED_FROM_ONE_ADDRESS, now=now, refusal=AddressRests)
    key = blind(contact_point.value, purpose="attempt")
    one_at_a_time(f"code {key}")
    past = queries.times_of(AttemptKind.CODE_TRIED, key, now=now, within=timedelta(days=1))
    free = free_from(TRIED_FOR_ONE_NUMBER, past, now)
    if free is not None:
        raise TriesSpent(minutes=minutes_until(free, now))
    code = queries.latest_code(contact_point.id)
    if code is None or code.used_at is not None or code.expires_at <= now or code.tries >= TRIES_PER_CODE:
        raise CodeSpent
    code.tries += 1
    db.session.add(Attempt(kind=AttemptKind.CODE_TRIED, key=key, at=now))


def note_name_tried(*, contact_point: ContactPoint, now: datetime) -> None:
    """Count that whoever holds a number said whose data they want to see, before the name is compared.

    :raises NamesSpent: after too many for this number
    """
    key = blind(contact_point.value, purpose="attempt")
    one_at_a_time(f"name {key}")
    past = queries.times_of(AttemptKind.NAME_TRIED, key, now=now, within=timedelta(days=1))
    free = free_from(NAMES_FOR_ONE_NUMBER, past, now)
    if free is not None:
        raise NamesSpent(minutes=minutes_until(free, now))
    db.session.add(Attempt(kind=AttemptKind.NAME_TRIED, key=key, at=now))


def prove_contact(*, contact_point: ContactPoint, code: str, now: datetime) -> bool:
    """Take the code as proof that whoever typed it holds the number or address; it can be used once.

    Returns whether that opens what was given through it: not where it was quiet for so long that it may be somebody
    else's by now. Then they first say who they are (`recognise`), or that it is new to them (people's `take_over`).

    :raises CodeWrong: if it is not the code sent last
    :raises CodeSpent: if it was the last try, or another request used the code meanwhile
    """
    one_at_a_time(f"code {blind(contact_point.value, purpose='attempt')}")
    sent = queries.latest_code(contact_point.id)
    if sent is None or sent.used_at is not None:
        raise CodeSpent
    if not hmac.compare_digest(sent.code_hash, _hash_of_code(contact_point, plain_code(code))):
        if sent.tries >= TRIES_PER_CODE:
            raise CodeSpent
        raise CodeWrong(left=TRIES_PER_CODE - sent.tries)
    sent.used_at = now
    if people.has_been_quiet(contact_point, now=now):
        return False
    contact_point.proven_at = now
    return True


def recognise(*, contact_point: ContactPoint, name: str, now: datetime) -> None:
    """Take a name as the sign that whoever proved a number that was long quiet is who held it before.

    :raises NotKnownHere: if nobody of this name is reached there
    """
    wanted = normalised_name(name)
    if not any(person.name_key == wanted for person in people.people_at(contact_point.id)):
        raise NotKnownHere
    contact_point.proven_at = now


def forget_codes(*, contact_point_id: int) -> None:
    """Delete the codes sent to a number or an address that is nobody's any more."""
    db.session.execute(sa.delete(ContactCode).where(ContactCode.contact_point_id == contact_point_id))


def delete_codes(*, ids: Sequence[int]) -> None:
    """Delete codes whose time is up."""
    db.session.execute(sa.delete(ContactCode).where(ContactCode.id.in_(ids)))


def forget_old_attempts(*, now: datetime) -> None:
    """Delete attempts that no limit looks at any more."""
    db.session.execute(sa.delete(Attempt).where(Attempt.at < now - ATTEMPTS_ARE_KEPT))


def _account_of(name: str) -> Account | None:
    for normalised in (normalised_phone, normalised_email):
        try:
            return organisations.account_named(normalised(name))
        except Refused:
            continue
    return organisations.account_named(name.strip().lower())


@cache
def _nobodys_hash() -> str:
    """Return what a password is compared with where there is none; made when first needed, for it takes 64 MB."""
    return HASHER.hash("nobody has this password")


def _fits(kept: str | None, password: str) -> bool:
    try:
        HASHER.verify(kept or _nobodys_hash(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return kept is not None


def _choose(account: Account, password: str) -> None:
    number = (account.phone or "").removeprefix("+86")
    check_password(password, known=(account.name, account.username, number, (account.email or "").partition("@")[0]))
    account.password_hash = HASHER.hash(password)
    db.session.execute(sa.delete(TrustedDevice).where(TrustedDevice.account_id == account.id))
    account.session_version += 1


def _hash_of_code(contact_point: ContactPoint, code: str) -> str:
    return proof(f"{contact_point.id} {code}", purpose="contact code")


def _address_key(address: str) -> str:
    return blind(address, purpose="address")


def _count(
    kind: AttemptKind, address: str, limits: tuple[Limit, ...], *, now: datetime, refusal: type[Refused]
) -> Attempt:
    key = _address_key(address)
    longest = max(limit.within for limit in limits)
    past = [attempt.at for attempt in queries.attempts(kind, key, since=now - longest) if not attempt.succeeded]
    free = free_from(limits, past, now)
    if free is not None:
        raise refusal(minutes=minutes_until(free, now))
    attempt = Attempt(kind=kind, key=key, at=now)
    db.session.add(attempt)
    return attempt


def trust_device(*, account: Account, now: datetime) -> str:
    """Return the secret by which the browser that has just signed in is known again; only its hash is kept."""
    token = fresh_secret()
    db.session.execute(sa.delete(TrustedDevice).where(TrustedDevice.since < now - TRUST_LASTS))
    db.session.add(TrustedDevice(account_id=account.id, token_hash=_hash_of_secret(token), since=now))
    return token


def distrust_device(*, token: str) -> None:
    """Know a browser no more: somebody signed out there."""
    db.session.execute(sa.delete(TrustedDevice).where(TrustedDevice.token_hash == _hash_of_secret(token)))


def make_way_in(*, account: Account, now: datetime) -> str:
    """Return the secret of a link that signs somebody in once, today, on a device they signed in on before."""
    token = fresh_secret()
    db.session.execute(sa.delete(WayIn).where(WayIn.expires_at < now - WAY_IN_LASTS))
    db.session.add(WayIn(account_id=account.id, token_hash=_hash_of_secret(token), expires_at=now + WAY_IN_LASTS))
    db.session.flush()
    return token


def enter(*, token: str, device: str, now: datetime) -> Account:
    """Return the account a link signs in, and use the link up.

    :raises NotTrustedHere: for a link that was used, has run out or never was, for a device that is not known, or known
        for somebody else, and for a closed account; the answer does not say which
    """
    way = db.session.scalar(
        locked(
            sa.select(WayIn).where(
                WayIn.token_hash == _hash_of_secret(token), WayIn.used_at.is_(None), WayIn.expires_at > now
            )
        )
    )
    known = way and db.session.scalar(
        sa.select(TrustedDevice.id).where(
            TrustedDevice.token_hash == _hash_of_secret(device),
            TrustedDevice.account_id == way.account_id,
            TrustedDevice.since > now - TRUST_LASTS,
        )
    )
    account = db.session.get(Account, way.account_id) if known else None
    if account is None or not account.is_active:
        raise NotTrustedHere
    way.used_at = now
    history.write(subject=Subject("account", account.id), act="entered_by_link", by=account.actor, now=now)
    return account


def _hash_of_secret(token: str) -> str:
    return proof(token, purpose="way in")
