# Where the database is, for the scripts that look after it; to be sourced. Either C0DI3_STORE_URL_FILE or C0DI3_STORE_URL
# (postgres://USER:PASSWORD@HOST:PORT/DATABASE), or POSTGRES_HOST, POSTGRES_PORT, POSTGRES_USER and POSTGRES_DB, with the password
# from POSTGRES_PASSWORD_FILE, PGPASSWORD or ~/.pgpass. A password never stands in an argument, which others could read;
# one with signs that a URL would have to encode is given by POSTGRES_PASSWORD_FILE.
url=${C0DI3_STORE_URL:-}
[ -z "${C0DI3_STORE_URL_FILE:-}" ] || url=$(cat "$C0DI3_STORE_URL_FILE")
case $url in
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
done_now() { ask "INSERT INTO tasks (name, at, detail) VALUES ('$1', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, '${2//\'/}')
  ON CONFLICT (name) DO UPDATE SET at = excluded.at, detail = excluded.detail"; }
# Backups are encrypted where a key file is named. openssl's own format; the key is derived 600,000 times.
cipher=(-aes-256-ctr -pbkdf2 -iter 600000 -md sha256)
