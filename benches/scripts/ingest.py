#!/usr/bin/env python3
"""Figures of live ingest in one run, with the program as a service of its own, its default configuration and all own rules.

    ingest.py C0DI3 [PART…] [seconds=20] [million=1] [burst=1.5] [kafka=4] [partitions=8]

Parts (all where none is named): idle, tcp (beside rsyslog writing the same stream to a file, in turn), steady (100,000 messages/s:
memory and delay to the committed finding), batches (_bulk, HEC, OTLP), udp, burst (so many million failed logins, for at most 600 s), kafka
(so many million messages from a broker of our own, for at most 300 s each to judge and to commit). Loads come from processes of their
own. It prints the machine's load before each part: figures of a machine that is not idle are bounds.
"""
import gzip, http.client, json, multiprocessing, os, resource, shutil, signal, socket, subprocess, sys, tempfile, time
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """c0di3 serve in a folder of its own."""

    def __init__(self, program, **settings):
        self.folder = tempfile.mkdtemp(prefix="c0di3-bench-")
        self.api, self.http, self.syslog, health = (free_port() for _ in range(4))
        settings = {
            "api_listen": f"127.0.0.1:{self.api}", "api_health_listen": f"127.0.0.1:{health}",
            "analyzer_listen": f"127.0.0.1:{self.http}", "syslog_tcp": f"127.0.0.1:{self.syslog}",
            "syslog_udp": f"127.0.0.1:{self.syslog}", "log_level": "warn", "health_disk_fail_percent": "100", **settings,
        }
        environment = {**os.environ, **{f"C0DI3_{name.upper()}": value for name, value in settings.items()}}
        self.log = open(f"{self.folder}/out", "w")
        self.process = subprocess.Popen([program, "serve"], cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=self.log)
        wait("the service answers", lambda: self.get(self.api, "/live") is not None)

    def get(self, port, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def metric(self, series):
        lines = (self.get(self.http, "/metrics") or "").splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(series))

    def memory_mb(self, what="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(what)) / 1024

    def processor_s(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def wait(what, is_done, seconds=300, pause=0.02):
    end = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > end:
            sys.exit(f"{what}: not within {seconds} s")
        time.sleep(pause)


def messages(count, attacks=50, seed=1, at_s=None):
    """Of sshd, as syslog, of now or of that time; so many failed logins among 10,000, over a few addresses."""
    stamp, lines = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s)), []
    for at in range(count):
        number = (at * 2654435761 + seed) & 0xFFFFFFFF
        host, port, client = f"web{number % 200:03}", 1024 + number % 60000, f"10.{number >> 8 & 3}.{number >> 10 & 255}.{number >> 18 & 255}"
        if number % 10000 < attacks:
            lines.append(f"<38>1 {stamp} {host} sshd {port} - - Failed password for root from 203.0.113.{number % 9} port {port} ssh2")
        elif number % 2:
            lines.append(f"<38>1 {stamp} {host} sshd {port} - - Accepted publickey for deploy from {client} port {port} ssh2")
        else:
            lines.append(f"<38>1 {stamp} {host} sshd {port} - - Connection closed by {client} port {port}")
    return ("\n".join(lines) + "\n").encode()


def send_file(port, path):
    with socket.create_connection(("127.0.0.1", port)) as stream, open(path, "rb") as file:
        stream.sendfile(file)
        stream.shutdown(socket.SHUT_WR)
        stream.settimeout(300)
        stream.recv(1)


def load():
    return f"load {os.getloadavg()[0]:.1f}"


def idle(program, options):
    count = 10_000
    service = Service(program, syslog_connections_max=str(count + 1), syslog_connections_per_address_max=str(count + 1))
    before = service.memory_mb()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    streams = [socket.create_connection(("127.0.0.1", service.syslog)) for _ in range(count)]
    for stream in streams:
        stream.sendall(b"<38>1 2026-11-23T10:00:00Z gate app 9 - - an idle sender\n")
    wait("all have sent", lambda: service.metric('ingest_events_total{source="syslog_tcp"}') == count)
    time.sleep(2)
    held = service.memory_mb()
    for stream in streams:
        stream.close()
    time.sleep(15)
    print(f"idle connections, {count}: {before:.0f} MB before, {held:.0f} MB with them (target 400), "
          f"{(held - before) * 1024 / count:.1f} KiB each (target 16), {service.memory_mb():.0f} MB 15 s after their end; {load()}")
    service.end()


def rsyslog_writes(path, count):
    folder = tempfile.mkdtemp(prefix="rsyslog-bench-")
    port = free_port()
    with open(f"{folder}/conf", "w") as conf:
        conf.write(f'module(load="imtcp" maxSessions="10")\ninput(type="imtcp" address="127.0.0.1" port="{port}")\n'
                   f'action(type="omfile" file="{folder}/out")\n')
    process = subprocess.Popen(["rsyslogd", "-n", "-f", f"{folder}/conf", "-i", f"{folder}/pid"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        try:
            return socket.create_connection(("127.0.0.1", port)) is not None
        except OSError:
            return False

    def lines():
        try:
            return int(subprocess.run(["wc", "-l", f"{folder}/out"], capture_output=True, text=True).stdout.split()[0])
        except (IndexError, ValueError):
            return 0

    wait("rsyslog answers", answers)
    started = time.monotonic()
    sender = multiprocessing.Process(target=send_file, args=(port, path))
    sender.start()
    wait("rsyslog has written all", lambda: lines() >= count, pause=0.1)
    seconds = time.monotonic() - started
    process.terminate()
    process.wait()
    sender.terminate()
    shutil.rmtree(folder, ignore_errors=True)
    return count / seconds


def ours_takes(program, path, count):
    service = Service(program)
    started, before = time.monotonic(), service.processor_s()
    sender = multiprocessing.Process(target=send_file, args=(service.syslog, path))
    sender.start()
    wait("all are in the spool", lambda: service.metric('ingest_events_total{source="syslog_tcp"}') >= count, pause=0.1)
    taken = time.monotonic() - started
    wait("all are judged", lambda: service.metric("events_total ") >= count, pause=0.1)
    judged = time.monotonic() - started
    used = service.processor_s() - before
    sender.join()
    service.end()
    return count / taken, count / judged, count / used


def tcp(program, options):
    count = int(options["million"] * 1_000_000)
    with tempfile.NamedTemporaryFile(prefix="c0di3-bench-") as file:
        file.write(messages(count))
        file.flush()
        for turn in range(2):
            theirs = rsyslog_writes(file.name, count)
            taken, judged, per_s = ours_takes(program, file.name, count)
            print(f"syslog over TCP, {count} messages, turn {turn}: rsyslog to a file {theirs:,.0f}/s; ours into the synced spool {taken:,.0f}/s, "
                  f"judged by all rules {judged:,.0f}/s, {per_s:,.0f} per second of processor time: {judged / theirs:.2f} times (target 1.0); {load()}")


def paced(port, rate, seconds, orders):
    """Sends at a rate; what comes through the pipe goes between."""
    text = messages(rate // 20)
    with socket.create_connection(("127.0.0.1", port)) as stream:
        started = time.monotonic()
        for step in range(seconds * 20):
            stream.sendall(text)
            while orders.poll():
                stream.sendall(orders.recv())
                orders.send(time.monotonic())
            time.sleep(max(0, started + (step + 1) / 20 - time.monotonic()))
        orders.send(time.monotonic() - started)


def steady(program, options):
    service, rate, seconds = Service(program), 100_000, int(options["seconds"])
    ours, theirs = multiprocessing.Pipe()
    sender = multiprocessing.Process(target=paced, args=(service.syslog, rate, seconds, theirs))
    sender.start()
    delays, sizes, number, started = [], [], 0, time.monotonic()
    while sender.is_alive() and time.monotonic() < started + seconds - 1:
        address = f"198.51.{100 + number // 250}.{number % 250}"
        number += 1
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        ours.send((f"<38>1 {stamp} gate sshd 1 - - Failed password for root from {address} port 1 ssh2\n" * 10).encode())
        since, path = ours.recv(), f"/api/v1/findings?source.ip={address}&limit=1"
        wait("a finding", lambda: '"id"' in (service.get(service.api, path) or ""), seconds=60, pause=0.005)
        delays.append(time.monotonic() - since)
        sizes.append(service.memory_mb())
    took = ours.recv()
    sender.join()
    delays.sort()
    at = lambda share: 1000 * delays[int((len(delays) - 1) * share)]
    third = max(1, len(sizes) // 3)
    print(f"{rate} messages/s for {seconds} s (sent in {took:.1f} s): memory {sum(sizes[:third]) / third:.0f} MB in the first third, "
          f"{sum(sizes[-third:]) / third:.0f} MB in the last, {service.memory_mb('VmHWM'):.0f} MB at most (target 250, flat); "
          f"socket to committed finding, {len(delays)} markers: p50 {at(0.5):.0f} ms, p99 {at(0.99):.0f} ms (target 600); {load()}")
    service.end()


def body_of(way, number):
    lines = messages(1000, seed=number).decode().splitlines()
    if way == "_bulk":
        text = "".join('{"create":{}}\n' + json.dumps({"message": line}) + "\n" for line in lines)
        return "/_bulk", "application/x-ndjson", gzip.compress(text.encode(), 1)
    if way == "HEC":
        return "/services/collector/event", "application/json", gzip.compress("".join(json.dumps({"event": line}) for line in lines).encode(), 1)
    records = [{"timeUnixNano": str(time.time_ns()), "body": {"stringValue": line}} for line in lines]
    text = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})
    return "/v1/logs", "application/json", gzip.compress(text.encode(), 1)


def push(port, way, seconds, pause, into):
    bodies = [body_of(way, number) for number in range(8)]
    connection = http.client.HTTPConnection("127.0.0.1", port)
    delays, started, at = [], time.monotonic(), 0
    while time.monotonic() < started + seconds:
        path, kind, body = bodies[at % len(bodies)]
        at += 1
        since = time.monotonic()
        connection.request("POST", path, body, {"Content-Type": kind, "Content-Encoding": "gzip", "User-Agent": "bench"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            delays.append(time.monotonic() - since)
        else:
            time.sleep(0.05)
        time.sleep(max(0, started + at * pause - time.monotonic()) if pause else 0)
    into.put((delays, time.monotonic() - started))


def pushed(service, way, senders, seconds, pause):
    into = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=push, args=(service.http, way, seconds, pause, into)) for _ in range(senders)]
    [process.start() for process in processes]
    results = [into.get() for _ in processes]
    [process.join() for process in processes]
    delays = sorted(delay for result, _ in results for delay in result)
    return 1000 * len(delays) / max(took for _, took in results), 1000 * delays[int((len(delays) - 1) * 0.99)]


def batches(program, options):
    seconds, senders = max(3, int(options["seconds"]) // 4), 6
    for way in ("_bulk", "HEC", "OTLP"):
        service = Service(program)
        rate, _ = pushed(service, way, senders, seconds, 0)
        wait("all are judged", lambda: service.metric("events_total ") >= service.metric("ingest_events_total"))
        half, p99 = pushed(service, way, senders, seconds, senders * 1000 / (rate / 2))
        print(f"{way}, batches of 1,000, gzip, acknowledged after the sync, {senders} senders: {rate:,.0f} events/s (target 200,000); "
              f"at {half:,.0f}/s p99 {p99:.0f} ms (target 50); {load()}")
        service.end()


def send_udp(port, count, seconds, into):
    lines = messages(1000).splitlines()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        started, step = time.monotonic(), max(1, int(count / (seconds * 200)))
        for at in range(count):
            sender.send(lines[at % 1000])
            if at % step == 0:
                time.sleep(max(0, started + at / count * seconds - time.monotonic()))
        into.put(time.monotonic() - started)


def udp(program, options):
    service, seconds, rate = Service(program), 5, 150_000
    into, count = multiprocessing.Queue(), rate * seconds // 2
    senders = [multiprocessing.Process(target=send_udp, args=(service.syslog, count, seconds, into)) for _ in range(2)]
    [sender.start() for sender in senders]
    took = max(into.get() for _ in senders)
    [sender.join() for sender in senders]
    time.sleep(3)
    came = service.metric('ingest_events_total{source="syslog_udp"}')
    lost = service.metric('ingest_dropped_total{source="syslog_udp"')
    print(f"UDP, {2 * count} datagrams at {2 * count / took:,.0f}/s (target 150,000): {came:.0f} came, {2 * count - came:.0f} lost, "
          f"of which {lost:.0f} are counted; {load()}")
    service.end()


def burst(program, options):
    service, count, most = Service(program), int(options["burst"] * 1_000_000), 600
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with tempfile.NamedTemporaryFile(prefix="c0di3-bench-") as file:
        for at in range(count):
            file.write(b"<38>1 %s web%03d sshd %d - - Failed password for user%d from 10.%d.%d.%d port %d ssh2\n" % (
                stamp.encode(), at % 200, at % 30000, at % 5000, at % 3, at // 7 % 250, at // 1750 % 250, 1024 + at % 60000))
        file.flush()
        started = time.monotonic()
        sender = multiprocessing.Process(target=send_file, args=(service.syslog, file.name))
        sender.start()
        # What was judged by then is told, with the memory that it took.
        judged = until(lambda: service.metric("events_total "), count, most)
        seconds, memory = time.monotonic() - started, service.memory_mb("VmHWM")
        cut = "" if judged >= count else f" of {count} within {most} s"
        print(f"burst of {judged:.0f}{cut} failed logins, 187,500 addresses, 5,000 accounts: {judged / seconds:,.0f}/s judged, "
              f"{memory:.0f} MB at most (target 400); {load()}")
        sender.terminate()
        sender.join()
    service.end()


def until(read, wanted, seconds, pause=0.2):
    """The last number that was read: the wanted one, unless the time is over before."""
    end, number = time.monotonic() + seconds, 0
    while number < wanted and time.monotonic() < end:
        time.sleep(pause)
        number = read()
    return number


def kafka(program, options):
    records, partitions, most = 5_000, int(options["partitions"]), 300
    batches = max(1, int(options["kafka"] * 1_000_000) // (records * partitions))
    count, port = records * partitions * batches, free_port()
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafka_load.py")
    broker = subprocess.Popen([sys.executable, script, *(str(number) for number in (port, partitions, batches, records))],
                              stdout=subprocess.PIPE, text=True)
    assert broker.stdout.readline() == "ready\n"
    service = Service(program, kafka_brokers=f"127.0.0.1:{port}", kafka_topics="load")
    committed = lambda: service.metric('sender_events{source="kafka",state="committed"}')
    # A group takes seconds to form: the time counts from the first event on.
    wait("the first event comes", lambda: service.metric("events_total ") > 0, seconds=60)
    started, before = time.monotonic(), service.metric("events_total ")
    judged = until(lambda: service.metric("events_total "), count, most, pause=0.05)
    judging = time.monotonic() - started
    done = until(committed, count, most, pause=0.05)
    committing, used = time.monotonic() - started, service.processor_s()
    with open(f"/proc/{broker.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    theirs = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    cut = "" if done >= count else f", cut off after {most} s: {done:.0f} committed"
    print(f"Kafka, {count} messages (gzip, {partitions} partitions){cut}: {(judged - before) / judging:,.0f}/s consumed and judged, "
          f"{(done - before) / committing:,.0f}/s committed (target 400,000), {done / max(used, 0.01):,.0f} per second of our processor time; "
          f"the broker took {theirs:.1f} s of it; {service.memory_mb('VmHWM'):.0f} MB at most; {load()}")
    broker.terminate()
    broker.wait()
    service.end()


PARTS = {"idle": idle, "tcp": tcp, "steady": steady, "batches": batches, "udp": udp, "burst": burst, "kafka": kafka}


def main():
    program, *rest = sys.argv[1:]
    options = {"seconds": 20.0, "million": 1.0, "burst": 1.5, "kafka": 4.0, "partitions": 8.0}
    options.update({name: float(value) for name, value in (word.split("=") for word in rest if "=" in word)})
    for part in [word for word in rest if "=" not in word] or PARTS:
        PARTS[part](os.path.abspath(program), options)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
