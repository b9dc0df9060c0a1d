import socket
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from outreach.kernel import outbox
from outreach.kernel.history import Subject
from outreach.kernel.outbox import MOST_ATTEMPTS, WorkState
from outreach.notices import operations, queries
from outreach.notices.models import Message
from outreach.notices.rules import MessageState
from outreach.people.models import ContactPoint
from outreach.people.rules import ContactKind
from tests.conftest import NOW

TEMPLATE = "notices/messages/trial.txt"


class Mailbox:
    """A mail server that keeps what it is given and refuses addresses of a closed house."""

    def __init__(self):
        self.mails = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 -- aiosmtpd's name
        if address.startswith("gone@"):
            return "550 no such person"
        if address.startswith("busy@"):
            return "450 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 -- aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def mailbox(app, monkeypatch):
    kept = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    settings = app.config["SETTINGS"].model_copy(
        update={"smtp_host": "127.0.0.1", "smtp_port": port, "base_url": "https://talent.example.cn"}
    )
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    yield kept
    server.stop()


@pytest.fixture(autouse=True)
def trial_template(app, monkeypatch):
    from jinja2 import ChoiceLoader, DictLoader  # noqa: PLC0415 -- only this fixture needs it

    text = "{{ name }}，您的事有答复了\n\n请看：{{ link('/r/abc') }}\n"
    monkeypatch.setattr(app.jinja_env, "loader", ChoiceLoader([DictLoader({TEMPLATE: text}), app.jinja_env.loader]))


def _tell(session, value, kind=ContactKind.EMAIL, name="林知遥𠮷"):
    point = ContactPoint(kind=kind, value=value, index=value)
    session.add(point)
    session.flush()
    message = operations.tell(
        kind="trial",
        contact_point=point,
        template=TEMPLATE,
        values={"name": name},
        about=Subject("case", 1),
        now=NOW,
    )
    session.commit()
    return message.id


def _work(now=NOW):
    work = outbox.claim(now=now)
    assert work is not None
    outbox.perform(work, now=now)
    return work


def test_a_mail_is_rendered_and_handed_to_the_mail_server(session, mailbox):
    message_id = _tell(session, "lin@example.com")

    _work()

    (mail,) = mailbox.mails
    assert mail["Subject"] == "林知遥𠮷，您的事有答复了"
    assert mail["To"] == "lin@example.com"
    assert mail.get_content().strip() == "请看：https://talent.example.cn/r/abc"
    message = session.get_one(Message, message_id)
    assert (message.state, message.handed_over_at) == (MessageState.HANDED_OVER, NOW)


def test_a_message_handed_over_is_not_sent_again(session, mailbox):
    _tell(session, "lin@example.com")
    work = _work()
    work.state, work.due_at = WorkState.WAITING, NOW
    session.commit()

    _work()

    assert len(mailbox.mails) == 1


def test_an_address_refused_for_good_fails_at_once(session, mailbox):
    message_id = _tell(session, "gone@example.com")

    _work()

    message = session.get_one(Message, message_id)
    assert (message.state, message.error) == (MessageState.FAILED, "address refused")


def test_an_address_refused_for_now_is_tried_again_later(session, mailbox):
    message_id = _tell(session, "busy@example.com")

    work = _work()

    assert session.get_one(Message, message_id).state is MessageState.WAITING
    assert (work.state, work.due_at, work.error) == (
        WorkState.WAITING,
        NOW + timedelta(seconds=30),
        "SMTPRecipientsRefused",
    )


def test_without_a_mail_server_mail_waits_and_is_never_given_up(session):
    _tell(session, "lin@example.com")
    now = NOW

    for _ in range(MOST_ATTEMPTS + 1):
        work = _work(now)
        now = work.due_at

    assert (work.state, work.attempts, work.error) == (WorkState.WAITING, 0, "no mail server is set")


def test_a_subject_cannot_carry_a_second_header(session, mailbox):
    _tell(session, "lin@example.com", name="a\r\nBcc: other@example.com")

    _work()

    (mail,) = mailbox.mails
    assert mail["Bcc"] is None


def test_an_sms_stands_on_the_gateways_page(session):
    message_id = _tell(session, "+8619900000036", kind=ContactKind.PHONE)

    _work()

    (message,) = queries.sms_page(cursor=None).items
    assert (message.id, message.state) == (message_id, MessageState.HANDED_OVER)
    assert message.body.startswith("请看：")


def test_what_is_sent_stands_sealed_in_the_table(session, mailbox):
    message_id = _tell(session, "lin@example.com")
    _work()

    row = session.connection().exec_driver_sql(f"SELECT * FROM messages WHERE id = {message_id}").one()

    assert not [cell for cell in row if isinstance(cell, str) and ("lin@" in cell or "林知遥" in cell)]


def test_opening_marks_what_was_sent_about_a_record(session, mailbox):
    message_id = _tell(session, "lin@example.com")
    _work()

    operations.opened(about=Subject("case", 1), now=NOW)

    assert session.get_one(Message, message_id).state is MessageState.OPENED
