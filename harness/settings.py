"""The settings of a site under test: Parley's, with those in the variable ``SETTINGS`` (JSON) changed."""

import json
import os

from parley.settings import *  # noqa: F403

globals().update(json.loads(os.environ["SETTINGS"]))
