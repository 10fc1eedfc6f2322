#!/bin/sh
# Makes the secrets of compose.yaml, once. As root, since each belongs to the user of the service that reads it.
set -eu
cd "$(dirname -- "$0")"
umask 077
mkdir -p secrets
password=secrets/store-password
[ -e secrets/trial-key ] || od -An -tx1 -N32 /dev/urandom | tr -d ' \n' > secrets/trial-key
[ -e "$password" ] || od -An -tx1 -N16 /dev/urandom | tr -d ' \n' > "$password"
printf '{"RegisteredUsers": {"radferry": "%s"}}\n' "$(cat "$password")" > secrets/store-users.json
chown 10001:10001 secrets/trial-key "$password"
chown 10002:10002 secrets/store-users.json
