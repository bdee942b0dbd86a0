//! Ports as shippers see them: answers, closing, the end of the service.

use std::sync::Arc;
use std::time::Duration;

use event::{Position, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::spool::{Spool, SpoolOptions};
use crate::syslog::{ConnectionLimits, Connections};

/// A port that is served, and what it keeps.
struct Served {
    spool: Spool,
    address: std::net::SocketAddr,
    stop: watch::Sender<Drain>,
    task: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

fn options(bytes_max: u64) -> (ShipperOptions, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let spool = SpoolOptions { folder: folder.path().to_owned(), bytes_max, segment_bytes: 4096, reserve_bytes: 0 };
    let spool = Spool::open(spool, Timestamp(1)).unwrap();
    (ShipperOptions { spool, clock: || Timestamp(2) }, folder)
}

async fn served(kind: ShipperKind, bytes_max: u64) -> Served {
    let (options, folder) = options(bytes_max);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, drain) = watch::channel(None);
    let limits = ConnectionLimits { all: 8, each: 8, idle: Some(Duration::from_secs(60)) };
    let connections = Arc::new(Connections::new(kind.name(), limits));
    let task = tokio::spawn(ShipperPort::new(kind, None, connections, options.clone()).serve(listener, drain));
    Served { spool: options.spool, address, stop, task, _folder: folder }
}

impl Served {
    async fn end(self) -> String {
        self.stop.send_replace(Some(Instant::now() + Duration::from_secs(2)));
        self.task.await.unwrap();
        kept(&self.spool)
    }
}

fn kept(spool: &Spool) -> String {
    let mut reader = spool.read_from(Position::default());
    let mut all = Vec::new();
    while let Some(block) = reader.next_block(Duration::from_millis(50)) {
        all.extend_from_slice(&block.bytes);
    }
    String::from_utf8(all).unwrap()
}

const MESSAGE: &[u8] = b"\x94\xA1t\x05\x81\xA3log\xA3one\x81\xA5chunk\xA1c";

async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut answer = vec![0; length];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut answer)).await;
    read.expect("an answer").unwrap();
    answer
}

#[tokio::test]
async fn a_chunk_that_comes_again_is_acknowledged_and_taken_once() {
    let served = served(ShipperKind::Forward { shared_key: None, host: String::new() }, 1 << 30).await;
    for _ in 0..2 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        for _ in 0..2 {
            stream.write_all(MESSAGE).await.unwrap();
            assert_eq!(read(&mut stream, 7).await, b"\x81\xA3ack\xA1c");
        }
    }
    assert_eq!(served.end().await.lines().count(), 1);
}

#[tokio::test]
async fn what_is_no_message_ends_its_connection_and_what_came_before_is_kept() {
    let served = served(ShipperKind::Forward { shared_key: None, host: String::new() }, 1 << 30).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(&[MESSAGE, b"GET / HTTP/1.1\r\n\r\n"].concat()).await.unwrap();
    assert_eq!(read(&mut stream, 7).await, b"\x81\xA3ack\xA1c");
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0, "it is closed");
    assert_eq!(served.end().await.lines().count(), 1);
}

#[tokio::test]
async fn a_sender_is_told_that_we_are_there_while_the_spool_is_full() {
    let served = served(ShipperKind::Lumberjack, 8192).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(9000));
    let event = [b"2J\0\0\0\x01", &(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
    stream.write_all(&[b"2W\0\0\0\x01", &event[..]].concat()).await.unwrap();
    assert_eq!(read(&mut stream, 6).await, b"2A\0\0\0\0", "a sign of life");
    let end = Position { offset: served.spool.state().backlog_bytes, ..Position::default() };
    served.spool.release(end);
    drop(stream);
    drop(served);
}

#[tokio::test]
async fn large_messages_and_many_are_taken_and_the_end_waits_for_the_disk() {
    let served = served(ShipperKind::Lumberjack, 1 << 30).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(300_000));
    let mut window = b"2W\0\0\0\x64".to_vec();
    for number in 1_u32..=100 {
        window.extend(b"2J");
        window.extend(number.to_be_bytes());
        window.extend((text.len() as u32).to_be_bytes());
        window.extend(text.as_bytes());
    }
    stream.write_all(&window).await.unwrap();
    assert_eq!(read(&mut stream, 6).await, b"2A\0\0\0\x64");
    assert_eq!(served.end().await.lines().count(), 100);
}

#[tokio::test]
async fn gelf_over_tcp_is_read_to_its_end_also_when_the_service_stops() {
    let served = served(ShipperKind::GelfTcp, 1 << 30).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"{\"short_message\":\n\"a\"}\0\0{broken\0{\"short_message\":\"b\"}").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let out = served.end().await;
    assert_eq!(out, "{\"short_message\": \"a\"}\n{broken\n{\"short_message\":\"b\"}\n");
}

#[tokio::test]
async fn gelf_over_tcp_that_is_too_long_is_cut_and_what_follows_is_read() {
    let served = served(ShipperKind::GelfTcp, 1 << 30).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(&vec![b'x'; 5 << 20]).await.unwrap();
    stream.write_all(b"\0{\"short_message\":\"b\"}\0").await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let out = served.end().await;
    assert!(out.ends_with("\n{\"short_message\":\"b\"}\n"));
    assert_eq!(out.lines().map(str::len).sum::<usize>(), (1 << 20) + 21);
}

#[tokio::test]
async fn gelf_over_udp_is_read_whole_compressed_and_in_chunks() {
    use std::io::Write as _;
    let (options, _folder) = options(1 << 30);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, drain) = watch::channel(None);
    let task = tokio::spawn(serve_gelf_udp(socket, options.clone(), drain));
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    zlib.write_all(b"{\"short_message\":\"packed\"}").unwrap();
    let zlib = zlib.finish().unwrap();
    let (first, last) = zlib.split_at(10);
    let chunk = |number: u8, bytes: &[u8]| [b"\x1E\x0F12345678", &[number, 2][..], bytes].concat();
    let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for datagram in [&b"{\"short_message\":\"plain\"}"[..], &zlib, &chunk(1, last), &chunk(0, first), b"\x1F\x8Bno"] {
        sender.send_to(datagram, address).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send_replace(Some(Instant::now() + Duration::from_secs(2)));
    task.await.unwrap();
    let packed = "{\"short_message\":\"packed\"}\n";
    assert_eq!(kept(&options.spool), format!("{{\"short_message\":\"plain\"}}\n{packed}{packed}"));
}
