"""Replays the logs of the mixed day and tells, per tool, what C0Di3 made of it. A finding counts when it is above
informational. Must know nothing of rules but the titles that people read."""
import collections
import contextlib
import json
import re
import sqlite3
import subprocess

MOST_FINDINGS = 8


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


def addresses(finding):
    """The loopback addresses that a finding is about; those of its evidence where it names none."""
    named = {value for values in finding["entities"].values() for value in values if str(value).startswith("127.")}
    return named or set(re.findall(r"\b127\.\d+\.\d+\.\d+\b", " ".join(e["original"] for e in finding["evidence"])))


def requests(day):
    """Requests per address, and sshd's lines per address."""
    count = collections.Counter()
    for name in ["nginx-access.log", "auth.log"]:
        path = day / "logs" / name
        if path.exists():
            for line in path.read_text(errors="replace").splitlines():
                count.update(set(re.findall(r"\b127\.0\.[01]\.\d+\b", line if name == "auth.log" else line.split(" ")[0])))
    return count


def named(finding, agent):
    """Whether the finding says which tool it was."""
    return "Attack tool" in finding["rule.title"] and any(agent.lower() in e["original"].lower() for e in finding["evidence"])


def wrong_with(attacker, mine):
    titles = [finding["rule.title"] for finding in mine]
    wrong = [f"no finding says {word}: {sought}" for word, sought in [("the aim", attacker.aim), ("the success", attacker.success)]
             if sought and not any(re.search(sought, title) for title in titles)]
    if attacker.agent and not any(named(finding, attacker.agent) for finding in mine):
        wrong.append(f"no finding names the tool by its agent {attacker.agent}")
    if len(mine) > MOST_FINDINGS:
        wrong.append(f"{len(mine)} findings, more than {MOST_FINDINGS}")
    return [f"{attacker.name}: {what}" for what in wrong]


def judge(day, program, rules, attackers):
    told = {run["name"]: run for run in json.loads((day / "runs.json").read_text())}
    findings = [f for f in replay(day, program, rules) if f["level"] != "informational"]
    asked, wrong, of_incident = requests(day), [], incidents(day)
    by_address = collections.defaultdict(list)
    for finding in findings:
        for address in addresses(finding):
            by_address[address].append(finding)
    for attacker in attackers:
        if run := told.get(attacker.name):
            mine = sorted(by_address[run["address"]], key=lambda f: -f["score"])
            together = len({of_incident.get(f["id"], f["id"]) for f in mine})
            print(f"\n{attacker.name} ({run['address']}): {asked[run['address']]} lines in {run['seconds']} s (end {run['end']}), "
                  f"{len(mine)} findings in {together} incidents")
            for finding in mine:
                print(f"  {finding['severity']} {finding['level']:<8} {finding['rule.title']} x{finding['count']}")
            wrong += wrong_with(attacker, mine)
    benign = sorted(address for address in asked if address.startswith("127.0.1."))
    for address in benign:
        wrong += [f"benign {address}: {f['severity']} {f['rule.title']}" for f in by_address[address]]
    print(f"\nbenign: {sum(asked[address] for address in benign)} lines of {len(benign)} addresses, "
          f"{sum(len(by_address[address]) for address in benign)} findings")
    print(f"about no address: {[f['rule.title'] for f in findings if not addresses(f)]}")
    for problem in wrong:
        print(f"WRONG {problem}")
    print(f"mixed day: {len(told)} runs of tools, {len(findings)} findings, {len(wrong)} wrong")
    return 1 if wrong else 0
