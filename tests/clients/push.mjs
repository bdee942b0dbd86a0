// Sends failed logins with a client that we did not write: push.mjs CLIENT PORT ADDRESS COUNT MODULES [TOKEN].
// Fails where the client says that something was not taken.
import { createRequire } from "node:module";
import { join } from "node:path";

const [client, port, address, number, modules, token] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const url = `http://127.0.0.1:${port}`;
const numbers = [...Array(Number(number)).keys()];
const message = (n) => `Failed password for root from ${address} port ${4000 + n} ssh2`;
const line = (n) => `Nov 23 10:00:${String(n).padStart(2, "0")} gate sshd[${n}]: ${message(n)}`;
const check = (sound, told) => {
  if (!sound) {
    console.error(told);
    process.exit(1);
  }
};

const clients = {
  async elasticsearch() {
    const { Client } = require("@elastic/elasticsearch");
    const es = new Client({ node: url, auth: token ? { apiKey: token } : undefined });
    const told = await es.helpers.bulk({
      datasource: numbers.map((n) => ({
        appname: "sshd", facility: "auth", hostname: "gate", message: message(n), procid: n, severity: "info",
        source_type: "syslog", timestamp: "2026-11-23T10:00:00Z", version: 1,
      })),
      onDocument: () => ({ create: { _index: "logs" } }),
    });
    check(told.successful === numbers.length, told);
  },
  async splunk() {
    const { Logger } = require("splunk-logging");
    const logger = new Logger({ token: token ?? "unused", url, maxBatchCount: 1 });
    logger.error = (error) => check(false, error);
    for (const n of numbers) {
      await new Promise((done) =>
        logger.send({ message: line(n), severity: "info" }, (error, _, body) => {
          check(!error && body.code === 0, error ?? body);
          done();
        }),
      );
    }
  },
  async loki() {
    const winston = require("winston");
    const LokiTransport = require("winston-loki");
    const transport = new LokiTransport({
      host: url, labels: { app: "sshd", host: "gate" }, json: false, batching: true, interval: 1, replaceTimestamp: true,
      basicAuth: token ? `shipper:${token}` : undefined, gracefulShutdown: false, onConnectionError: (error) => check(false, error),
      format: winston.format.printf((info) => info.message),
    });
    const logger = winston.createLogger({ transports: [transport] });
    numbers.forEach((n) => logger.warn(message(n)));
    await new Promise((done) => setTimeout(done, 2500));
    process.exit(0);
  },
  async otlp() {
    const { OTLPLogExporter } = require("@opentelemetry/exporter-logs-otlp-http");
    const { LoggerProvider, SimpleLogRecordProcessor, BatchLogRecordProcessor } = require("@opentelemetry/sdk-logs");
    const { diag, DiagConsoleLogger, DiagLogLevel } = require("@opentelemetry/api");
    diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.ERROR);
    const exporter = new OTLPLogExporter({ url: `${url}/v1/logs`, headers: token ? { authorization: `Bearer ${token}` } : {} });
    const processor = new SimpleLogRecordProcessor(exporter.constructor.length > 9 ? exporter : { exporter });
    let provider;
    try {
      provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
    } catch {
      provider = new LoggerProvider({ processors: [processor, new BatchLogRecordProcessor(exporter)] });
    }
    const logger = provider.getLogger("test");
    numbers.forEach((n) => logger.emit({ body: line(n), severityText: "INFO", attributes: { "host.name": "gate" } }));
    await provider.forceFlush();
    await provider.shutdown();
  },
  async otlp_grpc() {
    const { OTLPLogExporter } = require("@opentelemetry/exporter-logs-otlp-grpc");
    const { LoggerProvider, SimpleLogRecordProcessor } = require("@opentelemetry/sdk-logs");
    const { diag, DiagConsoleLogger, DiagLogLevel } = require("@opentelemetry/api");
    const { Metadata } = require("@grpc/grpc-js");
    diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.ERROR);
    const metadata = new Metadata();
    if (token) metadata.set("authorization", `Bearer ${token}`);
    const exporter = new OTLPLogExporter({ url, metadata });
    const failed = [];
    const told = exporter.export.bind(exporter);
    exporter.export = (logs, done) => told(logs, (result) => {
      if (result.code !== 0) failed.push(result.error);
      done(result);
    });
    const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
    const logger = provider.getLogger("test");
    numbers.forEach((n) => logger.emit({ body: line(n), severityText: "INFO", attributes: { "host.name": "gate" } }));
    await provider.forceFlush();
    await provider.shutdown();
    check(failed.length === 0, failed);
  },
  gelf_tcp: () => gelf("tcp"),
  gelf_udp: () => gelf("udp"),
  forward: () => forward("Message"),
  forward_packed: () => forward("PackedForward"),
  forward_compressed: () => forward("CompressedPackedForward"),
  async lumberjack() {
    const Client = require("lumberjack-client");
    const beats = new Client({ host: "127.0.0.1", port: Number(port) });
    numbers.forEach((n) => beats.log({ "@timestamp": "2026-11-23T10:00:00.000Z", "@version": "1", message: line(n) }));
    await new Promise((done) => setTimeout(done, 500));
    let acknowledged = 0;
    beats.socket.on("data", (bytes) => (acknowledged = bytes.readUInt32BE(bytes.length - 4)));
    beats.log({ "@timestamp": "2026-11-23T10:00:00.000Z", "@version": "1", message: line(0) });
    await new Promise((done) => setTimeout(done, 1500));
    check(acknowledged === 1, `acknowledged ${acknowledged}`);
    process.exit(0);
  },
};

async function gelf(adapter) {
  const log = require("gelf-pro");
  log.setConfig({ adapterName: adapter, adapterOptions: { host: "127.0.0.1", port: Number(port) } });
  for (const n of numbers) {
    await new Promise((done) => log.info(line(n), (error) => (check(!error, error), done())));
  }
}

// With a token it is the shared key.
async function forward(eventMode) {
  const security = token ? { clientHostname: "shipper.example", sharedKey: token } : undefined;
  const logger = require("fluent-logger").createFluentSender("app", {
    host: "127.0.0.1", port: Number(port), eventMode, requireAckResponse: true, ackResponseTimeout: 20000, security,
    internalLogger: { info() {}, error: (...told) => check(false, told) },
  });
  const sent = numbers.map((n) => new Promise((done) =>
    logger.emit("x", { log: line(n) }, (error) => (check(!error, error), done()))));
  await Promise.all(sent);
  logger.end();
  process.exit(0);
}

await clients[client]();
