#!/usr/bin/env python3
"""Compares what Sigma rules find live with what they find in the archive, rule by rule, over events made of the rules themselves.

    retro_equal.py C0DI3 RULES_FOLDER WORK_FOLDER      needs PyYAML; WORK_FOLDER is made, and emptied before

Rules are taken by log source. Of each rule one JSON event is made that is likely to match it: the first value of each field that its
selections name. All events of a log source are replayed with its rules into an archive, then the same rules judge the archive; findings
are compared as lines of JSON, byte for byte. Events that match nothing are events all the same.
"""
import collections, json, os, pathlib, re, shutil, subprocess, sys

import yaml


def texts(value, mods):
    values = value if isinstance(value, list) else [value]
    values = [one for one in values if one is not None and not isinstance(one, dict)]
    if not values or "re" in mods or "cidr" in mods or "exists" in mods or "fieldref" in mods:
        return None
    chosen = values if "all" in mods else values[:1]
    if len(chosen) == 1 and isinstance(chosen[0], (int, bool)) and not mods:
        return chosen[0]
    plain = " ".join(re.sub(r"\\([*?\\])", r"\1", re.sub(r"(?<!\\)\*", "xx", re.sub(r"(?<!\\)\?", "y", str(one)))) for one in chosen)
    before = "aa" if "contains" in mods or "endswith" in mods else ""
    behind = "bb" if "contains" in mods or "startswith" in mods else ""
    return before + plain + behind


def take(event, selection):
    if isinstance(selection, list):
        dicts = [one for one in selection if isinstance(one, dict)]
        words = [str(one) for one in selection if not isinstance(one, dict)]
        if dicts:
            take(event, dicts[0])
        elif words:
            event["message"] = (event.get("message", "") + " " + words[0].replace("*", "x")).strip()
        return
    if not isinstance(selection, dict):
        return
    for key, value in selection.items():
        field, *mods = str(key).split("|")
        made = texts(value, mods)
        if made is None or not field:
            continue
        known = event.get(field)
        if known is None:
            event[field] = made
        elif isinstance(known, str) and ("contains" in mods or "endswith" in mods):
            event[field] = known + " " + str(made)


def event_of(rule):
    event = {}
    for name, selection in rule["detection"].items():
        if name not in ("condition", "timeframe") and not name.startswith("filter"):
            take(event, selection)
    return event


def run(arguments, work, source):
    environment = dict(os.environ, C0DI3_INPUT_LOGSOURCE=source, C0DI3_RULES_DEFAULT="false")
    done = subprocess.run(arguments, cwd=work, env=environment, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"{arguments}: {done.stderr[-2000:]}")
    return sorted(done.stdout.splitlines()), done.stderr


def main():
    program, folder, work = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    groups = collections.defaultdict(list)
    for path in sorted(folder.rglob("*.yml")):
        try:
            rule = yaml.safe_load(path.read_text())
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        if not isinstance(rule, dict) or "detection" not in rule:
            continue
        source = rule.get("logsource") or {}
        key = ",".join(f"{name}={source[name]}" for name in ("product", "category", "service") if source.get(name))
        groups[key].append((path, rule))
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    judged, found, findings, differ, refused = 0, set(), 0, [], 0
    for number, (source, rules) in enumerate(sorted(groups.items())):
        here = work / str(number)
        (here / "rules").mkdir(parents=True)
        with open(here / "events.jsonl", "w") as out:
            for at, (path, rule) in enumerate(rules):
                shutil.copy(path, here / "rules" / f"{at:04}-{path.name}")
                event = {"@timestamp": f"2026-11-{1 + at % 28:02}T{at // 28 % 24:02}:{at % 60:02}:00Z", **event_of(rule)}
                out.write(json.dumps(event, default=str) + "\n")
        place = ["--store", "sqlite:a.db", "--archive", "events"]
        live, told = run([program, "replay", "--rules", "rules", "--no-default-rules", "--out", "ndjson", *place, "events.jsonl"], here, source)
        retro, _ = run([program, "hunt", "--rule", "rules", *place], here, source)
        judged += len(rules)
        findings += len(live)
        for line in live:
            finding = json.loads(line)
            found |= {finding["rule.id"], *(also["rule.id"] for also in finding.get("also", []))}
        if live != retro:
            differ.append((source, len(set(live) ^ set(retro))))
        refused += sum("do not run" in line for line in told.splitlines())
    print(f"{judged} rules of {len(groups)} log sources, {findings} findings live, {len(found)} rules found something")
    print(f"log sources whose findings differ: {len(differ)} {differ[:5]}")
    sys.exit(bool(differ))


main()
