#!/bin/sh
# Starts Postgres; makes its data first where there is none. Reads what the official image reads:
#   PGDATA                  folder of the data; the folder above it must be writable
#   POSTGRES_USER           the one user, a superuser (postgres)
#   POSTGRES_DB             the one database (named as the user)
#   POSTGRES_PASSWORD_FILE  file that holds the user's password (a mounted Secret); wins over
#   POSTGRES_PASSWORD       the password itself
#   POSTGRES_INITDB_ARGS    further arguments of initdb
# Arguments that begin with - are Postgres's; another command is run as it stands.
set -eu
umask 077

case "${1:-}" in '' | -*) set -- postgres "$@" ;; esac
[ "$1" = postgres ] || exec "$@"

fail() { echo "postgres-entrypoint: $*" >&2; exit 1; }
[ "$(id -u)" != 0 ] || fail 'Postgres does not run as root: leave the user as the image has it'

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-${user}}
# Made beside and moved as a whole: a pod that is killed meanwhile leaves no half of a database behind.
if [ ! -s "${PGDATA}/PG_VERSION" ]; then
  password=${POSTGRES_PASSWORD:-}
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then password=$(cat "${POSTGRES_PASSWORD_FILE}"); fi
  [ -n "${password}" ] || fail 'no password: set POSTGRES_PASSWORD_FILE or POSTGRES_PASSWORD'
  new=${PGDATA}.new
  rm -rf "${new}"
  printf '%s\n' "${password}" > /tmp/password
  # shellcheck disable=SC2086 # several arguments
  initdb --pgdata="${new}" --username="${user}" --pwfile=/tmp/password ${POSTGRES_INITDB_ARGS:---auth=scram-sha-256}
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "${new}/pg_hba.conf"
  echo "listen_addresses = '*'" >> "${new}/postgresql.conf"
  if [ "${database}" != postgres ]; then
    printf 'CREATE DATABASE "%s"\n' "$(printf '%s' "${database}" | sed 's/"/""/g')" \
      | postgres --single -D "${new}" postgres > /dev/null
  fi
  mkdir -p "${PGDATA}"
  rmdir "${PGDATA}" || fail "${PGDATA} is neither empty nor a database: move away what is in it"
  mv "${new}" "${PGDATA}"
fi
unset POSTGRES_PASSWORD
chmod 0700 "${PGDATA}" # a volume may come with rights for its group, which Postgres refuses
exec "$@"
