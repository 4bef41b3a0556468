"""The menu. What each task does is in playbooks/; how, in botyard/; what differs from place to place, in values/."""

import os
import sys

# Invoke keeps Python from keeping what it compiled; compiling this package anew takes a third of every start.
sys.dont_write_bytecode = False
# Looking through all installed packages for plugins of pydantic takes another 10 ms; no model of ours has use for one.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")

from botyard.commands import menu  # noqa: E402 - the lines above are for this import

ns = menu(sys.argv[1:])
