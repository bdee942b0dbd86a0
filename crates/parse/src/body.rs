//! Message bodies: what the programs of a Unix host say. One file per program family, one table of names.
//!
//! A body that is not understood keeps its `message`; nothing is refused here.

mod accounts;
mod appliances;
mod asa;
mod asa_table;
pub(crate) mod audit;
pub(crate) mod cisco;
mod columns;
mod cron;
mod cut;
mod database;
mod device;
mod devices;
mod directory;
mod dns;
mod dovecot;
mod dropbear;
mod exim;
pub(crate) mod family;
mod filterlog;
mod ftp;
mod heading;
mod host;
mod ios;
mod ios_table;
pub(crate) mod junos;
mod mailbox;
mod mikrotik;
mod netfilter;
mod ossec;
mod outcome;
pub(crate) mod own;
mod own_keys;
mod pairs;
mod paloalto;
mod pam;
mod pam_lines;
mod pfsense;
mod postfix;
mod privilege;
mod requests;
mod row;
mod selfhosted;
mod sendmail;
mod session;
mod snoopy;
mod snort;
mod sshd;
mod sshd_lines;
mod su;
mod sudo;
mod table;
mod untagged;
mod voip;
mod vpn;
mod web;
mod webapp;
mod webmail;

use std::sync::OnceLock;

use audit::Subject;
use devices::DEVICES;
use event::{BatchBuilder, DatasetId, dataset};
use hashbrown::HashMap;
use row::{Body, Reads};
use table::BODIES;

use crate::context::Context;
use crate::guess;

/// Bytes of the longest name in the table.
const NAME_BYTES_MAX: usize = 32;

/// The row of a program, by its name in letters of either case.
#[inline]
fn body_of(program: &[u8]) -> Option<&'static Body> {
    static NAMES: OnceLock<HashMap<&'static [u8], &'static Body>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let rows = bodies().flat_map(|body| body.programs.iter().map(move |name| (name.as_bytes(), body)));
        rows.collect()
    });
    if let Some(body) = names.get(program) {
        return Some(body);
    }
    if !program.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut lower = [0; NAME_BYTES_MAX];
    let lower = lower.get_mut(..program.len())?;
    lower.copy_from_slice(program);
    lower.make_ascii_lowercase();
    names.get(&*lower).copied()
}

/// What the kernel says of packets, and records that no audit daemon took.
fn kernel(rows: &mut BatchBuilder, message: &[u8]) -> DatasetId {
    if netfilter::put(rows, message) {
        return dataset::FIREWALL;
    }
    let rest = netfilter::after_uptime(message);
    if rest.starts_with(b"ipfw: ") && appliances::IPFW.put(rows, rest) {
        device::settle_transport(rows);
        return dataset::BSD_FIREWALL;
    }
    if rest.starts_with(b"wireguard: ") && vpn::WIREGUARD.put(rows, rest) {
        return dataset::VPN;
    }
    match rest.starts_with(b"audit: type=").then(|| audit::put(rows, rest)).flatten() {
        Some(Subject::Run) => dataset::KERNEL_RUN,
        Some(Subject::Other) => dataset::KERNEL_AUDIT,
        None => dataset::KERNEL,
    }
}

fn audit_record(rows: &mut BatchBuilder, message: &[u8]) -> DatasetId {
    match audit::put(rows, message) {
        Some(Subject::Run) => dataset::AUDITD_RUN,
        // OPNsense calls the log of its interface so.
        None if pfsense::GUI.put(rows, message) => dataset::PFSENSE,
        _ => dataset::AUDITD,
    }
}

/// A packet that a firewall of Linux saw, outside of the kernel's log.
pub(crate) fn packet(rows: &mut BatchBuilder, message: &[u8]) -> Option<DatasetId> {
    netfilter::put(rows, message).then_some(dataset::FIREWALL)
}

/// A signature that Snort or Suricata saw, in a file of its own.
pub(crate) fn signature(rows: &mut BatchBuilder, message: &[u8]) -> Option<DatasetId> {
    snort::put(rows, message).then_some(dataset::SNORT)
}

/// What a firewall for requests found that runs within another program.
pub(crate) fn finding(rows: &mut BatchBuilder, context: &mut Context, message: &[u8]) -> Option<DatasetId> {
    if message.starts_with(b"[client \"") { web::put_finding(rows, context, message) } else { None }
}

/// Every family of programs, those of hosts before those of devices.
fn bodies() -> impl Iterator<Item = &'static Body> {
    BODIES.iter().chain(DEVICES)
}

/// Names, example and documentation of every family.
pub(crate) fn known() -> impl Iterator<Item = (&'static [&'static str], &'static str, &'static str)> {
    bodies().map(|body| (body.programs, body.example, body.documentation))
}

/// Whether messages of the program are read.
pub(crate) fn is_known(program: &[u8]) -> bool {
    body_of(program).is_some()
}

/// Whether a message begins as those of devices do that name no program.
pub(crate) fn is_of_device(message: &[u8]) -> bool {
    untagged::begins(message)
}

/// A message, and who wrote it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) program: &'a [u8],
    /// The PAM module that the tag names.
    pub(crate) module: &'a [u8],
    pub(crate) message: &'a [u8],
}

/// Puts what any program may say that asks tcpd's library who may connect.
fn put_refused(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    message.starts_with(b"refused connect from ") && session::INETD.put_known(rows, message)
}

/// Puts a message of which the program does not tell how it is read: the tag may name a container, a unit or a site.
fn put_unknown(rows: &mut BatchBuilder, context: &mut Context, said: Said<'_>) -> Option<DatasetId> {
    let message = said.message;
    if put_refused(rows, message) {
        return Some(dataset::SYSLOG);
    }
    let carried = match said.program {
        b"" => context.read_carried_surely(message, rows),
        _ => context.read_said_surely(message, rows),
    };
    let carried = carried.or_else(|| finding(rows, context, message));
    carried.or_else(|| own::put(rows, context, message))
}

/// Puts a message that came by a library for logs: what a known program writes, or JSON. Other text may be a client's own words,
/// and is no line of any format.
pub(crate) fn put_logged(rows: &mut BatchBuilder, context: &mut Context, message: &[u8]) -> Option<DatasetId> {
    let carried = message.starts_with(b"{").then(|| context.read_carried_surely(message, rows)).flatten();
    let found = carried.or_else(|| finding(rows, context, message));
    found.or_else(|| own::put(rows, context, message))
}

/// Puts what the program says in its message, through the module where the tag names one; names the dataset of the line.
#[inline]
pub(crate) fn put(rows: &mut BatchBuilder, context: &mut Context, said: Said<'_>) -> DatasetId {
    let Said { program, module, message } = said;
    let name = if program.first() == Some(&b'%') { cisco::writer(program) } else { program };
    // Where BIG-IP says who logged in: no module's words.
    let is_audit = module == b"pam_audit";
    let body = body_of(if is_audit { module } else { name });
    if !is_audit && put_of_pam(rows, said, body) {
        if let Some(body) = body {
            context.readers.program(body.programs);
        }
        return body.map_or(dataset::PAM, |body| body.dataset);
    }
    let Some(body) = body else {
        let of_device = untagged::put(rows, program, message);
        return of_device.or_else(|| put_unknown(rows, context, said)).unwrap_or_else(|| {
            guess::put(rows, message);
            dataset::SYSLOG
        });
    };
    let read = match body.reads {
        Reads::By(put) => put(rows, message).then_some(body.dataset),
        Reads::Table(family) => family.put(rows, message).then_some(body.dataset),
        Reads::Flows(family) => {
            let is_known = family.put(rows, message);
            device::settle_transport(rows);
            is_known.then_some(body.dataset)
        }
        Reads::Line(put) => put(rows, context, message),
        // What the line says decides.
        Reads::Kernel => Some(kernel(rows, message)),
        Reads::Audit => Some(audit_record(rows, message)),
        Reads::Cisco => Some(cisco::put(rows, program, message)),
    };
    match read {
        Some(dataset) => {
            context.readers.program(body.programs);
            dataset
        }
        // The header of its own file may stand in front, too.
        None if body.has_own_file && put_refused(rows, message) => dataset::SYSLOG,
        None if body.has_own_file => own::put_of_body(body, rows, context, message).unwrap_or(body.dataset),
        None => body.dataset,
    }
}

/// Puts what a PAM module says in the name of the program that called it.
#[inline]
fn put_of_pam(rows: &mut BatchBuilder, said: Said<'_>, body: Option<&Body>) -> bool {
    let Said { program, module, message } = said;
    if pam::begins(message) && pam::put(rows, message) {
        return true;
    }
    // Some programs write what their module said as their own.
    if message.starts_with(b"authentication failure; logname=") {
        pam::put_of_tag(rows, program, b"pam_unix", message);
        return true;
    }
    // As old ones did it in the program's tag, or under a name of their own.
    if module.starts_with(b"pam_") || body.is_none() && pam::is_module(program) || message.starts_with(pam::FAILURE) {
        pam::put_of_tag(rows, program, module, message);
        return true;
    }
    false
}

#[cfg(test)]
mod device_forgery_tests;
#[cfg(test)]
mod family_tests;
#[cfg(test)]
mod forgery_tests;
#[cfg(test)]
mod said_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_program_belongs_to_two_families() {
        let mut names: Vec<_> = bodies().flat_map(|body| body.programs).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for name in names {
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(name.len() <= NAME_BYTES_MAX, "{name}");
        }
    }

    #[test]
    fn every_family_has_an_example_that_it_reads() {
        for body in bodies() {
            assert!(!body.example.is_empty() && !body.documentation.is_empty(), "{:?}", body.programs);
            let line = format!("<34>1 2026-03-04T10:00:01Z host {} - - - {}", body.programs[0], body.example);
            let block = event::Block::detached("example", line.into_bytes(), event::Timestamp(1_790_000_000_000_000));
            let batch = crate::Parser::new(crate::Options::default()).parse(block);
            assert_ne!(batch.datasets()[0], dataset::UNPARSED, "{}", body.example);
        }
    }
}
