"""The menu. What each task does is in playbooks/; how, in botyard/; what differs from place to place, in values/."""

import sys

# Invoke keeps Python from keeping what it compiled; compiling this package anew takes a third of every start.
sys.dont_write_bytecode = False

from botyard.commands import menu  # noqa: E402 - the line above is for this import

ns = menu(sys.argv[1:])
