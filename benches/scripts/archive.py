#!/usr/bin/env python3
"""Asks an archive ten questions with c0di3, with DuckDB and, where it is installed, with chDB (both from PyPI), in turn, on the same files,
and prints medians and ratios.

    archive.py C0DI3 STORE FOLDER [TURNS]      such as: archive.py target/release/c0di3 sqlite:data/c0di3.db data/archive 5

c0di3's time is that of the whole command, the others' that of the statement in a process that runs already. Raw lines that are stored as forms
cannot be read by others: substrings and expressions are looked for in the request target. Answers are compared.
"""
import json, math, statistics, subprocess, sys, time

import duckdb

try:
    import chdb
except ImportError:
    chdb = None

QUESTIONS = [
    ("needle: one address", "SELECT count(*) FROM events WHERE source.ip = '{needle}'"),
    ("network of addresses", "SELECT count(*) FROM events WHERE {cidr}"),
    ("substring", "SELECT count(*) FROM events WHERE url.original LIKE '%union%'"),
    ("expression", "SELECT count(*) FROM events WHERE {regex}"),
    ("count by source over a day", "SELECT source.ip, count(*) AS n FROM events WHERE @timestamp >= TIMESTAMP '{day} 00:00:00' AND @timestamp < TIMESTAMP '{day} 23:59:59' GROUP BY source.ip ORDER BY n DESC, source.ip LIMIT 10"),
    ("top paths", "SELECT url.path, count(*) AS n FROM events GROUP BY url.path ORDER BY n DESC, url.path LIMIT 10"),
    ("histogram of statuses", "SELECT http.response.status_code, count(*) AS n FROM events GROUP BY http.response.status_code ORDER BY http.response.status_code"),
    ("distinct sources by method", "SELECT http.request.method, count(DISTINCT source.ip) AS n FROM events GROUP BY http.request.method ORDER BY http.request.method"),
    ("events by hour", "SELECT date_trunc('hour', @timestamp) AS hour, count(*) AS n FROM events GROUP BY date_trunc('hour', @timestamp) ORDER BY hour LIMIT 5"),
    ("failures by source", "SELECT source.ip, count(*) AS n, max(http.response.body.bytes) AS most FROM events WHERE http.response.status_code >= 500 GROUP BY source.ip ORDER BY n DESC, source.ip LIMIT 10"),
]
FIELDS = ["source.ip", "url.original", "url.path", "http.response.status_code", "http.request.method", "http.response.body.bytes", "@timestamp"]


def main():
    program, store, folder = sys.argv[1:4]
    turns = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    base = duckdb.connect()
    base.execute("SET threads TO 2; SET TimeZone = 'UTC'")
    base.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{folder}/**/*.parquet', union_by_name = true)")
    needle, day = base.execute('SELECT "source.ip", CAST("@timestamp" AS DATE) FROM events LIMIT 1').fetchone()

    def ours(text):
        text = text.replace("{cidr}", f"cidr_match(source.ip, '{needle.rsplit('.', 1)[0]}.0/24')")
        return text.replace("{regex}", "regexp_like(url.original, 'item|[0-9]+[.]html[?]q=.*page=4[0-9]$')")

    def theirs(text):
        text = text.replace("{cidr}", f"\"source.ip\" LIKE '{needle.rsplit('.', 1)[0]}.%'")
        text = text.replace("{regex}", "regexp_matches(\"url.original\", 'item|[0-9]+[.]html[?]q=.*page=4[0-9]$')")
        for field in sorted(FIELDS, key=len, reverse=True):
            text = text.replace(f" {field}", f' "{field}"').replace(f"({field}", f'("{field}"')
        return text

    def of_chdb(text):
        text = text.replace("{cidr}", f"source.ip LIKE '{needle.rsplit('.', 1)[0]}.%'")
        text = text.replace("{regex}", "match(url.original, 'item|[0-9]+[.]html[?]q=.*page=4[0-9]$')")
        text = text.replace("TIMESTAMP '", "toDateTime64('").replace(":00'", ":00', 6, 'UTC')").replace(":59'", ":59', 6, 'UTC')")
        for field in sorted(FIELDS, key=len, reverse=True):
            text = text.replace(f" {field}", f" `{field}`").replace(f"({field}", f"(`{field}`").replace(f", {field}", f", `{field}`")
        files = f"file('{folder}/**/*.parquet', 'Parquet')"
        return text.replace(" events", f" {files}") + " SETTINGS max_threads = 2"

    ratios, ratios_chdb = [], []
    for name, text in QUESTIONS:
        text = text.replace("{needle}", needle).replace("{day}", str(day))
        times = {"ours": [], "theirs": [], "chdb": []}
        for _ in range(turns):
            start = time.perf_counter()
            run = subprocess.run([program, "hunt", ours(text), "--store", store, "--archive", folder, "--out", "ndjson", "--timeout", "600s"],
                                 capture_output=True, text=True)
            times["ours"].append(time.perf_counter() - start)
            if run.returncode != 0:
                sys.exit(f"{name}: {run.stderr}")
            start = time.perf_counter()
            rows = base.execute(theirs(text)).fetchall()
            times["theirs"].append(time.perf_counter() - start)
            if chdb:
                start = time.perf_counter()
                third = [json.loads(line) for line in str(chdb.query(of_chdb(text), "JSONCompactEachRow")).splitlines()]
                times["chdb"].append(time.perf_counter() - start)
        got = [list(json.loads(line).values()) for line in run.stdout.splitlines()]
        same = len(got) == len(rows) and all(str(a[-1]) == str(b[-1]) for a, b in zip(got, rows))
        a, b = statistics.median(times["ours"]), statistics.median(times["theirs"])
        ratios.append(a / b)
        beside = ""
        if chdb:
            c = statistics.median(times["chdb"])
            ratios_chdb.append(a / c)
            is_same = len(third) == len(rows) and all(str(x[-1]) == str(y[-1]) for x, y in zip(third, rows))
            beside = f"   chDB {c:7.3f} s   ratio {a / c:5.2f}{'' if is_same else f' ANSWERS DIFFER: {third[:2]}'}"
        print(f"{name:28} c0di3 {a:7.3f} s   DuckDB {b:7.3f} s   ratio {a / b:5.2f}   {'same answer' if same else f'ANSWERS DIFFER: {got[:2]} {rows[:2]}'}{beside}", flush=True)
    for name, of in [("DuckDB", ratios), ("chDB", ratios_chdb)]:
        if of:
            print(f"geometric mean of the ratios to {name}: {math.exp(statistics.mean(map(math.log, of))):.2f}")


main()
