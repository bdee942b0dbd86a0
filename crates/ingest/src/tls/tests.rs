//! Certificates that change, and clients that are not what the port expects.

use servers::certificates::Authority;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;

fn opened(authority: &Authority, client_ca: Option<&Authority>) -> Arc<Tls> {
    let (certificate, key) = authority.sign("server");
    let client_ca = client_ca.map(Authority::pem);
    Arc::new(Tls::open(TlsFiles { certificate, key, client_ca }).unwrap())
}

#[test]
fn a_renewed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let authority = Authority::new();
    let tls = opened(&authority, Some(&authority));
    assert_eq!(tls.look(), Looked::Same);
    let before = Arc::clone(&tls.in_force.read().unwrap());
    let whole = std::fs::read(authority.path("server.pem")).unwrap();
    std::fs::write(authority.path("server.pem"), "-----BEGIN CERTIFICATE-----\nhalf").unwrap();
    assert_eq!((tls.look(), tls.look()), (Looked::Broken, Looked::Same), "told once");
    // A key that belongs to another certificate, as between two writes.
    let (_, other) = authority.sign("other");
    std::fs::write(authority.path("server.pem"), &whole).unwrap();
    std::fs::copy(other, authority.path("server.key")).unwrap();
    assert_eq!(tls.look(), Looked::Broken);
    std::fs::remove_file(authority.path("server.key")).unwrap();
    assert_eq!((tls.look(), tls.look()), (Looked::Broken, Looked::Same));
    assert!(Arc::ptr_eq(&before, &tls.in_force.read().unwrap()), "what was in force stays so");
    authority.sign("server");
    assert_eq!((tls.look(), tls.look()), (Looked::Taken, Looked::Same));
    assert!(!Arc::ptr_eq(&before, &tls.in_force.read().unwrap()));
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("server");
    let (_, other) = authority.sign("other");
    let files = TlsFiles { certificate: certificate.clone(), key, client_ca: None };
    let open = |files: TlsFiles| Tls::open(files).unwrap_err().to_string();
    let absent = authority.path("absent.pem");
    assert!(open(TlsFiles { certificate: absent, ..files.clone() }).contains("absent.pem"));
    assert!(open(TlsFiles { key: certificate.clone(), ..files.clone() }).ends_with("holds no private key in PEM"));
    let mixed = open(TlsFiles { key: other.clone(), ..files.clone() });
    assert!(mixed.contains("are not a pair") && mixed.contains(&other.display().to_string()), "{mixed}");
    let reason = open(TlsFiles { client_ca: Some(files.key.clone()), ..files });
    assert!(reason.contains("server.key holds no certificates"), "{reason}");
}

#[tokio::test]
async fn who_speaks_no_tls_is_turned_away_at_once() {
    let authority = Authority::new();
    let tls = opened(&authority, None);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (http, first, answer) in [
        (false, &b"<38>Nov 23 10:00:00 gate sshd: x\n"[..], ""),
        (true, b"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ] {
        let port = tls.port("test", false, http);
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(first).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        assert!(port.accept(stream, peer).await.is_none());
        let mut answered = Vec::new();
        // What was not read makes the end a reset.
        let _reset = client.read_to_end(&mut answered).await.is_err();
        let answered = String::from_utf8(answered).unwrap();
        assert!(answered.starts_with(answer) && answered.is_empty() == answer.is_empty(), "{answered}");
    }
}
