#!/bin/sh
# Starts redis-server with its configuration on standard input, so that the password is in no argument list and no file.
#   REDIS_PASSWORD_FILE  file that holds the password (a mounted Secret); wins over
#   REDIS_PASSWORD       the password itself; with neither, Redis serves without one and says so
#   REDIS_CONFIG         further lines of redis.conf, as "maxmemory 256mb\nappendonly yes"
# Arguments are passed on to redis-server and win over everything else.
set -eu

password=${REDIS_PASSWORD:-}
if [ -n "${REDIS_PASSWORD_FILE:-}" ]; then
  password=$(cat "${REDIS_PASSWORD_FILE}")
  [ -n "${password}" ] || { echo "redis-entrypoint: ${REDIS_PASSWORD_FILE} is empty" >&2; exit 1; }
fi
unset REDIS_PASSWORD

# Inside double quotes redis.conf reads \ and " as escapes.
quote() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }

config() {
  echo 'bind * -::*'
  echo 'port 6379'
  echo 'dir /data'
  echo 'daemonize no'
  echo 'save ""'
  echo 'appendonly no'
  if [ -n "${password}" ]; then
    printf 'requirepass %s\n' "$(quote "${password}")" # not echo: dash's reads the backslashes
  else
    echo 'protected-mode no'
  fi
  printf '%b\n' "${REDIS_CONFIG:-}"
}

[ -n "${password}" ] || echo 'redis-entrypoint: no password is set' >&2
# A pipe to exec'd redis-server as process 1: it reads the configuration first, then the writer ends.
exec redis-server - "$@" <<CONFIG
$(config)
CONFIG
