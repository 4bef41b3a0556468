#!/bin/sh
# minikube 1.36 gives etcd a flag that etcd 3.6 took away and refuses.
for flag do
  shift
  case "${flag}" in
    --proxy-refresh-interval=*) ;;
    *) set -- "$@" "${flag}" ;;
  esac
done
exec /usr/local/bin/etcd-server "$@"
