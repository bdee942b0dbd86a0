//! Bodies that cannot be read, in every protocol over HTTP: damaged, unknown, nested and too good compression, half bodies.
//! Each gets the status and the words by which its clients keep or drop what they have.

use serde_json::{Value, json};

use super::tests::{BODY_BYTES_MAX, SOUND, gzip, port};

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

/// Where the words of a protocol say what is wrong, and what they say; by what is wrong with the body. `None`: it is kept as it came.
type Words = [Option<(u16, Value)>; 5];

/// What each path of [`SOUND`] answers, by the order of [`wrong`].
fn wanted(path: &str) -> (&'static str, Words) {
    let (all, none) = (|refused: [(u16, Value); 5]| refused.map(Some), None::<(u16, Value)>);
    match path {
        "/_bulk" => {
            let (argument, media) = (json!("illegal_argument_exception"), json!("media_type_header_exception"));
            let long = json!("content_too_long_exception");
            let bad = (400, argument);
            ("/error/type", all([bad.clone(), (415, media), (413, long), bad.clone(), bad]))
        }
        "/services/collector/event" | "/services/collector/raw" => {
            let bad = (400, json!(6));
            ("/code", all([bad.clone(), bad.clone(), (413, json!(27)), bad.clone(), bad]))
        }
        "/loki/api/v1/push" => {
            let [bad, unknown, large] = [400, 415, 413].map(|status| (status, json!(status)));
            ("/code", all([bad.clone(), unknown, large, bad.clone(), bad]))
        }
        "/v1/logs" => {
            let bad = (400, json!(3));
            ("/code", all([bad.clone(), (415, json!(3)), (413, json!(8)), bad.clone(), bad]))
        }
        "/gelf" => {
            let large = json!("the body is larger than 41943040 bytes when decompressed: send smaller batches");
            let half = json!("the body is no sound compressed stream: incomplete deflate stream");
            let nested = "the body is no sound gzip stream: it holds another compressed stream: compress it once";
            let nested = json!(nested);
            // Its clients name encodings that the body does not have: what is compressed is told by its first bytes.
            ("/error", [none.clone(), none, Some((413, large)), Some((400, half)), Some((400, nested))])
        }
        "/upload" => {
            let unknown = "the content encoding `br` is not one of gzip, zstd, deflate, snappy, identity";
            let again = "it holds another compressed stream: compress it once";
            let [damaged, half, nested] = ["invalid gzip header", "incomplete deflate stream", again]
                .map(|reason| (400, json!(format!("the body is no sound gzip stream: {reason}"))));
            let no_entry = (400, json!("no entry of the journal's export format"));
            ("/error", all([damaged, (415, json!(unknown)), no_entry, half, nested]))
        }
        "/firehose" => {
            let [bad, unknown, large] = [400, 415, 413].map(|status| (status, json!("")));
            ("/requestId", all([bad.clone(), unknown, large, bad.clone(), bad]))
        }
        _ => {
            let [bad, unknown, large] = [400, 415, 413].map(|status| (status, json!(status.to_string())));
            ("/errors/0/status", all([bad.clone(), unknown, large, bad.clone(), bad]))
        }
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_told_in_each_protocols_words_and_nothing_of_them_is_kept() {
    for (path, kind, sound) in SOUND {
        let (pointer, words) = wanted(path);
        for ((name, encoding, body), words) in wrong(sound).into_iter().zip(words) {
            let port = port(256 << 20, false);
            let headers = [("user-agent", "test"), ("content-type", kind), ("content-encoding", encoding)];
            let answer = port.send("POST", path, &headers, body).await;
            let Some((status, word)) = words else {
                assert!(answer.status < 300 && port.spooled().lines().count() == 1, "{path} {name}: {}", answer.body);
                continue;
            };
            assert_eq!((answer.status, answer.kind()), (status, "application/json"), "{path} {name}: {}", answer.body);
            assert_eq!(answer.json().pointer(pointer), Some(&word), "{path} {name}: {}", answer.body);
            // Entries of the journal are taken as they come; a client begins again behind the last that was acknowledged.
            let keeps_what_came = path == "/upload" && name == "half";
            assert_eq!(port.spooled().is_empty(), !keeps_what_came, "{path} {name}");
        }
    }
}
