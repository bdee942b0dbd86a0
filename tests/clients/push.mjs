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
};
await clients[client]();
