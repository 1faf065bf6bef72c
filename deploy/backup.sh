#!/usr/bin/env bash
# One backup: both databases and the files of the data folder, with checksums.
#
#   deploy/backup.sh [FOLDER]     default: $BACKUP_DIR, else ./backups
#
# Makes FOLDER/medai-<UTC time>/ and keeps the newest $BACKUP_KEEP (14) of those.
# Runs beside the service. Ends with 0 only when the whole backup is there and can be read.
# Addresses and passwords come from `medai db run`; none is ever on a command line.
set -euo pipefail
umask 077

fail() {
    echo "backup: $*" >&2
    exit 1
}

to=${1:-${BACKUP_DIR:-backups}}
keep=${BACKUP_KEEP:-14}
[[ $keep =~ ^[1-9][0-9]*$ ]] || fail "BACKUP_KEEP is no number above 0: $keep"
[[ $# -le 1 ]] || fail "one folder, please"

if [[ -z ${MEDAI_STORES_OPEN:-} ]]; then
    PATH=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin:$PATH
    command -v medai >/dev/null || fail "medai is not on the PATH"
    exec env MEDAI_STORES_OPEN=1 medai db run -- "$0" "$@"
fi

mkdir -p -- "$to"
to=$(cd -- "$to" && pwd -P)
case $to/ in
    "$MEDAI_DATA_DIR"/*) fail "backups inside the data folder would be copied into each other" ;;
esac
exec 9>"$to/.lock"
flock -n 9 || fail "another backup is under way in $to"

name=medai-$(date -u +%Y%m%dT%H%M%SZ)
draft=$to/.$name.partial
find "$to" -maxdepth 1 -name '.medai-*.partial' -exec rm -rf {} + # of a backup that was killed
mkdir "$draft"
trap 'rm -rf "$draft"' EXIT

# In this order: what PostgreSQL knows as done is in the documents that are read later, and every
# file a document names was written before the document.
echo "PostgreSQL"
pg_dump --format=custom --file="$draft/postgres.dump"
pg_restore --file=/dev/null "$draft/postgres.dump"

if [[ $MEDAI_DOCUMENTS == mongodb ]]; then
    echo "MongoDB"
    "$MEDAI_PYTHON" -m medai.cli.mongo_files dump "$draft/mongodb"
    tar -C "$draft" -czf "$draft/mongodb.tar.gz" mongodb
    rm -r "$draft/mongodb"
fi

files=
if [[ -d $MEDAI_DATA_DIR ]]; then
    echo "files"
    # pg: the embedded PostgreSQL, dumped above. "#" marks files that are still being written,
    # .restoring is what a killed restore.sh leaves.
    # 1: a file went away or grew while it was read, as files of a working service do.
    tar -C "$MEDAI_DATA_DIR" --warning=no-file-changed --warning=no-file-removed \
        --exclude=./pg --exclude=./demo --exclude=./sandbox-audio --exclude='./.restoring-*' --exclude='*#*' \
        -czf "$draft/files.tar.gz" . || [[ $? -eq 1 ]]
    gzip -t "$draft/files.tar.gz"
    files=yes
fi
[[ -z ${MEDAI_FILES_URL:-} ]] || echo "recordings are in $MEDAI_FILES_URL: back that up, too" >&2

{
    echo "format 1"
    echo "medai $MEDAI_VERSION"
    echo "documents $MEDAI_DOCUMENTS"
    echo "files ${files:-none}"
    echo "files_url ${MEDAI_FILES_URL:-none}"
} >"$draft/manifest"
sums=$(cd "$draft" && sha256sum -- *)
printf '%s\n' "$sums" >"$draft/SHA256SUMS"
sync -f "$draft"
mv "$draft" "$to/$name"
echo "$to/$name"

# Only names of ours, only complete ones, the oldest first.
mapfile -t all < <(find "$to" -mindepth 1 -maxdepth 1 -type d \
    -regextype posix-extended -regex '.*/medai-[0-9]{8}T[0-9]{6}Z' | sort)
for old in "${all[@]:0:$((${#all[@]} > keep ? ${#all[@]} - keep : 0))}"; do
    rm -rf "$old"
    echo "removed $old"
done
