"""Pictures that people bring: never served as they came."""

import warnings
from contextlib import contextmanager
from io import BytesIO
from threading import BoundedSemaphore
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

FORMATS = ["JPEG", "PNG", "WEBP", "GIF"]
SIDE = 2000  # pixels of the longer side that is kept
MEGABYTES = 10  # of the file; the web server in front takes no more (deploy/nginx.conf)
# Millions of pixels; more is refused before it is unpacked. A JPEG of 50 takes 85 MB of memory, or 190 if it is
# progressive, for it is made smaller while it is unpacked. A WebP of 24 takes 370, a PNG 250.
MEGAPIXELS = 24
MEGAPIXELS_OF = {"JPEG": 50, "MPO": 50}  # MPO: a JPEG that holds several
WAIT = 20  # seconds in which the pictures before this one should be done
one_at_a_time = BoundedSemaphore()  # in this process


def redrawn(file):
    """The picture in ``file`` (File), drawn anew as WebP under a random name (ContentFile).

    So nothing of the file survives but what is seen: no EXIF, no place, no second format hidden in it. Raises
    ``ValidationError`` if it is not a picture of a known format, or too large, or if too many others wait.
    """
    if file.size > MEGABYTES * 1_000_000:
        raise ValidationError(_("This file is too large: at most %(most)s MB."), params={"most": MEGABYTES})
    try:
        with warnings.catch_warnings(), turn():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(file, formats=FORMATS)  # only its header is read
            most = MEGAPIXELS_OF.get(picture.format, MEGAPIXELS)
            if picture.width * picture.height > most * 1_000_000:
                message = _("This picture has too many pixels: at most %(most)s million.")
                raise ValidationError(message, params={"most": most})
            picture.draft("RGB", (SIDE, SIDE))  # a JPEG is unpacked at an eighth, a fourth or half of its size
            picture.thumbnail((SIDE, SIDE))
            picture = ImageOps.exif_transpose(picture)
            webp = BytesIO()
            picture.convert("RGBA" if picture.has_transparency_data else "RGB").save(webp, "WEBP", quality=82)
    except ValidationError:
        raise
    except Exception as error:  # Pillow raises many kinds for damaged files
        raise ValidationError(_("This file is not a picture that can be read.")) from error
    return ContentFile(webp.getvalue(), f"{uuid4().hex}.webp")


@contextmanager
def turn():
    """Unpacked, a picture is many times its file: so they take turns. Raises ``ValidationError`` after ``WAIT``."""
    if not one_at_a_time.acquire(timeout=WAIT):
        raise ValidationError(_("Other pictures are being prepared. Try again in a minute."))
    try:
        yield
    finally:
        one_at_a_time.release()
