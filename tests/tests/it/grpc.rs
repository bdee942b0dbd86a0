//! OTLP over gRPC as plain as can be: one call over a connection of its own, and whether its records were acknowledged.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::oracle::Ledger;

/// Pause of a sender between two calls, and its longest wait for an answer.
const PAUSE: Duration = Duration::from_millis(15);
const ANSWER_MAX: Duration = Duration::from_secs(20);
const EXPORT: &str = "http://localhost/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// A field of protobuf that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut left = bytes.len();
    while left > 127 {
        out.push(left as u8 | 128);
        left >>= 7;
    }
    out.push(left as u8);
    out.extend_from_slice(bytes);
    out
}

/// Each line as a record, in the frame of a message.
fn message(lines: &str) -> Vec<u8> {
    let record = |line: &str| field(2, &field(5, &field(1, line.as_bytes())));
    let records: Vec<u8> = lines.lines().flat_map(record).collect();
    let request = field(1, &field(2, &records));
    [&[0][..], &(request.len() as u32).to_be_bytes(), &request].concat()
}

/// The status of the call.
async fn export(port: u16, lines: &str) -> Result<i32, Box<dyn Error>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (client, connection) = h2::client::handshake(stream).await?;
    // It ends with the other side, or with the runtime.
    tokio::spawn(async move { drop(connection.await) });
    let mut client = client.ready().await?;
    let request = http::Request::post(EXPORT).header("content-type", "application/grpc").header("te", "trailers");
    let (answer, mut body) = client.send_request(request.body(())?, false)?;
    body.send_data(message(lines).into(), true)?;
    let (head, mut body) = answer.await?.into_parts();
    while let Some(part) = body.data().await {
        part?;
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    let status = head.headers.get("grpc-status").or(trailers.get("grpc-status")).ok_or("a call without a status")?;
    Ok(status.to_str()?.parse()?)
}

/// Calls until told to stop. A call without an answer is not made again: nobody knows what became of it.
pub(crate) fn send_grpc_until(ledger: &Arc<Ledger>, port: u16, stop: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    let (ledger, stop) = (Arc::clone(ledger), Arc::clone(stop));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let (numbers, lines) = ledger.batch();
            match runtime.block_on(async { timeout(ANSWER_MAX, export(port, &lines)).await }) {
                Ok(Ok(0)) => ledger.acknowledge("grpc", numbers),
                // Later, and no answer.
                Ok(Ok(14) | Err(_)) | Err(_) => {}
                Ok(Ok(status)) => panic!("a passing cause was answered {status}"),
            }
            std::thread::sleep(PAUSE);
        }
    })
}
