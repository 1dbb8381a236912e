"""The settings of a site under test: Parley's, with those in the variable ``SETTINGS`` (JSON) changed."""

import json
import os

from parley.settings import *  # noqa: F403

changed = json.loads(os.environ["SETTINGS"])
LIVE |= changed.pop("LIVE", {})  # noqa: F405
globals().update(changed)
