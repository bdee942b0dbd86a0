#!/usr/bin/env bash
# VACUUM ANALYZE of the store, which takes no lock that anybody waits for; on the first of a month, or with --reindex, REINDEX
# CONCURRENTLY as well, which lets reading and writing go on and needs room for the largest index twice. Where: db-place.sh.
set -euo pipefail
# shellcheck source=deploy/scripts/db-place.sh
. "$(dirname "$0")/db-place.sh"
before=$(ask "SELECT pg_database_size('$database')")
PGOPTIONS='-c client_min_messages=error' ask 'VACUUM (ANALYZE)'
done_what="vacuumed"
if [ "${1:-}" = --reindex ] || [ "$(date -u +%d)" = 01 ]; then
  ask "REINDEX DATABASE CONCURRENTLY \"$database\"" 2>&1 | grep -v 'system catalogs' || true
  # What a broken-off run left behind is useless and written to all the same.
  for index in $(ask "SELECT c.oid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid AND c.relname LIKE '%_ccnew%'"); do
    ask "DROP INDEX CONCURRENTLY IF EXISTS $index"
  done
  done_what="vacuumed and reindexed"
fi
after=$(ask "SELECT pg_database_size('$database')")
done_now vacuum "$done_what, $before to $after bytes"
echo "$done_what: $before bytes before, $after after"
