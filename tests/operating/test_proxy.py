"""The proxy as docs/operating.md sets it up: its configuration is taken from that page and run for real."""

import getpass
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import textwrap
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from outreach.kernel.database import db
from outreach.signing_in.models import Attempt
from outreach.signing_in.rules import AttemptKind
from tests import factories
from tests.machine import ROOT, free_port
from tests.post_office import PostOffice
from tests.served import FIELD, Served, inside, serving

NAME, DESK = "talent.example.cn", "desk.example.cn"
OFFICE, ELSEWHERE = "127.0.1.1", "127.0.0.2"
"""Where somebody of the office calls from, and where anybody else does."""
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
MEGABYTE = 1024 * 1024

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx was found: install one (apt-get install nginx-light)")


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers by lower-case names, the page."""

    status: int
    headers: dict[str, str]
    page: str


@dataclass(frozen=True)
class Proxy:
    """A running nginx, and a visitor's way to it."""

    https: int
    http: int
    folder: Path

    def ask(
        self,
        path: str,
        *,
        body: bytes | None = None,
        caller: str = "127.0.0.1",
        name: str = NAME,
        **headers: str,
    ) -> Answer:
        """Ask over HTTPS, from one of this machine's addresses; headers are named with underscores."""
        trusting = ssl.create_default_context(cafile=self.folder / "talent.crt")
        connection = http.client.HTTPSConnection(name, self.https)
        with socket.create_connection(("127.0.0.1", self.https), timeout=30, source_address=(caller, 0)) as line:
            connection.sock = trusting.wrap_socket(line, server_hostname=name)
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request("POST" if body is not None else "GET", path, body, named)
        came = connection.getresponse()
        answer = Answer(came.status, {k.lower(): v for k, v in came.getheaders()}, came.read().decode())
        connection.close()
        return answer

    def logged(self) -> str:
        """Return what nginx wrote down."""
        return (self.folder / "outreach.log").read_text()

    def logged_about(self, number: str) -> str:
        """Return it once it tells of a request, which it does a moment after the answer."""
        until = time.monotonic() + 10
        while number not in self.logged():
            assert time.monotonic() < until, "nginx wrote nothing down"
            time.sleep(0.02)
        return self.logged()


def documented() -> str:
    """Return the configuration that the page tells operators to use."""
    page = (ROOT / "docs" / "operating.md").read_text()
    after = page[page.index("`/etc/nginx/sites-enabled/outreach`") :]
    return textwrap.dedent(re.search(r"\n\n((?:(?: {4}.*)?\n)+)", after).group(1))


@contextmanager
def nginx(folder: Path, application: int) -> Iterator[Proxy]:
    """Run nginx with the documented configuration, on ports and in a folder of the test's own."""
    proxy = Proxy(free_port(), free_port(), folder)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", folder / "talent.key", "-out", folder / "talent.crt", "-days", "2"),
            *("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},DNS:{DESK}"),
        ],
        check=True,
        capture_output=True,
    )
    for of_desk, ours in (("desk.key", "talent.key"), ("desk.crt", "talent.crt")):
        (folder / of_desk).symlink_to(ours)
    site = documented()
    for told, ours in (
        ("listen 10.1.2.3:443", f"listen 127.0.0.1:{proxy.https}"),  # one address: names tell the servers apart
        ("allow 10.0.0.0/8", "allow 127.0.1.0/24"),
        ("/etc/ssl/outreach", str(folder)),
        ("/etc/ssl/private", str(folder)),
        ("/var/log/nginx", str(folder)),
        ("/opt/outreach", str(ROOT)),
        ("127.0.0.1:8000", f"127.0.0.1:{application}"),
        ("listen 443", f"listen 127.0.0.1:{proxy.https}"),
        ("listen 80", f"listen 127.0.0.1:{proxy.http}"),
    ):
        assert told in site
        site = site.replace(told, ours)
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        (f"user {getpass.getuser()};\n" if os.geteuid() == 0 else "")
        + f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        + f"http {{ {temporary}\n{site}}}\n"
    )
    command = [NGINX, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "warn" not in tested.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _wait_for(proxy)
        yield proxy
    finally:
        process.terminate()
        process.wait()


def _wait_for(proxy: Proxy) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", proxy.https), timeout=1).close()
        except OSError:
            assert time.monotonic() < until, (proxy.folder / "error.log").read_text()
            time.sleep(0.05)
        else:
            return


@contextmanager
def over_http(proxy: Proxy, path: str, name: str) -> Iterator[http.client.HTTPConnection]:
    """Ask without HTTPS."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.http, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": name})
        yield connection
    finally:
        connection.close()


@pytest.fixture(scope="module", params=[(), ("--workers", "1")], ids=["alone", "together"])
def behind(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[tuple[Proxy, Served]]:
    """The application behind the documented proxy, with a city in it."""
    folder = tmp_path_factory.mktemp("behind")
    (folder / "application").mkdir()
    (folder / "proxy").mkdir()
    with (
        serving(
            folder / "application",
            *request.param,
            OUTREACH_TRUSTED_PROXIES="1",
            OUTREACH_BASE_URL=f"https://{NAME}",
            OUTREACH_PRODUCTION="0",
        ) as served,
        nginx(folder / "proxy", int(served.url.rpartition(":")[2])) as proxy,
    ):
        with inside(served):
            factories.an_installation()
        yield proxy, served


@pytest.fixture
def proxy(behind: tuple[Proxy, Served]) -> Proxy:
    return behind[0]


@pytest.fixture
def served(behind: tuple[Proxy, Served]) -> Served:
    return behind[1]


def test_pages_come_over_https_with_cookies_that_stay_there(proxy: Proxy):
    answer = proxy.ask("/sign-in")

    assert answer.status == 200
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"]


def test_http_leads_to_https(proxy: Proxy):
    with over_http(proxy, "/e/1?x=1", NAME) as connection:
        answer = connection.getresponse()

        assert (answer.status, answer.getheader("Location")) == (301, f"https://{NAME}/e/1?x=1")


def test_a_request_has_one_number_from_the_proxy_to_the_log_and_the_page(proxy: Proxy, served: Served):
    answer = proxy.ask("/no-such-page", X_Request_ID="chosen-by-a-stranger")

    number = answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", number)
    assert number in answer.page
    assert re.search(rf"^\S+ GET 404 [0-9.]+ {number}$", proxy.logged_about(number), re.MULTILINE)
    lines = [json.loads(line) for line in served.log.read_text().splitlines() if number in line]
    assert lines
    assert all(line["request"] == number for line in lines)


def test_limits_count_the_callers_own_address_whatever_they_say_of_it(proxy: Proxy, served: Served):
    for place, caller in enumerate(("127.0.0.1", "127.0.0.1", "127.0.0.2")):
        page = proxy.ask("/sign-in?by=phone", caller=caller)
        form = {"csrf_token": FIELD.search(page.page).group(1), "number": f"1381234567{place}"}
        answer = proxy.ask(
            "/sign-in?by=phone",
            body=urllib.parse.urlencode(form).encode(),
            caller=caller,
            Content_Type="application/x-www-form-urlencoded",
            Cookie=page.headers["set-cookie"].partition(";")[0],
            Referer=f"https://{NAME}/sign-in",
            X_Forwarded_For=f"10.9.8.{place}",
            X_Real_IP=f"10.9.8.{place}",
            Forwarded=f"for=10.9.8.{place}",
        )
        assert answer.status == 303, answer.page

    with inside(served):
        keys = sa.select(Attempt.key, sa.func.count()).where(Attempt.kind == AttemptKind.CODE_SENT_FROM)
        counted = sorted(count for _, count in db.session.execute(keys.group_by(Attempt.key)))
    assert counted == [1, 2]


def test_neither_log_tells_who_called(proxy: Proxy, served: Served):
    number = proxy.ask("/sign-in?next=/t/a-personal-link", caller="127.0.0.3").headers["x-request-id"]

    for log in (proxy.logged_about(number), served.log.read_text()):
        assert "127.0.0.3" not in log
        assert "a-personal-link" not in log


def test_what_a_stranger_says_of_name_and_scheme_goes_nowhere(proxy: Proxy):
    answer = proxy.ask("/my", X_Forwarded_Host="evil.example", X_Forwarded_Proto="http", X_Forwarded_Prefix="/evil")

    assert answer.status in {302, 303}
    assert "evil" not in answer.headers["location"]
    assert "evil" not in proxy.ask("/", X_Forwarded_Host="evil.example", X_Forwarded_Prefix="/evil").page
    assert "Secure" in proxy.ask("/sign-in", X_Forwarded_Proto="http").headers["set-cookie"]


def test_other_names_are_not_answered(proxy: Proxy):
    with pytest.raises(ssl.SSLError):
        proxy.ask("/", name="evil.example")
    with over_http(proxy, "/", "evil.example") as connection, pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()


@pytest.mark.parametrize("path", ["/desk", "/desk/", "/desk/sign-in", "/metrics"])
def test_the_desk_and_the_figures_are_not_on_the_public_face(proxy: Proxy, path: str):
    answer = proxy.ask(path)

    assert answer.status == 404
    assert "x-request-id" not in answer.headers  # nginx answered


def test_the_desks_own_name_serves_it_to_the_office(proxy: Proxy):
    entry = proxy.ask("/desk/", name=DESK, caller=OFFICE)
    signing_in = proxy.ask("/desk/sign-in", name=DESK, caller=OFFICE)

    assert entry.status in {302, 303}
    assert NAME not in entry.headers["location"]
    assert signing_in.status == 200
    assert 'name="password"' in signing_in.page
    assert "Secure" in signing_in.headers["set-cookie"]
    assert "x-request-id" in proxy.ask("/metrics", name=DESK, caller=OFFICE).headers  # it asks for its token


@pytest.mark.parametrize("path", ["/", "/desk", "/desk/sign-in", "/metrics"])
def test_the_desks_own_name_is_closed_to_everybody_else_whatever_they_say_of_where_they_are(proxy: Proxy, path: str):
    answer = proxy.ask(path, name=DESK, caller=ELSEWHERE, X_Forwarded_For=OFFICE, X_Real_IP=OFFICE)

    assert answer.status == 403
    assert "x-request-id" not in answer.headers  # nginx answered


@pytest.mark.parametrize("path", ["/desk", "/desk/sign-in"])
def test_the_public_name_has_no_desk_for_the_office_either_nor_for_who_calls_it_by_the_desks(proxy: Proxy, path: str):
    assert proxy.ask(path, caller=OFFICE).status == 404
    assert proxy.ask(path, caller=ELSEWHERE, Host=DESK).status == 403


def test_an_upload_a_little_too_large_gets_the_applications_page_and_a_huge_one_the_proxys(proxy: Proxy):
    little = proxy.ask("/sign-in", body=b"x" * (20 * MEGABYTE + 1000), Content_Type="application/x-www-form-urlencoded")
    huge = proxy.ask("/sign-in", body=b"x" * (22 * MEGABYTE), Content_Type="application/x-www-form-urlencoded")

    assert (little.status, huge.status) == (413, 413)
    assert "最多 20 MB" in little.page or "20 MB" in little.page
    assert "文件太大，没有收下" in huge.page


def test_while_the_application_starts_again_a_page_says_so(tmp_path: Path, post_office: PostOffice):
    (tmp_path / "application").mkdir()
    (tmp_path / "proxy").mkdir()
    with ExitStack() as running:
        served = running.enter_context(serving(tmp_path / "application", post_office=post_office))
        with nginx(tmp_path / "proxy", int(served.url.rpartition(":")[2])) as proxy:
            assert proxy.ask("/desk/").status == 404
            running.close()
            answer = proxy.ask("/sign-in")

    assert answer.status == 502
    assert "系统正在重新启动" in answer.page
    assert "http" not in re.sub(r'lang="[^"]*"', "", answer.page)  # it needs nothing that is away as well
