"""The menu. What each task does is in playbooks/; how, in botyard/; what differs from place to place, in values/."""

import sys

from botyard.commands import menu

ns = menu(sys.argv[1:])
