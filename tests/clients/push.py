"""Sends failed logins with a client that we did not write: push.py CLIENT PORT ADDRESS COUNT [TOKEN].

Fails where the client says that something was not taken."""
import logging
import sys

client, port, address, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
token = sys.argv[5] if len(sys.argv) > 5 else None
url = f"http://127.0.0.1:{port}"


def message(number):
    return f"Failed password for root from {address} port {4000 + number} ssh2"


def line(number):
    return f"Nov 23 10:00:{number:02} gate sshd[{number}]: {message(number)}"


def elasticsearch():
    import elasticsearch
    from elasticsearch import helpers

    how = {"api_key": token} if token else {}
    es = elasticsearch.Elasticsearch(url, http_compress=True, **how)
    assert es.info()["tagline"]
    stamped = ({"_op_type": "create", "_index": "logs", "@timestamp": "2026-11-23T10:00:00Z", "message": line(n)} for n in range(count))
    taken, errors = helpers.bulk(es, stamped)
    assert (taken, errors) == (count, []), (taken, errors)


def opensearch():
    import opensearchpy
    from opensearchpy import helpers

    how = {"http_auth": ("shipper", token)} if token else {}
    client = opensearchpy.OpenSearch(url, **how)
    assert client.info()["version"]["distribution"] == "opensearch"
    documents = ({"_index": "logs", "@timestamp": "2026-11-23T10:00:00Z", "log": line(n)} for n in range(count))
    taken, errors = helpers.bulk(client, documents)
    assert (taken, errors) == (count, []), (taken, errors)


def splunk():
    from splunk_hec_handler import SplunkHecHandler

    handler = SplunkHecHandler("127.0.0.1", token or "unused", port=port, proto="http", ssl_verify=False, source="test")
    logger = logging.getLogger("test")
    logger.addHandler(handler)
    for number in range(count):
        logger.warning(line(number))


def loki():
    import logging_loki

    auth = ("shipper", token) if token else None
    handler = logging_loki.LokiHandler(f"{url}/loki/api/v1/push", tags={"app": "sshd", "host": "gate"}, auth=auth, version="1")

    def failed(record):
        raise

    handler.handleError = failed
    logger = logging.getLogger("loki")
    logger.addHandler(handler)
    for number in range(count):
        logger.warning(message(number))


def otlp():
    import io

    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    told = io.StringIO()
    logging.getLogger("opentelemetry").addHandler(logging.StreamHandler(told))
    headers = {"authorization": f"Bearer {token}"} if token else None
    exporter = OTLPLogExporter(f"{url}/v1/logs", compression=Compression.Gzip, headers=headers)
    provider = LoggerProvider(resource=Resource.create({"service.name": "sshd", "host.name": "gate"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = logging.getLogger("otlp")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    for number in range(count):
        logger.warning(message(number))
    provider.shutdown()
    assert not told.getvalue(), told.getvalue()


def gelf():
    import graypy

    logger = logging.getLogger("gelf")
    logger.addHandler(graypy.GELFHTTPHandler("127.0.0.1", port))
    for number in range(count):
        logger.warning(line(number))


def otlp_grpc():
    import io

    import grpc
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    told = io.StringIO()
    logging.getLogger("opentelemetry").addHandler(logging.StreamHandler(told))
    headers = (("authorization", f"Bearer {token}"),) if token else None
    exporter = OTLPLogExporter(f"127.0.0.1:{port}", insecure=True, compression=grpc.Compression.Gzip, headers=headers)
    provider = LoggerProvider(resource=Resource.create({"service.name": "sshd", "host.name": "gate"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = logging.getLogger("otlp")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    for number in range(count):
        logger.warning(message(number))
    provider.shutdown()
    assert not told.getvalue(), told.getvalue()


def gelf_tcp():
    import graypy

    logger = logging.getLogger("gelf")
    handler = graypy.GELFTCPHandler("127.0.0.1", port)
    logger.addHandler(handler)
    for number in range(count):
        logger.warning(line(number))
    handler.close()


def pygelf_tcp():
    import pygelf

    logger = logging.getLogger("gelf")
    handler = pygelf.GelfTcpHandler("127.0.0.1", port, include_extra_fields=True)
    logger.addHandler(handler)
    for number in range(count):
        logger.warning(line(number))
    handler.close()


def gelf_udp():
    """In chunks: what is beside each line is longer than a datagram, and compresses badly."""
    import random

    import graypy

    logger = logging.getLogger("gelf")
    handler = graypy.GELFUDPHandler("127.0.0.1", port)
    logger.addHandler(handler)
    for number in range(count):
        beside = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=6000))
        logger.warning(line(number), extra={"beside": beside})
    handler.close()


def pygelf_udp():
    import pygelf

    logger = logging.getLogger("gelf")
    handler = pygelf.GelfUdpHandler("127.0.0.1", port, compress=True)
    logger.addHandler(handler)
    for number in range(count):
        logger.warning(line(number))
    handler.close()


def forward():
    from fluent import sender

    logger = sender.FluentSender("app", host="127.0.0.1", port=port, nanosecond_precision=True)
    for number in range(count):
        assert logger.emit("x", {"log": line(number)}), logger.last_error
    logger.close()


def lumberjack():
    import pylogbeat

    with pylogbeat.PyLogBeatClient("127.0.0.1", port, timeout=20) as beats:
        for first in range(0, count, 5):
            beats.send([
                {"@timestamp": "2026-11-23T10:00:00.000Z", "@version": "1", "message": line(number)}
                for number in range(first, min(first + 5, count))
            ])


clients = [
    elasticsearch, opensearch, splunk, loki, otlp, otlp_grpc, gelf, gelf_tcp, pygelf_tcp, gelf_udp, pygelf_udp, forward, lumberjack,
]
{f.__name__: f for f in clients}[client]()
