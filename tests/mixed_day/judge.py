"""Replays the logs of the mixed day and tells, per tool, what C0Di3 made of it. A finding counts when it is above
informational. Must know nothing of rules but the titles that people read."""
import collections
import contextlib
import json
import re
import sqlite3
import subprocess

from attackers import MOST_FINDINGS


def replay(day, program, rules):
    command = [str(program), "replay", "--store", f"sqlite:{day}/c0di3.db", "--out", "ndjson"]
    if rules:
        command += ["--no-default-rules", "--rules", rules]
    for old in day.glob("c0di3.db*"):
        old.unlink()
    answer = subprocess.run([*command, "logs"], cwd=day, capture_output=True, text=True, timeout=600, check=False)
    if answer.returncode != 0:
        raise SystemExit(f"replay left with {answer.returncode}: {answer.stderr[-2000:]}")
    (day / "findings.ndjson").write_text(answer.stdout)
    print(answer.stderr.strip()[-300:])
    return [json.loads(line) for line in answer.stdout.splitlines()]


def incidents(day):
    """The incident of each finding."""
    with contextlib.closing(sqlite3.connect(day / "c0di3.db")) as base:
        return dict(base.execute("select finding_id, incident_id from incident_findings"))


ADDRESS = re.compile(r"\b127\.\d+\.\d+\.\d+\b")
PROCESS = re.compile(r"\bsshd\[(\d+)\]")


def addresses(finding, processes):
    """The loopback addresses that a finding is about; where it names none, those of its evidence, or those that the same
    process of sshd told in another line."""
    named = {value for values in finding["entities"].values() for value in values if str(value).startswith("127.")}
    shown = " ".join(e["original"] for e in finding["evidence"])
    return named or set(ADDRESS.findall(shown)) or {processes[pid] for pid in PROCESS.findall(shown) if pid in processes}


def processes_of(day):
    """The address that each process of sshd served."""
    log = day / "logs" / "auth.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return {PROCESS.search(line)[1]: ADDRESS.search(line)[0] for line in lines if PROCESS.search(line) and ADDRESS.search(line)}


def requests(day):
    """Requests per address, and sshd's lines per address."""
    count = collections.Counter()
    for name in ["nginx-access.log", "auth.log"]:
        path = day / "logs" / name
        if path.exists():
            for line in path.read_text(errors="replace").splitlines():
                count.update(set(re.findall(r"\b127\.0\.[01]\.\d+\b", line if name == "auth.log" else line.split(" ")[0])))
    return count


def titles(finding):
    """What one finding says: the title of the rule that leads, and those of the rules that matched the same events."""
    return [finding["rule.title"], *(other["rule.title"] for other in finding.get("also", []))]


def also(finding):
    others = titles(finding)[1:]
    return f" (also: {', '.join(others)})" if others else ""


def named(finding, agent):
    """Whether the finding says which tool it was."""
    return any("Attack tool" in title for title in titles(finding)) and any(agent.lower() in e["original"].lower() for e in finding["evidence"])


def wrong_with(attacker, mine, incidents_of_it):
    said = [f"{finding['severity']} {title}" for finding in mine for title in titles(finding)]
    wrong = [f"no finding says {word}: {sought}" for word, sought in [("the aim", attacker.aim), ("the success", attacker.success)]
             if sought and not any(re.search(sought, words) for words in said)]
    if attacker.agent and not any(named(finding, attacker.agent) for finding in mine):
        wrong.append(f"no finding names the tool by its agent {attacker.agent}")
    told = {finding["rule.title"] for finding in mine if finding["level"] != "low"}
    if len(told) > attacker.most:
        wrong.append(f"{len(told)} kinds of findings above low, more than {attacker.most}")
    if incidents_of_it > 1:
        wrong.append(f"{incidents_of_it} incidents, not one")
    return [f"{attacker.name}: {what}" for what in wrong]


def judge(day, program, rules, attackers):
    told = {run["name"]: run for run in json.loads((day / "runs.json").read_text())}
    findings = [f for f in replay(day, program, rules) if f["level"] != "informational"]
    asked, wrong, of_incident, processes = requests(day), [], incidents(day), processes_of(day)
    by_address = collections.defaultdict(list)
    for finding in findings:
        for address in addresses(finding, processes):
            by_address[address].append(finding)
    for attacker in attackers:
        if run := told.get(attacker.name):
            mine = sorted(by_address[run["address"]], key=lambda f: -f["score"])
            together = len({of_incident[f["id"]] for f in mine if f["id"] in of_incident})
            print(f"\n{attacker.name} ({run['address']}): {asked[run['address']]} lines in {run['seconds']} s (end {run['end']}), "
                  f"{len(mine)} findings of "
                  f"{len({f['rule.title'] for f in mine})} kinds in {together} incidents")
            if attacker.most > MOST_FINDINGS:
                print(f"  NOTE: a scanner of everything: {attacker.most} kinds of findings are allowed, {MOST_FINDINGS} are wanted")
            for finding in mine:
                print(f"  {finding['severity']} {finding['level']:<8} {finding['rule.title']} x{finding['count']}{also(finding)}")
            wrong += wrong_with(attacker, mine, together)
    benign = sorted(address for address in asked if address.startswith("127.0.1."))
    for address in benign:
        wrong += [f"benign {address}: {f['severity']} {f['rule.title']}{also(f)}" for f in by_address[address]]
    print(f"\nbenign: {sum(asked[address] for address in benign)} lines of {len(benign)} addresses, "
          f"{sum(len(by_address[address]) for address in benign)} findings")
    print(f"about no address: {[f['rule.title'] for f in findings if not addresses(f, processes)]}")
    for problem in wrong:
        print(f"WRONG {problem}")
    print(f"mixed day: {len(told)} runs of tools, {len(findings)} findings, {len(wrong)} wrong")
    return 1 if wrong else 0
