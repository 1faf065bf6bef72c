#!/usr/bin/env bash
# Makes an installation what it was when deploy/backup.sh ran. Stop the services first.
#
#   deploy/restore.sh BACKUP              into empty stores
#   deploy/restore.sh BACKUP --replace    whatever is there is lost
#
# Everything is checked before anything is changed. PostgreSQL changes in one transaction; when a
# later step fails, repeat the command with --replace.
set -euo pipefail
umask 077

fail() {
    echo "restore: $*" >&2
    exit 1
}

[[ $# -eq 1 || ($# -eq 2 && $2 == --replace) ]] || fail "restore.sh BACKUP [--replace]"
replace=${2:-}
from=$(cd -- "$1" 2>/dev/null && pwd) || fail "no such folder: $1"

[[ -f $from/SHA256SUMS && -f $from/manifest ]] || fail "not a backup: $from"
(cd "$from" && sha256sum --check --strict --quiet SHA256SUMS) || fail "the backup is damaged"
grep -qx "format 1" "$from/manifest" || fail "made by a newer version"
for one in postgres.dump manifest; do
    grep -q "  $one\$" "$from/SHA256SUMS" || fail "the backup is not whole: $one"
done

if [[ -z ${MEDAI_STORES_OPEN:-} ]]; then
    PATH=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin:$PATH
    command -v medai >/dev/null || fail "medai is not on the PATH"
    exec env MEDAI_STORES_OPEN=1 medai db run -- "$0" "$@"
fi

if [[ -f $from/mongodb.tar.gz && $MEDAI_DOCUMENTS != mongodb ]]; then
    fail "the backup has a MongoDB: set MONGODB_URI"
fi

ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --command="$1"; }

others=$(ask "SELECT string_agg(DISTINCT
        concat_ws(' ', usename, application_name, host(client_addr)), ', ')
    FROM pg_stat_activity WHERE datname = current_database()
    AND backend_type = 'client backend' AND pid <> pg_backend_pid()")
[[ -z $others ]] || fail "PostgreSQL is in use by $others: stop the services first, and those"
tables=$(ask "SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'")
[[ $tables -eq 0 || -n $replace ]] || fail "PostgreSQL is not empty: --replace loses what is there"

[[ -n $replace || -z $(find "$MEDAI_DATA_DIR/files" -type f -print -quit 2>/dev/null) ]] ||
    fail "the data folder has files already: --replace loses what is there"
pg_restore --file=/dev/null "$from/postgres.dump"

mkdir -p "$MEDAI_DATA_DIR"
rm -rf "$MEDAI_DATA_DIR"/.restoring-* # of a restore that was killed
work=$(mktemp -d "$MEDAI_DATA_DIR/.restoring-XXXXXX") # on a disk that has room for it
trap 'rm -rf "$work"' EXIT

if [[ -f $from/mongodb.tar.gz ]]; then
    echo "documents"
    tar -C "$work" -xzf "$from/mongodb.tar.gz"
    # shellcheck disable=SC2086 # empty or one word
    "$MEDAI_PYTHON" -m medai.cli.mongo_files load "$work/mongodb" $replace
    rm -r "$work/mongodb"
fi

echo "PostgreSQL"
{
    echo "SET client_min_messages = warning; BEGIN;"
    # Some of the objects may be of a version that the dump does not know: all of them go.
    cat <<'SQL'
DO $$ DECLARE one text; BEGIN
    FOR one IN SELECT nspname FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    LOOP EXECUTE format('DROP SCHEMA %I CASCADE', one); END LOOP;
    CREATE SCHEMA public;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
END $$;
SQL
    # Servers before 17 do not know this setting, which pg_restore writes at its beginning.
    # COMMIT comes only after a whole script: psql that sees its end too early rolls back.
    pg_restore --no-owner --no-privileges --file=- "$from/postgres.dump" |
        sed '1,60{/^SET transaction_timeout = 0;$/d}' && echo "COMMIT;"
} | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null
ask "ANALYZE"

if [[ -f $from/files.tar.gz ]]; then
    echo "files"
    tar -C "$work" -xzpf "$from/files.tar.gz"
    while IFS= read -r -d '' one; do
        rm -rf "${MEDAI_DATA_DIR:?}/$one"
        mv "$work/$one" "$MEDAI_DATA_DIR/$one"
    done < <(find "$work" -mindepth 1 -maxdepth 1 -printf '%f\0')
fi

echo "restored. Start the services; medai db reader makes the role of DataLens again"
