#!/bin/sh
# "start ..." (as the official image takes it) and bare options start the action server; anything else is run as it is.
set -eu
case "${1:-start}" in
  start) [ $# -eq 0 ] || shift; exec python -m rasa_sdk "$@" ;;
  -*) exec python -m rasa_sdk "$@" ;;
  *) exec "$@" ;;
esac
