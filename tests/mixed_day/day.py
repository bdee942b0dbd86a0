#!/usr/bin/env python3
"""The mixed day: attack tools run for real on loopback among benign traffic, and what C0Di3 makes of the logs.
day.py TOOLS DAY PROGRAM [RULES] - tools as tools.sh left them, a folder that keeps the logs, the c0di3 program, and a rules
folder instead of the built-in ones. With logs in DAY they are judged again and nothing is run. Leaves with 1 where a tool is
not found, is told in too many findings, or a benign address has one."""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import attackers
import crowd
import judge
import relay
import servers

AT_ONCE = 4
LEAST_BENIGN_REQUESTS = 2000
MOST_SECONDS = 900


def attack(attacker, address, port, env, day):
    """Runs one tool against a relay of its own; gives how long it took and how it ended."""
    command = [part.replace("{host}", address).replace("{port}", str(port)) for part in attacker.command]
    command = ["timeout", "-k", "5", str(attacker.seconds), *command]
    start = time.time()
    with open(day / "out" / f"{attacker.name}.txt", "wb") as out:
        child = subprocess.Popen(command, env=env, cwd=day / "out", stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        end = child.wait()
        try:
            os.killpg(child.pid, signal.SIGKILL)  # what the tool has left behind
        except ProcessLookupError:
            pass
    return {"seconds": round(time.time() - start), "end": "time limit" if end == 124 else end}


def friends(port, env, day, stop):
    """Benign logins over ssh: keys that fit, and a person who mistypes the password once."""
    ask = day / "askpass"
    ask.write_text(f"#!/bin/sh\nif [ -e {day}/typed ]; then echo spring-Rain-4; else touch {day}/typed; echo spring-rain-4; fi\n")
    ask.chmod(0o755)
    (day / "bob_key").chmod(0o600)
    typing = dict(env, SSH_ASKPASS=str(ask), SSH_ASKPASS_REQUIRE="force")
    common = ["ssh", "-F", "none", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10"]
    visits = 0
    while not stop.is_set():
        typed = visits % 4 == 3
        (day / "typed").unlink(missing_ok=True)
        how = ["-o", "PubkeyAuthentication=no"] if typed else ["-i", str(day / "bob_key"), "-o", "BatchMode=yes"]
        subprocess.run([*common, *how, "-b", f"127.0.1.{100 + visits % 6}", "ann@127.0.0.1"], env=typing, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False, start_new_session=True)
        visits += 1
        stop.wait(random.uniform(8, 16))


def run(tools, day):
    for name in ["out/wapiti", "out/sqlmap"]:
        (day / name).mkdir(parents=True, exist_ok=True)
    (day / "passwords").write_text("\n".join(attackers.PASSWORDS) + "\n")
    (day / "users").write_text("\n".join(attackers.USERS) + "\n")
    park = servers.Servers(tools, day)
    stop, relays, gate, told = threading.Event(), relay.Relays(), threading.Semaphore(AT_ONCE), []
    try:
        ports = {"web": park.web(), "ssh": park.ssh()}
        people = crowd.start(ports["web"], stop)
        if ports["ssh"]:
            threading.Thread(target=friends, args=(ports["ssh"], park.env, day, stop), daemon=True).start()
        else:
            print("NOTE: mount namespaces are not allowed here: tools against sshd were NOT run")
        time.sleep(5)

        def one(attacker, address):
            with gate:
                print(f"{address} {attacker.name}", flush=True)
                told.append({"name": attacker.name, "address": address,
                             **attack(attacker, address, relays.open(address, ports[attacker.service]), park.env, day)})
        threads = [threading.Thread(target=one, args=(attacker, f"127.0.0.{21 + number}"), daemon=True)
                   for number, attacker in enumerate(attackers.attackers(day, tools)) if ports[attacker.service]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        end = time.monotonic() + MOST_SECONDS
        while sum(person.requests for person in people) < LEAST_BENIGN_REQUESTS and time.monotonic() < end:
            time.sleep(1)
        stop.set()
        for person in people:
            person.join(35)
    finally:
        park.stop()
    (day / "runs.json").write_text(json.dumps(told, indent=1))


def main():
    tools, day, program = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    if not (day / "runs.json").exists():
        run(tools, day)
    return judge.judge(day, program, str(pathlib.Path(sys.argv[4]).resolve()) if len(sys.argv) > 4 else None, attackers.attackers(day, tools))


sys.exit(main())
