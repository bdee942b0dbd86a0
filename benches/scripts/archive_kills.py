#!/usr/bin/env python3
"""Whether each line of a log is in the archive once, and byte for byte, after a replay that was killed again and again.

    archive_kills.py C0DI3 LOG WORK_FOLDER [KILLS=20] [SEED=1]      WORK_FOLDER is made, and must not exist

The replay is killed (SIGKILL) at moments within the time that is left of it by its own pace, and started again, until it was killed so
often; the last one runs to its end. A kill counts where it hit a replay that was at work. Then all events are asked for, and each line is
compared with the file. Exits with 1 where a line is missing, there twice, or another one.
"""
import array, json, mmap, os, pathlib, random, subprocess, sys, time

# Rows that are asked for at once.
PART = 500_000


def replay(program, log, work):
    command = [program, "replay", "--store", f"sqlite:{work}/kills.db", "--archive", f"{work}/events", "--out", "ndjson", log]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def starts_of(text):
    starts, at = array.array("Q"), 0
    while at < len(text):
        starts.append(at)
        end = text.find(b"\n", at)
        at = len(text) if end < 0 else end + 1
    return starts


def main():
    program, log, work = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    kills, seed = int(sys.argv[4]) if len(sys.argv) > 4 else 20, int(sys.argv[5]) if len(sys.argv) > 5 else 1
    work.mkdir(parents=True)
    chance = random.Random(seed)
    # As if 40 MB were archived in a second: a slower machine is killed earlier in its work.
    whole, killed, started_at = os.path.getsize(log) / 40e6, 0, time.time()
    while killed < kills:
        running = replay(program, log, work)
        try:
            running.wait(timeout=0.3 + chance.random() * 2 * whole / (kills + 1))
            sys.exit(f"the replay ended after {killed} kills: take a larger log, or fewer kills\n{running.stderr.read()}")
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
            killed += 1
    running = replay(program, log, work)
    said = running.communicate()[1]
    if running.returncode != 0:
        sys.exit(f"the replay failed: {said}")
    took = time.time() - started_at
    with open(log, "rb") as file:
        text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        starts = starts_of(text)
        seen, others, twice, rows = bytearray(len(starts)), 0, 0, 0
        for first in range(1, len(starts) + 1, PART):
            question = (
                "SELECT c0di3.line AS line, event.original AS original FROM events "
                f"WHERE c0di3.line >= {first} AND c0di3.line < {first + PART}"
            )
            asked = [program, "hunt", "--store", f"sqlite:{work}/kills.db", "--archive", f"{work}/events", "--out", "ndjson"]
            asked += ["--limit", str(2 * PART), question]
            answer = subprocess.Popen(asked, stdout=subprocess.PIPE)
            for row in answer.stdout:
                event = json.loads(row)
                at = event["line"] - 1
                end = starts[at + 1] if at + 1 < len(starts) else len(text)
                rows += 1
                twice += seen[at]
                seen[at] = 1
                others += text[starts[at]:end].rstrip(b"\n") != event["original"].encode()
            if answer.wait() != 0:
                sys.exit("the archive does not answer")
    missing = len(starts) - sum(seen)
    found = said.strip().splitlines()[-1] if said.strip() else ""
    print(f"{killed} kills in {took:.0f} s; {len(starts)} lines, {rows} events: {missing} missing, {twice} twice, {others} not byte for byte")
    print(found)
    sys.exit(1 if missing or twice or others else 0)


main()
