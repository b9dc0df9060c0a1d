import smtplib
from email.message import EmailMessage

import pytest

from outreach.kernel import logs
from tests.post_office import PostOffice, text_of


def mail_to(address: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "desk@example.org", address, "您提的事有回音了"
    mail.set_content("请看。\n")
    return mail


def test_a_mail_sent_is_kept_and_readable(post_office: PostOffice):
    with smtplib.SMTP(post_office.host, post_office.port) as line:
        line.send_message(mail_to("li@example.org"))

    mail = post_office.wait_for_mail("li@example.org")

    assert (mail["Subject"], text_of(mail)) == ("您提的事有回音了", "请看。\n")


def test_a_refusing_office_keeps_nothing(post_office: PostOffice):
    post_office.refusing = "451 4.3.0 Try again later"

    with smtplib.SMTP(post_office.host, post_office.port) as line, pytest.raises(smtplib.SMTPDataError):
        line.send_message(mail_to("li@example.org"))

    assert post_office.mails == []


def test_what_the_office_says_of_its_connections_is_not_among_the_applications_lines(
    request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
):
    logs.configure(in_production=False)
    office = request.getfixturevalue("post_office")

    with smtplib.SMTP(office.host, office.port) as line:
        line.send_message(mail_to("li@example.org"))
    office.wait_for_mail("li@example.org")

    assert "mail.log" not in capfd.readouterr().err
