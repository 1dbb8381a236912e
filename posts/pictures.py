"""Pictures that people bring: never served as they came."""

import warnings
from io import BytesIO
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

FORMATS = ["JPEG", "PNG", "WEBP", "GIF"]
SIDE = 2000  # pixels of the longer side that is kept
PIXELS = 50_000_000  # more is refused before it is unpacked


def redrawn(file):
    """The picture in ``file`` (File), drawn anew as WebP under a random name (ContentFile).

    So nothing of the file survives but what is seen: no EXIF, no place, no second format hidden in it.
    Raises ``ValidationError`` if it is not a picture of a known format, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(file, formats=FORMATS)
            if picture.width * picture.height > PIXELS:
                raise ValidationError(_("This picture has too many pixels."))
            picture = ImageOps.exif_transpose(picture)
            picture.thumbnail((SIDE, SIDE))
            drawn = BytesIO()
            picture.convert("RGBA" if picture.has_transparency_data else "RGB").save(drawn, "WEBP", quality=82)
    except ValidationError:
        raise
    except Exception as error:  # Pillow raises many kinds for damaged files
        raise ValidationError(_("This file is not a picture that can be read.")) from error
    return ContentFile(drawn.getvalue(), f"{uuid4().hex}.webp")
