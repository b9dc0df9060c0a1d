import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from outreach.organisations.documents import drawn_anew
from outreach.organisations.rules import mark
from outreach.organisations.rules.mark import (
    MarkNotOfShapes,
    MarkOfTheWrongSize,
    MarkTooElaborate,
    MarkTooLarge,
    NotAMark,
    checked,
)

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">{}</svg>'
BOX = '<rect width="10" height="10" fill="#c00"/>'


def an_svg(inside: str = BOX) -> bytes:
    """Return a drawing that holds this."""
    return SVG.format(inside).encode()


def a_png(wide: int = 80, high: int = 80, **more: object) -> bytes:
    """Return a red picture."""
    kept = io.BytesIO()
    Image.new("RGB", (wide, high), "#cc0000").save(kept, "PNG", **more)
    return kept.getvalue()


def test_a_drawing_of_shapes_is_a_mark():
    drawing = an_svg(
        '<title>标志</title><metadata><x:notes xmlns:x="urn:an-editor"/></metadata>'
        '<defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient></defs>'
        '<style>.a { fill: url(#g) }</style><g class="a"><path d="M0 0h10v10z"/></g>'
    )

    assert checked(drawing) == "svg"


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ("<script>alert(1)</script>", "script"),
        (BOX.replace("rect ", 'rect onload="alert(1)" '), "onload"),
        ('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>', "foreignObject"),
        ('<image href="https://evil.example/x.png"/>', "image"),
        ('<image href="file:///etc/passwd"/>', "image"),
        ('<a href="https://evil.example"><rect/></a>', "a"),
        ('<use href="#x"/>', "use"),
        ("<text>雁城</text>", "text"),
        ('<filter id="f"><feImage href="https://evil.example"/></filter>', "filter"),
        ("<style>@import 'https://evil.example/x.css';</style>", "style"),
        ("<style>rect { fill: u\\rl( https://evil.example) }</style>", "style"),
        ('<rect style="fill: url(https://evil.example)"/>', "style"),
        ('<linearGradient xmlns:x="http://www.w3.org/1999/xlink" x:href="https://evil.example"/>', "href"),
        ("<?xml-stylesheet href='https://evil.example'?>" + BOX, "xml-stylesheet"),
    ],
)
def test_a_drawing_that_holds_more_is_refused_and_says_what(inside, what):
    with pytest.raises(MarkNotOfShapes) as refused:
        checked(an_svg(inside))

    assert refused.value.values["what"] == what


def test_a_drawing_that_multiplies_itself_is_refused_before_it_does():
    laughs = b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + an_svg("<title>&b;</title>" + BOX)

    with pytest.raises(MarkNotOfShapes):
        checked(laughs)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", NotAMark),
        (b"\xff\xd8\xff\xe0 a photograph", NotAMark),
        (b"<html><body>mark.svg</body></html>", NotAMark),
        (b"<svg><rect/></svg>", NotAMark),
        (an_svg(""), NotAMark),
        (an_svg()[:-4], NotAMark),
        (a_png()[:20], NotAMark),
        (a_png(20, 80), MarkOfTheWrongSize),
        (a_png() + b"\0" * mark.LARGEST_FILE, MarkTooLarge),
        (an_svg("<g/>" * (mark.MOST_PARTS + 1)), MarkTooElaborate),
        (an_svg("<g>" * 60 + BOX + "</g>" * 60), MarkTooElaborate),
    ],
)
def test_what_is_no_mark_is_refused_by_name(content, refusal):
    with pytest.raises(refusal):
        checked(content)


def test_a_picture_that_says_it_is_enormous_is_refused_unread():
    head = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 6, 0, 0, 0)
    bomb = mark.PNG_BEGINS + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))

    with pytest.raises(MarkOfTheWrongSize):
        checked(bomb)


@pytest.mark.parametrize("content", [an_svg(), a_png(80, 64)])
def test_a_mark_is_drawn_anew_as_a_square_picture(content):
    picture = Image.open(io.BytesIO(drawn_anew(content)))

    assert (picture.format, picture.size, picture.mode) == ("PNG", (512, 512), "RGBA")
    assert picture.getpixel((256, 256))[0] > 190
    assert picture.getpixel((256, 256))[3] == 255


def test_nothing_of_a_picture_but_its_look_remains():
    notes = PngInfo()
    notes.add_text("Comment", "<script>alert(1)</script> 13800001234")

    drawn = drawn_anew(a_png(pnginfo=notes) + b"<script>after the end</script>")

    assert b"script" not in drawn
    assert b"13800001234" not in drawn
    assert not Image.open(io.BytesIO(drawn)).info.get("Comment")


def test_a_spoilt_picture_is_no_mark():
    spoilt = bytearray(a_png())
    spoilt[45:60] = b"\0" * 15

    with pytest.raises(NotAMark):
        drawn_anew(bytes(spoilt))
