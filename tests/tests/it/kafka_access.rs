//! Kafka behind TLS and SASL: a broker that speaks neither, behind a door of our own that ends TLS with a certificate for
//! `localhost`, asks who comes, and lets nobody else through. The client is the program as it runs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use servers::certificates::Authority;
use servers::{Broker, free_port, wait_until};

use crate::node::{Node, SOON, get};
use crate::oracle::rules;
use crate::program::Sandbox;
use crate::scram::Scram;

/// Requests of Kafka's protocol that the door answers itself, or whose answers it changes.
const API_VERSIONS: i16 = 18;
const SASL_HANDSHAKE: i16 = 17;
const SASL_AUTHENTICATE: i16 = 36;

/// What the door lets in.
#[derive(Clone)]
struct Ticket {
    mechanism: &'static str,
    /// What a client has to say; with SCRAM it is proved, and not said.
    words: Arc<Mutex<Vec<u8>>>,
    /// How many have said it.
    used: Arc<AtomicUsize>,
}

impl Ticket {
    fn new(mechanism: &'static str, words: &[u8]) -> Self {
        Ticket { mechanism, words: Arc::new(Mutex::new(words.to_owned())), used: Arc::default() }
    }

    /// What is answered to a client's words, and whether he may come in; `None`: he may not.
    fn answer(&self, scram: Option<&mut Scram>, words: &[u8]) -> Option<(Vec<u8>, bool)> {
        let answered = match scram {
            Some(scram) => scram.answer(words),
            None => (*words == **self.words.lock().unwrap()).then_some((Vec::new(), true)),
        };
        self.used.fetch_add(usize::from(matches!(answered, Some((_, true)))), Ordering::Relaxed);
        answered
    }
}

/// The port of a door to the broker; it is open until the test ends.
fn door(authority: &Authority, port: u16, broker: u16, ticket: Option<&Ticket>, wants_certificate: bool) {
    let (certificate, key) = authority.sign("broker");
    let chain = CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match wants_certificate {
        false => builder.with_no_client_auth(),
        true => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(authority.pem()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = Arc::new(builder.with_single_cert(chain, key).unwrap());
    let (listener, ticket) = (TcpListener::bind(("127.0.0.1", port)).unwrap(), ticket.cloned());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (config, ticket) = (Arc::clone(&config), ticket.clone());
            // A client that is not let in hears the end of its connection.
            std::thread::spawn(move || drop(pass(stream, config, broker, ticket.as_ref())));
        }
    });
}

fn frame(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn put(stream: &mut impl Write, body: &[u8]) -> std::io::Result<()> {
    stream.write_all(&[&(body.len() as u32).to_be_bytes()[..], body].concat())?;
    stream.flush()
}

/// One connection: request by request, as Kafka answers them in order.
fn pass(stream: TcpStream, config: Arc<ServerConfig>, broker: u16, ticket: Option<&Ticket>) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut client = StreamOwned::new(connection, stream);
    let mut broker = TcpStream::connect(("127.0.0.1", broker))?;
    let mut is_in = ticket.is_none();
    let mut scram = ticket.and_then(|ticket| Scram::begin(ticket.mechanism, "analyzer", "open sesame"));
    loop {
        let request = frame(&mut client)?;
        let api = i16::from_be_bytes([request[0], request[1]]);
        let correlation = &request[4..8];
        let name = 10 + usize::from(u16::from_be_bytes([request[8], request[9]]));
        match (api, ticket) {
            (SASL_HANDSHAKE, Some(ticket)) => {
                let error = if request[name + 2..] == *ticket.mechanism.as_bytes() { 0_i16 } else { 33 };
                let mechanism =
                    [&(ticket.mechanism.len() as i16).to_be_bytes()[..], ticket.mechanism.as_bytes()].concat();
                put(&mut client, &[correlation, &error.to_be_bytes(), &1_i32.to_be_bytes(), &mechanism].concat())?;
            }
            (SASL_AUTHENTICATE, Some(ticket)) => {
                let answered = ticket.answer(scram.as_mut(), &request[name + 4..]);
                is_in = matches!(answered, Some((_, true)));
                let error = if answered.is_some() { 0_i16 } else { 58 };
                let words = answered.unwrap_or_default().0;
                let length = (words.len() as i32).to_be_bytes();
                let mut answer = [correlation, &error.to_be_bytes(), &(-1_i16).to_be_bytes(), &length, &words].concat();
                if request[3] > 0 {
                    answer.extend(0_i64.to_be_bytes());
                }
                put(&mut client, &answer)?;
            }
            (API_VERSIONS, _) => {
                put(&mut broker, &request)?;
                let answer = frame(&mut broker)?;
                put(&mut client, &with_sasl(answer, request[3]))?;
            }
            _ if is_in => {
                put(&mut broker, &request)?;
                put(&mut client, &frame(&mut broker)?)?;
            }
            _ => return Err(std::io::Error::other("nobody is let in without a word")),
        }
    }
}

/// The broker's answer to what it can do, with the two requests that the door answers.
fn with_sasl(mut answer: Vec<u8>, version: u8) -> Vec<u8> {
    if answer[4..6] != [0, 0] {
        return answer;
    }
    let added = [(SASL_HANDSHAKE, 1_i16), (SASL_AUTHENTICATE, 1)];
    let range = |(api, most): (i16, i16)| [api.to_be_bytes(), 0_i16.to_be_bytes(), most.to_be_bytes()].concat();
    if version >= 3 {
        // One byte for the number of entries plus one, as long as there are fewer than 127; each entry ends with a zero.
        assert!(answer[6] < 120, "{} entries", answer[6]);
        let entries = usize::from(answer[6]) - 1;
        let mut kept = answer[7..7 + entries * 7].chunks(7).map(<[u8]>::to_owned).collect::<Vec<_>>();
        kept.retain(|entry| added.iter().all(|(api, _)| entry[..2] != api.to_be_bytes()));
        kept.extend(added.map(|entry| [range(entry), vec![0]].concat()));
        let rest = answer.split_off(7 + entries * 7);
        answer.truncate(6);
        answer.push(kept.len() as u8 + 1);
        answer.extend(kept.concat());
        answer.extend(rest);
    } else {
        let entries = i32::from_be_bytes([answer[6], answer[7], answer[8], answer[9]]);
        let rest = answer.split_off(10 + entries as usize * 6);
        answer[6..10].copy_from_slice(&(entries + 2).to_be_bytes());
        answer.extend(added.map(range).concat());
        answer.extend(rest);
    }
    answer
}

/// Sends an event through the door, as a client with these settings.
fn send(door: u16, access: &[(&str, &str)], name: &str) {
    let line = format!("{{\"oracle.kind\":\"probe\",\"user.name\":\"{name}\",\"host.name\":\"h\"}}");
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", format!("localhost:{door}"));
    for (key, value) in access {
        config.set(*key, *value);
    }
    let producer: BaseProducer = config.create().expect("a producer");
    producer.send(BaseRecord::<(), str>::to("events").payload(&line)).map_err(|(error, _)| error).expect("room");
    producer.flush(SOON).expect("it is delivered");
}

fn found(node: &Node, name: &str) -> bool {
    let findings = node.json("/api/v1/findings?rule=oracle-one&limit=500");
    findings["data"].as_array().unwrap().iter().any(|finding| finding["entities"]["user.name"][0] == name)
}

/// An installation that reads the broker behind the door.
fn node(sandbox: &Sandbox, door: u16, access: &[(&str, String)]) -> Node {
    let mut settings = rules(sandbox);
    settings.push(("kafka.brokers", format!("localhost:{door}")));
    settings.push(("kafka.topics", "events".to_owned()));
    settings.extend(access.iter().cloned());
    let mut node = Node::new();
    node.start(sandbox, "serve", &settings);
    node
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn brokers_are_reached_over_tls_with_a_certificate_of_ours() {
    let (authority, door_port) = (Authority::new(), free_port());
    let broker = Broker::behind(door_port);
    door(&authority, door_port, broker.port(), None, true);
    let (certificate, key) = authority.sign("analyzer");
    let [ca, certificate, key] = [&authority.pem(), &certificate, &key].map(|path| shown(path));
    let tls = [
        ("security.protocol", "ssl"),
        ("ssl.ca.location", &ca),
        ("ssl.certificate.location", &certificate),
        ("ssl.key.location", &key),
    ];
    send(door_port, &tls, "one");
    let sandbox = Sandbox::new();
    let access = [
        ("kafka.tls", "true".to_owned()),
        ("kafka.ca", ca.clone()),
        ("kafka.certificate", certificate.clone()),
        ("kafka.key", key.clone()),
    ];
    let reading = node(&sandbox, door_port, &access);
    wait_until(SOON, "what is behind TLS is read", || found(&reading, "one"));
    // Whom our authority does not vouch for is not believed, and that is told.
    let sandbox = Sandbox::new();
    let stranger = Authority::new();
    let mut access = access;
    access[1].1 = shown(&stranger.pem());
    let reading = node(&sandbox, door_port, &access);
    wait_until(SOON, "health tells of the certificate", || {
        let health = get(reading.api, "/health").map(|(_, body)| body).unwrap_or_default();
        health.contains("certificate verify failed")
    });
    assert!(!found(&reading, "one"));
}

#[test]
fn brokers_learn_who_we_are_by_a_password_or_by_a_token_that_is_renewed() {
    let (authority, door_port) = (Authority::new(), free_port());
    let broker = Broker::behind(door_port);
    let plain = Ticket::new("PLAIN", b"\0analyzer\0open sesame");
    door(&authority, door_port, broker.port(), Some(&plain), false);
    let ca = shown(&authority.pem());
    let access = [
        ("security.protocol", "sasl_ssl"),
        ("ssl.ca.location", &ca),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "analyzer"),
        ("sasl.password", "open sesame"),
    ];
    send(door_port, &access, "one");
    let sandbox = Sandbox::new();
    let tls = [("kafka.tls", "true".to_owned()), ("kafka.ca", ca.clone())];
    let with = |password: &str| {
        let sasl = [("kafka.sasl", "plain"), ("kafka.user", "analyzer"), ("kafka.password", password)];
        tls.iter().cloned().chain(sasl.map(|(key, value)| (key, value.to_owned()))).collect::<Vec<_>>()
    };
    let before = plain.used.load(Ordering::Relaxed);
    let reading = node(&sandbox, door_port, &with("open sesame"));
    wait_until(SOON, "the password opens the door", || found(&reading, "one"));
    assert!(plain.used.load(Ordering::Relaxed) > before);
    drop(reading);
    let sandbox = Sandbox::new();
    let reading = node(&sandbox, door_port, &with("open rye"));
    wait_until(SOON, "health tells of the password", || {
        let health = get(reading.api, "/health").map(|(_, body)| body).unwrap_or_default();
        health.contains("uthentication") && !health.contains("open rye")
    });
    drop(reading);

    let token_door = free_port();
    let words = |token: &str| format!("n,,\x01auth=Bearer {token}\x01\x01").into_bytes();
    let bearer = Ticket::new("OAUTHBEARER", &words("first"));
    let broker = Broker::behind(token_door);
    door(&authority, token_door, broker.port(), Some(&bearer), false);
    let sandbox = Sandbox::new();
    let file = sandbox.write("token", "first\n");
    let mut access = tls.to_vec();
    access.extend([("kafka.sasl", "oauthbearer".to_owned()), ("kafka.token_file", file)]);
    let reading = node(&sandbox, token_door, &access);
    wait_until(SOON, "the token opens the door", || bearer.used.load(Ordering::Relaxed) > 0);
    drop(reading);
    // The next start finds the token that something else has put there.
    *bearer.words.lock().unwrap() = words("second");
    sandbox.write("token", "second\n");
    let before = bearer.used.load(Ordering::Relaxed);
    let _reading = node(&sandbox, token_door, &access);
    wait_until(SOON, "the new token opens the door", || bearer.used.load(Ordering::Relaxed) > before);
}

#[test]
fn brokers_learn_who_we_are_by_scram_and_are_told_no_password() {
    for (mechanism, setting) in [("SCRAM-SHA-256", "scram-sha-256"), ("SCRAM-SHA-512", "scram-sha-512")] {
        let (authority, door_port) = (Authority::new(), free_port());
        let broker = Broker::behind(door_port);
        let ticket = Ticket::new(mechanism, b"");
        door(&authority, door_port, broker.port(), Some(&ticket), false);
        let ca = shown(&authority.pem());
        let access = [
            ("security.protocol", "sasl_ssl"),
            ("ssl.ca.location", &ca),
            ("sasl.mechanism", mechanism),
            ("sasl.username", "analyzer"),
            ("sasl.password", "open sesame"),
        ];
        send(door_port, &access, "one");
        let before = ticket.used.load(Ordering::Relaxed);
        let with = |password: &str| {
            let sasl = [("kafka.tls", "true"), ("kafka.ca", &ca), ("kafka.sasl", setting), ("kafka.user", "analyzer")];
            let all = sasl.into_iter().chain([("kafka.password", password)]);
            all.map(|(key, value)| (key, value.to_owned())).collect::<Vec<_>>()
        };
        let sandbox = Sandbox::new();
        let reading = node(&sandbox, door_port, &with("open sesame"));
        wait_until(SOON, &format!("{mechanism} opens the door"), || found(&reading, "one"));
        assert!(ticket.used.load(Ordering::Relaxed) > before, "{mechanism}");
        drop(reading);
        let sandbox = Sandbox::new();
        let reading = node(&sandbox, door_port, &with("open rye"));
        wait_until(SOON, "health tells that the proof was refused", || {
            let health = get(reading.api, "/health").map(|(_, body)| body).unwrap_or_default();
            health.contains("uthentication") && !health.contains("open rye")
        });
        assert!(!found(&reading, "one"));
    }
}
