//! Bodies that cannot be read, in every protocol over HTTP: damaged, unknown, nested and too good compression, half bodies, a spool
//! without room. Each gets the status and the words by which its clients keep or drop what they have.

use super::tests::{Answered, BODY_BYTES_MAX, Port, SOUND, gzip, port};

/// What is wrong with a body, its encoding, and the body.
fn wrong(sound: &str) -> [(&'static str, &'static str, Vec<u8>); 5] {
    let packed = gzip(sound.repeat(1 + 200 / sound.len()).as_bytes());
    [
        ("damaged", "gzip", b"this is no gzip".to_vec()),
        ("unknown", "br", sound.into()),
        ("too large", "gzip", gzip(&vec![b' '; BODY_BYTES_MAX as usize + 1])),
        ("half", "gzip", packed[..packed.len() - 9].to_vec()),
        ("nested", "gzip", gzip(&packed)),
    ]
}

async fn answers(port: &Port, path: &str, kind: &str, sound: &str) -> Vec<(&'static str, Answered)> {
    let mut all = Vec::new();
    for (name, encoding, body) in wrong(sound) {
        let headers = [("user-agent", "test"), ("content-type", kind), ("content-encoding", encoding)];
        all.push((name, port.send("POST", path, &headers, body).await));
    }
    all
}

#[tokio::test]
async fn show() {
    for (path, kind, sound) in SOUND {
        let port = port(256 << 20, false);
        for (name, answer) in answers(&port, path, kind, sound).await {
            println!(
                "{path} {name}: {} {} {}",
                answer.status,
                answer.kind(),
                answer.body.chars().take(200).collect::<String>()
            );
        }
        println!("   kept: {:?}", port.spooled().chars().take(300).collect::<String>());
    }
}
