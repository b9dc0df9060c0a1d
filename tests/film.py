"""What the fake camera sees: a film of QR codes, in the one format Chromium plays to a page as a camera."""

from pathlib import Path

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

WIDTH, HEIGHT = 640, 480
FRAMES_PER_SECOND = 10
WHITE, BLACK, GREY = 235, 16, 128


def film_of(path: Path, *shown: str | None, seconds: int = 3) -> Path:
    """Write a film that shows each text as a QR code for some seconds, None as an empty table; it plays in a loop.

    :returns: the path, for Chromium's --use-file-for-fake-video-capture
    """
    colours = bytes([GREY]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FRAMES_PER_SECOND}:1 Ip A1:1 C420mpeg2\n".encode())
        for text in shown:
            picture = _picture(text)
            for _ in range(seconds * FRAMES_PER_SECOND):
                film.write(b"FRAME\n" + picture + colours)
    return path


def _picture(text: str | None) -> bytes:
    """Return the brightness of each point of one frame, row by row."""
    blank = bytes([WHITE]) * WIDTH
    if text is None:
        return blank * HEIGHT
    code = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    matrix = code.get_matrix()
    scale = HEIGHT // len(matrix)
    side = scale * len(matrix)
    left, above = (WIDTH - side) // 2, (HEIGHT - side) // 2
    rows = [blank] * above
    for modules in matrix:
        row = b"".join(bytes([BLACK if dark else WHITE]) * scale for dark in modules)
        rows += [blank[:left] + row + blank[left + side :]] * scale
    rows += [blank] * (HEIGHT - len(rows))
    return b"".join(rows)
