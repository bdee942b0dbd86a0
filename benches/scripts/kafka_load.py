#!/usr/bin/env python3
"""A topic of Kafka that costs next to nothing to serve: kafka_load.py PORT PARTITIONS BATCHES_PER_PARTITION [RECORDS_PER_BATCH]

Speaks as much of the protocol as one consumer group needs, in its oldest versions. A few batches (gzip) are made once and served again
and again at other offsets, which their checksums do not cover, so that the consumer is what is measured. Prints `ready` when it listens.
"""
import socketserver, struct, sys, time, zlib

from ingest import messages

TOPIC, NODE = "load", 1
DISTINCT = 64
# Requests of the protocol, and the one version of each that is spoken here.
FETCH, OFFSETS, METADATA, COMMIT, OFFSET_FETCH, COORDINATOR, JOIN, BEAT, LEAVE, SYNC, VERSIONS = 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 18
SPOKEN = {FETCH: 4, OFFSETS: 1, METADATA: 1, COMMIT: 2, OFFSET_FETCH: 1, COORDINATOR: 0, JOIN: 0, BEAT: 0, LEAVE: 0, SYNC: 0, VERSIONS: 0, 0: 3}


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


def crc32c(data, table=crc32c_table()):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(number):
    number, out = number << 1 ^ number >> 63, bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def batch(count, seed, at_s):
    """All of a batch behind its first offset; its messages have one time, that of all batches, so that none is out of order."""
    records = bytearray()
    for at, line in enumerate(messages(count, seed=seed, at_s=at_s).splitlines()):
        record = b"\0\0" + varint(at) + varint(-1) + varint(len(line)) + line + b"\0"
        records += varint(len(record)) + record
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    body = packer.compress(bytes(records)) + packer.flush()
    now = int(at_s * 1000)
    checked = struct.pack(">hiqqqhii", 1, count - 1, now, now, -1, -1, -1, count) + body
    return struct.pack(">iibI", len(checked) + 9, -1, 2, crc32c(checked)) + checked


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


class Request:
    """Reads what a request holds, field by field."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def bytes(self, form="i"):
        length = max(self.number(form), 0)
        self.at += length
        return self.data[self.at - length:self.at]

    def text(self):
        return self.bytes("h").decode()

    def array(self, read):
        return [read() for _ in range(max(self.number("i"), 0))]


class Broker(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True

    def __init__(self, port, partitions, batches, records):
        self.port, self.partitions, self.records, self.end = port, partitions, records, batches * records
        at_s = time.time()
        self.batches = [batch(records, seed, at_s) for seed in range(DISTINCT)]
        super().__init__(("127.0.0.1", port), Connection)

    def read(self, partition, offset, most):
        """Batches from the one that holds the offset on."""
        out, number = bytearray(), offset // self.records
        while number * self.records < self.end:
            body = self.batches[(number * self.partitions + partition) % DISTINCT]
            if out and len(out) + len(body) > most:
                break
            out += struct.pack(">q", number * self.records) + body
            number += 1
        return bytes(out)

    def answer(self, key, request):
        topics = lambda read: request.array(lambda: (request.text(), request.array(read)))
        of = lambda all, write: array([text(name) + array([write(*one) for one in parts]) for name, parts in all])
        if key == METADATA:
            parts = [struct.pack(">hiii", 0, at, NODE, 1) + struct.pack(">iii", NODE, 1, NODE) for at in range(self.partitions)]
            broker = struct.pack(">i", NODE) + text("127.0.0.1") + struct.pack(">ih", self.port, -1)
            return array([broker]) + struct.pack(">i", NODE) + array([struct.pack(">h", 0) + text(TOPIC) + b"\0" + array(parts)])
        if key == COORDINATOR:
            return struct.pack(">hi", 0, NODE) + text("127.0.0.1") + struct.pack(">i", self.port)
        if key == JOIN:
            request.text(), request.number("i"), request.text(), request.text()
            protocols = request.array(lambda: (request.text(), request.bytes()))
            name, about = protocols[0]
            member = text("member") + struct.pack(">i", len(about)) + about
            return struct.pack(">hi", 0, 1) + text(name) + text("member") + text("member") + array([member])
        if key == SYNC:
            request.text(), request.number("i"), request.text()
            assigned = request.array(lambda: (request.text(), request.bytes()))
            about = assigned[0][1] if assigned else b""
            return struct.pack(">hi", 0, len(about)) + about
        if key in (BEAT, LEAVE):
            return struct.pack(">h", 0)
        if key == OFFSET_FETCH:
            request.text()
            return of(topics(lambda: (request.number("i"),)), lambda at: struct.pack(">iqhh", at, -1, 0, 0))
        if key == COMMIT:
            request.text(), request.number("i"), request.text(), request.number("q")
            return of(topics(lambda: (request.number("i"), request.number("q"), request.text())), lambda at, *_: struct.pack(">ih", at, 0))
        if key == OFFSETS:
            request.number("i")
            asked = topics(lambda: (request.number("i"), request.number("q")))
            return of(asked, lambda at, when: struct.pack(">ihqq", at, 0, -1, 0 if when == -2 else self.end))
        if key == FETCH:
            request.number("i")
            wait, _, most, _ = (request.number(form) for form in "iiib")
            asked = topics(lambda: (request.number("i"), request.number("q"), request.number("i")))
            left, sent = [most], []

            def part(at, offset, share):
                body = self.read(at, offset, min(share, left[0])) if left[0] > 0 and offset < self.end else b""
                left[0] -= len(body)
                sent.append(body)
                return struct.pack(">ihqqii", at, 0, self.end, self.end, -1, len(body)) + body

            out = struct.pack(">i", 0) + of(asked, part)
            if not any(sent):
                time.sleep(wait / 1000)
            return out
        raise ValueError(f"request {key} is not spoken here")


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            head = self.rfile.read(4)
            if len(head) < 4:
                return
            request = Request(self.rfile.read(struct.unpack(">i", head)[0]))
            key, version, number = request.number("h"), request.number("h"), request.number("i")
            request.text()
            if key == VERSIONS:
                all = array([struct.pack(">hhh", api, one, one) for api, one in sorted(SPOKEN.items())])
                body = struct.pack(">h", 0 if version == 0 else 35) + all
            else:
                body = self.server.answer(key, request)
            self.wfile.write(struct.pack(">ii", len(body) + 4, number) + body)


if __name__ == "__main__":
    port, partitions, batches, *records = (int(word) for word in sys.argv[1:])
    with Broker(port, partitions, batches, *(records or [5000])) as broker:
        print("ready", flush=True)
        broker.serve_forever()
