"""Photographs of a visit: what comes in is drawn anew, small, and without what a telephone writes into it."""

from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

from outreach.liaison.rules.photographs import LARGEST_MEGABYTES, LONGEST_SIDE, MOST_PIXELS, NotAPhotograph, TooLarge

KINDS = ("JPEG", "PNG", "WEBP")
QUALITY = 82


def drawn_anew(files: Sequence[BinaryIO]) -> list[bytes]:
    """Return pictures as JPEG files of at most LONGEST_SIDE pixels a side, upright, without place, time and device.

    Nothing of the file but its pixels is kept, so that nothing hidden in it is kept either.

    :raises TooLarge: for a file of more than LARGEST_MEGABYTES, or of more pixels than any telephone takes
    :raises NotAPhotograph: for what is no picture of these kinds, or a broken one
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 -- slow import

    drawn = []
    for file in files:
        content = file.read(LARGEST_MEGABYTES * 1024 * 1024 + 1)
        if len(content) > LARGEST_MEGABYTES * 1024 * 1024:
            raise TooLarge(most=LARGEST_MEGABYTES)
        try:
            with Image.open(BytesIO(content), formats=KINDS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise TooLarge(most=LARGEST_MEGABYTES)
                picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
                upright = ImageOps.exif_transpose(picture).convert("RGB")
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise NotAPhotograph from error
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        bare = Image.new("RGB", upright.size)
        bare.paste(upright)
        out = BytesIO()
        bare.save(out, "JPEG", quality=QUALITY, optimize=True)
        drawn.append(out.getvalue())
    return drawn
