//! Kafka against librdkafka's own mock of a cluster: real connections on loopback, no server to start. The mock lets three
//! seconds pass before a group is complete, so each test takes five or more.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event::{Position, Source, Timestamp};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::options::next_message;
use super::wire;
use super::*;
use crate::input::{Pull, Pulled};
use crate::live::{ClaimError, LiveInput, queue};

const TOPIC: &str = "events";
const SOON: Duration = Duration::from_secs(60);

/// A cluster with one topic; its dead letters need no topic of their own.
struct Cluster(MockCluster<'static, DefaultProducerContext>);

impl Cluster {
    fn new(partitions: i32) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, partitions, 1).unwrap();
        cluster.create_topic("events.dead-letter", 1, 1).unwrap();
        Cluster(cluster)
    }

    fn brokers(&self) -> String {
        self.0.bootstrap_servers()
    }

    /// Sends messages with a codec, as one batch each call.
    fn send(&self, partition: i32, codec: &str, messages: &[&str]) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", self.brokers())
            .set("compression.type", codec)
            .set("message.max.bytes", "8000000")
            // Several wait for each other, however busy the machine is; one waits for nobody.
            .set("linger.ms", if messages.len() > 1 { "2000" } else { "0" })
            .create()
            .unwrap();
        for message in messages {
            producer.send(BaseRecord::<(), str>::to(TOPIC).partition(partition).payload(message)).unwrap();
        }
        producer.flush(SOON).unwrap();
    }

    /// Sends a batch as bytes: what no producer would send.
    fn send_batch(&self, partition: i32, codec: u8, records: i32, body: &[u8]) {
        let batch = batch(codec, records, body);
        let mut request = Vec::new();
        request.extend([0, 0, 0, 3, 0, 0, 0, 1, 0, 1, b't']); // produce, version 3
        request.extend((-1_i16).to_be_bytes());
        request.extend((-1_i16).to_be_bytes());
        request.extend(5_000_i32.to_be_bytes());
        request.extend(1_i32.to_be_bytes());
        request.extend((TOPIC.len() as i16).to_be_bytes());
        request.extend_from_slice(TOPIC.as_bytes());
        request.extend(1_i32.to_be_bytes());
        request.extend(partition.to_be_bytes());
        request.extend((batch.len() as i32).to_be_bytes());
        request.extend_from_slice(&batch);
        let answer = wire::ask(&self.brokers(), &request, 1 << 20, false).unwrap();
        let error = 4 + 2 + TOPIC.len() + 4 + 4;
        assert_eq!(answer[error..error + 2], [0, 0], "the broker took the batch");
    }

    /// What stands in a topic: headers and payload of each message.
    fn letters(&self, count: usize) -> Vec<(BTreeMap<String, String>, Vec<u8>)> {
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", self.brokers()).set("group.id", "letters").create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("events.dead-letter", 0, Offset::Beginning).unwrap();
        consumer.assign(&list).unwrap();
        let (mut found, started) = (Vec::new(), Instant::now());
        while found.len() < count && started.elapsed() < SOON {
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
            let headers = message.headers().unwrap();
            let text = |value: Option<&[u8]>| String::from_utf8(value.unwrap().to_vec()).unwrap();
            let headers = headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect();
            found.push((headers, message.payload().unwrap_or_default().to_vec()));
        }
        assert_eq!(found.len(), count, "letters");
        found
    }
}

/// A batch of version 2 around a body.
fn batch(codec: u8, records: i32, body: &[u8]) -> Vec<u8> {
    let mut checked = Vec::new();
    checked.extend(i16::from(codec).to_be_bytes());
    checked.extend((records - 1).to_be_bytes());
    checked.extend(1_700_000_000_000_i64.to_be_bytes());
    checked.extend(1_700_000_000_000_i64.to_be_bytes());
    checked.extend((-1_i64).to_be_bytes());
    checked.extend((-1_i16).to_be_bytes());
    checked.extend((-1_i32).to_be_bytes());
    checked.extend(records.to_be_bytes());
    checked.extend_from_slice(body);
    let mut batch = 0_i64.to_be_bytes().to_vec();
    batch.extend((checked.len() as i32 + 9).to_be_bytes());
    batch.extend((-1_i32).to_be_bytes());
    batch.push(2);
    batch.extend(crc32c(&checked).to_be_bytes());
    batch.extend(checked);
    batch
}

fn crc32c(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0x82F6_3B78 & 0_u32.wrapping_sub(sum & 1)))
    };
    !bytes.iter().fold(u32::MAX, step)
}

/// Records of a batch, each with a value alone.
fn records(values: &[&str]) -> Vec<u8> {
    let varint = |number: i64, out: &mut Vec<u8>| {
        let mut left = ((number << 1) ^ (number >> 63)) as u64;
        while left > 127 {
            out.push(left as u8 | 128);
            left >>= 7;
        }
        out.push(left as u8);
    };
    let mut out = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let mut record = vec![0, 0];
        varint(at as i64, &mut record);
        varint(-1, &mut record);
        varint(value.len() as i64, &mut record);
        record.extend_from_slice(value.as_bytes());
        record.push(0);
        varint(record.len() as i64, &mut out);
        out.extend(record);
    }
    out
}

/// Positions as a store keeps them; `refused`: partitions that it refuses for good.
#[derive(Default)]
struct Store {
    positions: Mutex<BTreeMap<String, Position>>,
    refused: Vec<String>,
    away: AtomicBool,
    asked: Mutex<Vec<String>>,
}

impl Resume for Store {
    fn claim(&self, source: &Source) -> Result<Option<Position>, ClaimError> {
        self.asked.lock().unwrap().push(source.name.clone());
        if self.refused.contains(&source.name) {
            return Err(ClaimError::Final("this row is refused".to_owned()));
        }
        if self.away.load(Ordering::Relaxed) {
            return Err(ClaimError::Passing("away".to_owned()));
        }
        Ok(self.positions.lock().unwrap().get(&source.name).copied())
    }
}

/// A reader of the topic as the analyzer runs it.
struct Run {
    input: LiveInput,
    stop: Arc<AtomicBool>,
    state: Arc<KafkaState>,
    store: Arc<Store>,
    thread: std::thread::JoinHandle<()>,
    lines: Vec<String>,
}

fn options(cluster: &Cluster) -> KafkaOptions {
    KafkaOptions {
        brokers: cluster.brokers(),
        access: Arc::default(),
        group: "test".to_owned(),
        topics: vec![TOPIC.to_owned()],
        message_bytes_max: 2 << 20,
        unreadable: Unreadable::DeadLetter,
        dead_letter_topic: "{topic}.dead-letter".to_owned(),
        still_max: Duration::from_secs(1),
        clock: || Timestamp(5),
    }
}

impl Run {
    fn start(options: KafkaOptions, store: Arc<Store>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let state = Arc::new(KafkaState::default());
        let (sender, input) = queue(Arc::clone(&stop));
        let (resume, theirs, flag) = (Arc::clone(&store), Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::spawn(move || feed(&options, resume, theirs, sender, flag).unwrap());
        Run { input, stop, state, store, thread, lines: Vec::new() }
    }

    /// Takes one block as the committer would.
    fn pull(&mut self) {
        match self.input.pull() {
            Some(Pulled::Block { block, .. }) => {
                self.lines.extend(std::str::from_utf8(&block.bytes).unwrap().lines().map(str::to_owned));
                let end = block.layout.line_offsets.last().map_or(block.start.offset, |last| last + 1);
                let position = Position { offset: end, line: 0 };
                self.store.positions.lock().unwrap().insert(block.source.name.clone(), position);
            }
            Some(Pulled::Barrier(barrier)) => barrier.pass(),
            _ => {}
        }
    }

    fn until(&mut self, words: &str, mut holds: impl FnMut(&Run) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < SOON, "{words}: {:?}, {:?}", self.lines, self.state.report());
            self.pull();
        }
    }

    fn until_lines(&mut self, wanted: &[&str]) {
        self.until(&format!("{wanted:?} are read"), |run| run.lines.len() >= wanted.len());
        let mut found = self.lines.clone();
        found.sort_unstable();
        assert_eq!(found, wanted);
    }

    fn position(&self, partition: i32) -> i64 {
        let positions = self.store.positions.lock().unwrap();
        positions.get(&format!("kafka://{TOPIC}/{partition}")).map_or(0, |position| next_message(*position))
    }

    /// Ends as the pipeline does: what waits in the queue goes with it.
    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.input);
        self.thread.join().unwrap();
    }
}

#[test]
fn every_codec_is_read() {
    let cluster = Cluster::new(1);
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for codec in codecs {
        let long = format!("{codec} {}", "text ".repeat(2_000));
        cluster.send(0, codec, &[codec, &long]);
        // The producer does not compress what does not become shorter.
        let at = wire::batch_at(&cluster.brokers(), TOPIC, 0, position_of(codec), 1 << 20).unwrap().unwrap();
        assert_eq!(codecs[usize::from(at.codec)], codec, "the broker holds it compressed");
    }
    let mut run = Run::start(options(&cluster), Arc::default());
    run.until("all are read", |run| run.lines.len() == 2 * codecs.len());
    for codec in codecs {
        assert_eq!(run.lines.iter().filter(|line| line.starts_with(codec)).count(), 2, "{codec}");
    }
    run.stop();

    fn position_of(codec: &str) -> i64 {
        ["none", "gzip", "snappy", "lz4", "zstd"].iter().position(|known| *known == codec).unwrap() as i64 * 2
    }
}

#[test]
fn a_batch_that_does_not_decompress_becomes_a_dead_letter_and_its_partition_goes_on() {
    let cluster = Cluster::new(2);
    cluster.send(0, "none", &["a"]);
    cluster.send_batch(0, 4, 3, b"this is no zstd");
    cluster.send_batch(0, 2, 2, b"\xff\xff\xff\xff this is no snappy");
    cluster.send(0, "zstd", &["b"]);
    cluster.send(1, "none", &["c"]);
    let mut run = Run::start(options(&cluster), Arc::default());
    run.until_lines(&["a", "b", "c"]);
    run.until("the position stands behind all", |run| run.position(0) == 7);
    let letters = cluster.letters(2);
    let (headers, payload) = &letters[0];
    let said = |name: &str| headers[name].as_str();
    assert_eq!((said("c0di3.topic"), said("c0di3.partition")), (TOPIC, "0"));
    assert_eq!((said("c0di3.offset"), said("c0di3.offset.last"), said("c0di3.holds")), ("1", "3", "batch"));
    assert!(said("c0di3.reason").contains("zstd"), "{headers:?}");
    assert!(payload.ends_with(b"this is no zstd"));
    assert_eq!((letters[1].0["c0di3.offset"].as_str(), letters[1].0["c0di3.offset.last"].as_str()), ("4", "5"));
    run.until("health is well again", |run| run.state.report() == KafkaReport::default());
    run.stop();
}

#[test]
fn a_run_of_broken_batches_is_passed_quickly() {
    let cluster = Cluster::new(1);
    for _ in 0..200 {
        cluster.send_batch(0, 4, 1, b"this is no zstd");
    }
    cluster.send(0, "none", &["a"]);
    let mut run = Run::start(options(&cluster), Arc::default());
    let started = Instant::now();
    run.until_lines(&["a"]);
    assert!(started.elapsed() < Duration::from_secs(30), "took {:?}", started.elapsed());
    cluster.letters(200);
    run.stop();
}

#[test]
fn a_broken_batch_at_the_end_is_passed_once_and_not_again_after_a_restart() {
    let cluster = Cluster::new(1);
    cluster.send(0, "none", &["a"]);
    cluster.send_batch(0, 4, 3, b"this is no zstd");
    let mut run = Run::start(options(&cluster), Arc::default());
    run.until("the position stands behind the batch", |run| run.position(0) == 4);
    let store = Arc::clone(&run.store);
    run.stop();
    cluster.send(0, "none", &["b"]);
    // Under a name of its own, which the mock lets join at once: positions are the store's.
    let mut run = Run::start(KafkaOptions { group: "another".to_owned(), ..options(&cluster) }, store);
    run.until_lines(&["b"]);
    cluster.letters(1);
    run.stop();
}

#[test]
fn a_batch_that_decompresses_to_no_records_becomes_a_dead_letter() {
    let cluster = Cluster::new(1);
    let packed =
        zstd::stream::encode_all(&b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x07 rubbish"[..], 1).unwrap();
    cluster.send_batch(0, 4, 2, &packed);
    let sound = zstd::stream::encode_all(&records(&["a", "b"])[..], 1).unwrap();
    cluster.send_batch(0, 4, 2, &sound);
    let mut run = Run::start(options(&cluster), Arc::default());
    run.until_lines(&["a", "b"]);
    let letters = cluster.letters(1);
    assert_eq!((letters[0].0["c0di3.offset"].as_str(), letters[0].0["c0di3.offset.last"].as_str()), ("0", "1"));
    run.stop();
}

#[test]
fn a_message_that_is_too_large_becomes_a_dead_letter_and_its_partition_goes_on() {
    let cluster = Cluster::new(1);
    let large = "x".repeat((2 << 20) + 1);
    let many = "y\n".repeat((1 << 16) + 1);
    let long = "z".repeat((1 << 20) + 1);
    cluster.send(0, "lz4", &["a", &large, "b", &many, &long, "c"]);
    let pattern = vec!["^events.*".to_owned()];
    let mut run = Run::start(KafkaOptions { topics: pattern, ..options(&cluster) }, Arc::default());
    run.until_lines(&["a", "b", "c"]);
    run.until("the position stands behind all", |run| run.position(0) == 6);
    let letters = cluster.letters(3);
    assert_eq!((letters[0].1 == large.as_bytes(), letters[0].0["c0di3.offset"].as_str()), (true, "1"));
    for (letter, words) in letters.iter().zip(["2097153 bytes", "65537 lines", "a line of 1048577 bytes"]) {
        assert!(letter.0["c0di3.reason"].contains(words), "{:?}", letter.0);
    }
    let asked = run.store.asked.lock().unwrap().clone();
    assert_eq!(asked, [format!("kafka://{TOPIC}/0")], "letters are not read as events");
    run.stop();
}

#[test]
fn a_partition_waits_and_says_so_while_its_dead_letters_cannot_be_written() {
    let cluster = Cluster::new(2);
    let denied = rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    let allowed = rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
    cluster.0.topic_error("events.dead-letter", denied).unwrap();
    cluster.send_batch(0, 4, 3, b"this is no zstd");
    cluster.send(0, "none", &["b"]);
    let mut run = Run::start(options(&cluster), Arc::default());
    let words = "events/0 waits at offset 0: the dead-letter topic events.dead-letter cannot be written";
    run.until("health names the partition", |run| run.state.report().failed.iter().any(|told| told.starts_with(words)));
    cluster.send(1, "none", &["c"]);
    run.until("the other partition goes on", |run| run.lines == ["c"]);
    assert_eq!(run.position(0), 0);
    assert_eq!(run.state.report().lag, 4);
    cluster.0.topic_error("events.dead-letter", allowed).unwrap();
    run.until("the partition goes on", |run| run.lines == ["c", "b"]);
    cluster.letters(1);
    run.until("health is well again", |run| run.state.report() == KafkaReport::default());
    run.stop();
}

#[test]
fn what_cannot_be_read_is_skipped_where_that_is_asked_for() {
    let cluster = Cluster::new(1);
    cluster.send_batch(0, 4, 3, b"this is no zstd");
    cluster.send(0, "none", &["b"]);
    let skip = KafkaOptions { unreadable: Unreadable::Skip, ..options(&cluster) };
    let mut run = Run::start(skip, Arc::default());
    run.until_lines(&["b"]);
    run.stop();
}

#[test]
fn a_claim_that_is_refused_for_good_is_asked_once_told_and_the_others_are_read() {
    let cluster = Cluster::new(2);
    cluster.send(0, "none", &["a"]);
    cluster.send(1, "none", &["b"]);
    let refused = vec![format!("kafka://{TOPIC}/0")];
    let store = Arc::new(Store { refused, away: AtomicBool::new(true), ..Store::default() });
    let mut run = Run::start(options(&cluster), store);
    run.until("a store that is away is asked again", |run| run.store.asked.lock().unwrap().len() >= 3);
    run.store.away.store(false, Ordering::Relaxed);
    run.until_lines(&["b"]);
    let asked = run.store.asked.lock().unwrap().iter().filter(|name| name.ends_with("/0")).count();
    assert_eq!(asked, 1, "asking again changes nothing");
    assert_eq!(run.state.report().failed, ["events/0 is not read: this row is refused"]);
    run.stop();
}

#[test]
fn health_tells_the_lag_and_a_broker_that_is_away() {
    let cluster = Cluster::new(1);
    cluster.send(0, "none", &["a"]);
    let mut run = Run::start(options(&cluster), Arc::default());
    assert_eq!(run.state.report().failed, ["not connected yet"]);
    run.until_lines(&["a"]);
    run.until("all is read", |run| run.state.report() == KafkaReport::default());
    // The pipeline takes nothing.
    for number in 0..60 {
        cluster.send(0, "none", &[&format!("line {number}")]);
        std::thread::sleep(Duration::from_millis(5));
    }
    let started = Instant::now();
    while run.state.report().lag == 0 {
        assert!(started.elapsed() < SOON, "the lag is told");
        std::thread::sleep(Duration::from_millis(20));
    }
    run.until("all is read", |run| run.lines.len() == 61 && run.state.report().lag == 0);
    cluster.0.broker_down(1).unwrap();
    run.until("the broker is away", |run| !run.state.report().failed.is_empty());
    cluster.0.broker_up(1).unwrap();
    run.until("the broker is back", |run| run.state.report() == KafkaReport::default());
    cluster.send(0, "none", &["z"]);
    run.until("reading goes on", |run| run.lines.len() == 62);
    run.stop();
}

#[test]
fn messages_become_lines_and_positions_round_up_to_whole_messages() {
    let written = |value: &[u8]| String::from_utf8(reader::lines_of(value)).unwrap();
    assert_eq!(written(b"{\n \"a\": 1\n}\n"), "{  \"a\": 1 }\n");
    assert_eq!(written(b"{\"a\":1}\n{\"b\":2}\n"), "{\"a\":1}\n{\"b\":2}\n");
    assert_eq!(written(b"one\ntwo\n"), "one\ntwo\n");
    assert_eq!(written(b""), "\n");
    let at = |offset| next_message(Position { offset, line: 0 });
    assert_eq!((at(0), at(5 << 16), at((5 << 16) + 1), at((5 << 16) + 70)), (0, 5, 6, 6));
}
