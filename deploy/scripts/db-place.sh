# Where the database is, for the scripts that look after it; to be sourced. Either C0DI3_STORE_URL_FILE or C0DI3_STORE_URL
# (postgres://USER:PASSWORD@HOST:PORT/DATABASE), or POSTGRES_HOST, POSTGRES_PORT, POSTGRES_USER and POSTGRES_DB, with the password
# from POSTGRES_PASSWORD_FILE, PGPASSWORD or ~/.pgpass. A password never stands in an argument, which others could read;
# one with signs that a URL would have to encode is given by POSTGRES_PASSWORD_FILE. An embedded store (sqlite:PATH) is looked
# after by the program itself, which C0DI3 names (c0di3).
url=${C0DI3_STORE_URL:-}
[ -z "${C0DI3_STORE_URL_FILE:-}" ] || url=$(cat "$C0DI3_STORE_URL_FILE")
program=${C0DI3:-c0di3} embedded=
# The program on the store of this address, whatever the configuration says.
on_store() { local at=$1; shift; env -u C0DI3_STORE_URL_FILE C0DI3_STORE_URL="$at" "$program" "$@"; }
case $url in
  sqlite:*) embedded=${url#sqlite:} embedded=${embedded#//} ;;
  postgres://* | postgresql://*)
    rest=${url#*://} account=${rest%@*} place=${rest##*@}
    case $account in *:*) export PGPASSWORD=${account#*:} ;; esac
    POSTGRES_USER=${account%%:*} POSTGRES_DB=${place#*/} place=${place%%/*}
    POSTGRES_HOST=${place%%:*}
    case $place in *:*) POSTGRES_PORT=${place##*:} ;; esac
    ;;
esac
if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); export PGPASSWORD; fi
export PGHOST=${POSTGRES_HOST:-127.0.0.1} PGPORT=${POSTGRES_PORT:-5432} PGUSER=${POSTGRES_USER:-coreagent}
database=${POSTGRES_DB:-core_agent}
export PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10}
ask_in() { psql --dbname="$1" --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --command "$2"; }
ask() { ask_in "$database" "$1"; }
# The task has succeeded: the agent shows it as task_last_success_timestamp_seconds, and alerts look at that.
done_now() {
  if [ -n "$embedded" ]; then on_store "$url" db done "$1" "$2"; return; fi
  ask "INSERT INTO tasks (name, at, detail) VALUES ('$1', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, '${2//\'/}')
  ON CONFLICT (name) DO UPDATE SET at = excluded.at, detail = excluded.detail"
}
# Backups are encrypted where a key is named. BACKUP_KEY_FILE holds a password: openssl's own format, the key is derived 600,000
# times. BACKUP_AGE_RECIPIENTS (a file of public keys) makes files for age; BACKUP_AGE_IDENTITY opens them, so that the machine that
# backs up cannot read what it wrote.
cipher=(-aes-256-ctr -pbkdf2 -iter 600000 -md sha256)
encrypts() { [ -n "${BACKUP_KEY_FILE:-}${BACKUP_AGE_RECIPIENTS:-}" ]; }
encrypt() { # FROM TO.part: prints the ending that tells how it is opened
  if [ -n "${BACKUP_AGE_RECIPIENTS:-}" ]; then
    age --encrypt --recipients-file "$BACKUP_AGE_RECIPIENTS" --output "$2.age.part" "$1" && echo .age
  else
    openssl enc "${cipher[@]}" -pass "file:$BACKUP_KEY_FILE" -in "$1" -out "$2.enc.part" && echo .enc
  fi
}
decrypt() { # FROM TO
  case $1 in
    *.age) age --decrypt --identity "${BACKUP_AGE_IDENTITY:?opens what age has encrypted}" --output "$2" "$1" ;;
    *) openssl enc -d "${cipher[@]}" -pass "file:${BACKUP_KEY_FILE:?names the key of an encrypted backup}" -in "$1" -out "$2" ;;
  esac
}
# The newest backup of a folder.
newest_in() { find "$1" -maxdepth 1 -type f -regextype posix-extended -regex '.*/backup_[^/]*\.(dump|db\.gz)(\.enc|\.age)?' | sort | tail -1; }
