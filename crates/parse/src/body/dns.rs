//! Name servers: who asked, for what, and what was refused. BIND writes blanks of names as numbers: a word is one of its own.

use super::family::{Family, note, traffic};

macro_rules! client {
    () => {
        "{?{:host}: ?}{?{:host}: ?}client {?@{:word} ?}{source.ip}#{source.port}{?/key {:word}?}{? ({:word})?}: {?view {:word}: ?}"
    };
}
/// `NAME/TYPE/CLASS` in quotes.
macro_rules! quoted {
    () => {
        "'{dns.question.name:word}/{dns.question.type:host}/{dns.question.class:host}'"
    };
}

/// bind9.readthedocs.io
#[rustfmt::skip]
pub(super) static NAMED: Family = Family::new(
    &[
        traffic(concat!(client!(), "query: {dns.question.name:word} {dns.question.class:host} {dns.question.type:host} {:word}{? ({destination.ip})?}{? {*}?}"), "dns_query", ""),
        traffic(concat!(client!(), "query {?(cache) ?}", quoted!(), " denied{? {*}?}"), "dns_query", "failure"),
        traffic(concat!(client!(), "zone transfer ", quoted!(), " denied{? {*}?}"), "dns_transfer", "failure"),
        traffic(concat!(client!(), "bad zone transfer request: ", quoted!(), ": {event.reason}"), "dns_transfer", "failure"),
        traffic(concat!(client!(), "transfer of ", quoted!(), ": {event.reason}"), "dns_transfer", ""),
        traffic(concat!(client!(), "transfer of '{dns.question.name:word}/{dns.question.class:host}': {event.reason}"), "dns_transfer", ""),
        traffic(concat!(client!(), "{(update||update forwarding)} '{dns.question.name:word}/{dns.question.class:host}' denied{? {*}?}"), "dns_update", "failure"),
        traffic(concat!(client!(), "query failed ({dns.response_code:host}) for {dns.question.name:word}/{dns.question.class:host}/{dns.question.type:host} at {*}"), "dns_query", ""),
        traffic(concat!(client!(), "rate limit {event.reason}"), "dns_query", ""),
        traffic(concat!(client!(), "{event.reason}"), "dns_query", ""),
    ],
    &[],
);

/// unbound.docs.nlnetlabs.nl
#[rustfmt::skip]
pub(super) static UNBOUND: Family = Family::new(
    &[
        traffic("{?[{:number}:{:word}] ?}info: {?query: ||reply: ?}{source.ip} {dns.question.name:word} {dns.question.type:host} {dns.question.class:host}{? {dns.response_code:host} {:word} {:number} {:number}?}", "dns_query", ""),
        traffic("{?[{:number}:{:word}] ?}{:host}: {?ip_?}ratelimit exceeded {source.ip} {*}", "dns_query", "failure"),
        note("{?[{:number}:{:word}] ?}info: {dns.question.name:word} {:word} {source.ip}@{source.port} {dns.question.name:word} {dns.question.type:host} {dns.question.class:host}"),
    ],
    &[],
);

/// thekelleys.org.uk/dnsmasq, also as Pi-hole runs it
#[rustfmt::skip]
pub(super) static DNSMASQ: Family = Family::new(
    &[
        traffic("{?{:number} {:ip}/{source.port} ?}query[{dns.question.type:word}] {dns.question.name} from {source.ip}", "dns_query", ""),
        note("{?{:number} ?}DHCP{(DISCOVER||REQUEST||ACK||OFFER||NAK||RELEASE||INFORM||DECLINE)}({:host}) {source.ip} {source.mac:word}{? {*}?}"),
    ],
    &[],
);

/// nsd.docs.nlnetlabs.nl and doc.powerdns.com
#[rustfmt::skip]
pub(super) static AUTHORITATIVE: Family = Family::new(
    &[
        traffic("{?info: ?}{?info: ?}{(axfr||ixfr||notify)} for {?zone ?}{dns.question.name:word} from {?client ?}{source.ip} refused, {event.reason}", "dns_transfer", "failure"),
        traffic("{?info: ?}ratelimit {(block||slip||unblock)} {dns.question.name:word} type {:word} target {:word} query {source.ip} {dns.question.type:word}", "dns_query", ""),
        traffic("{?info: ?}query {dns.question.name:word} from {source.ip} refused{?, {event.reason}?}", "dns_query", "failure"),
        traffic("Remote {source.ip}{?:{source.port}?} wants '{dns.question.name:word}|{dns.question.type:host}', {*}", "dns_query", ""),
        traffic("{?{:host}: ?}[{dns.question.name:word}] ACL, denied, action {:host}, remote {source.ip}@{source.port}{?, {*}?}", "dns_transfer", "failure"),
        // coredns.io/plugins/log
        traffic("{source.ip}:{source.port} - {:number} \"{dns.question.type:host}{( IN || CH || HS )}{dns.question.name:word} {network.transport:host} {:number} {:word} {:number}\" {dns.response_code:host} {:word} {:number} {:word}", "dns_query", ""),
        traffic("AXFR{?-out?} {(of domain||zone)} '{dns.question.name:word}'{?, client '{source.ip}{?:{:number}?}'||{? initiated?} by {source.ip}?}{(, || )}denied{?: {event.reason}?}", "dns_transfer", "failure"),
        traffic("AXFR of domain '{dns.question.name:word}' denied to {source.ip}{?: {event.reason}?}", "dns_transfer", "failure"),
        traffic("Received NOTIFY for {dns.question.name:word} from {source.ip}{?:{:number}?} {event.reason}", "dns_notify", ""),
    ],
    &[],
);
