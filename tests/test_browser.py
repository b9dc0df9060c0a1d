"""The watch over the pages must see what it is there to see; everything here is served from a folder of files."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.browser import Devices, assert_accessible
from tests.film import FRAMES_PER_SECOND, HEIGHT, WIDTH, film_of
from tests.served import Served

GOOD = (
    '<!doctype html><html lang="zh"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>好</title>'
    '<link rel="icon" href="data:,"><main><h1>好</h1></main>'
)

CAMERA = """<video autoplay playsinline></video>
<script>
const video = document.querySelector("video");
video.onplaying = () => { document.title = `${video.videoWidth}×${video.videoHeight}`; };
navigator.mediaDevices.getUserMedia({video: true}).then((stream) => { video.srcObject = stream; });
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pages(tmp_path: Path, devices: Devices) -> Iterator[Served]:
    (tmp_path / "good.html").write_text(GOOD)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Served(f"http://127.0.0.1:{server.server_port}", tmp_path, "", tmp_path / "log")
    devices.close()  # first: what a page still loads would be refused and look like its error
    server.shutdown()
    server.server_close()
    thread.join()


def write(pages: Served, body: str) -> None:
    (pages.instance / "bad.html").write_text(GOOD + body)


def test_a_good_page_passes_on_a_phone_in_chinese(devices: Devices, pages: Served):
    phone = devices.phone(pages)

    phone.goto("/good.html")

    expect(phone.get_by_role("heading")).to_have_text("好")
    seen = phone.evaluate("[innerWidth, devicePixelRatio, navigator.language, new Date(0).getHours()]")
    assert seen == [390, 2, "zh-CN", 8]
    assert_accessible(phone)


@pytest.mark.parametrize(
    ("body", "happened"),
    [
        pytest.param('<img alt="" src="http://example.com/a.png">', "example.com", id="picture of another host"),
        pytest.param('<script>fetch("https://example.com")</script>', "example.com", id="fetch from another host"),
        pytest.param('<script>new WebSocket("ws://example.com/")</script>', "example.com", id="socket to another host"),
        pytest.param('<script>throw new Error("broken here")</script>', "broken here", id="error"),
        pytest.param('<script>Promise.reject(new Error("lost"))</script>', "lost", id="unheard refusal"),
        pytest.param('<script>console.error("said aloud")</script>', "said aloud", id="console"),
        pytest.param('<link rel="stylesheet" href="/none.css">', "none.css", id="missing style"),
    ],
)
def test_a_page_with_a_fault_is_found_out(devices: Devices, pages: Served, body: str, happened: str):
    write(pages, body)
    desk = devices.desk(pages)

    desk.goto("/bad.html", wait_until="networkidle")

    context, watch = devices.opened.pop()
    context.close()
    with pytest.raises(AssertionError, match=happened):
        watch.verdict()


def test_what_axe_finds_serious_fails(devices: Devices, pages: Served):
    write(pages, '<input name="unlabelled">')
    desk = devices.desk(pages)
    desk.goto("/bad.html")

    with pytest.raises(AssertionError, match="critical: Form elements must have labels"):
        assert_accessible(desk)


def test_the_film_shows_a_code_that_a_reader_reads(tmp_path: Path):
    film = film_of(tmp_path / "film.y4m", "SALON-7", None, seconds=1).read_bytes()

    frames = film.split(b"FRAME\n")[1:]
    first, last = (Image.frombytes("L", (WIDTH, HEIGHT), frame[: WIDTH * HEIGHT]) for frame in (frames[0], frames[-1]))

    assert len(frames) == 2 * FRAMES_PER_SECOND
    assert [code.text for code in zxingcpp.read_barcodes(first)] == ["SALON-7"]
    assert zxingcpp.read_barcodes(last) == []


def test_the_fake_camera_plays_the_film(devices: Devices, pages: Served):
    write(pages, CAMERA)
    phone = devices.phone_with_camera(pages, "SALON-7")

    phone.goto("/bad.html")

    expect(phone).to_have_title(f"{WIDTH}×{HEIGHT}")
