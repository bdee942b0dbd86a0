//! The table of devices and services of a network whose messages are read by the name of their program: as the table of programs of
//! a host. No code. (flat table)

use event::dataset;

use super::{Body, Reads, body};
use super::{filterlog, mikrotik, pfsense};

/// What is read of the devices of a network.
#[rustfmt::skip]
pub(super) static DEVICES: &[Body] = &[
    body(&["%ASA"], dataset::CISCO_ASA, Reads::Cisco)
        .example(r#"%ASA-4-106023: Deny tcp src outside:203.0.113.7/4000 dst inside:198.51.100.4/22 by access-group "outside_in" [0x0, 0x0]"#, "www.cisco.com/c/en/us/td/docs/security/asa/syslog/asa-syslog.html"),
    body(&["%"], dataset::CISCO_IOS, Reads::Cisco)
        .example("%SEC-6-IPACCESSLOGP: list 110 denied tcp 203.0.113.7(4000) -> 198.51.100.4(22), 1 packet", "www.cisco.com/c/en/us/td/docs/ios-xml/ios/esm/configuration/15-mt/esm-15-mt-book.html"),
    body(&["filterlog"], dataset::PFSENSE, Reads::By(filterlog::put))
        .example("5,,,1000000103,igb0,match,block,in,4,0x0,,52,4711,0,DF,6,tcp,60,203.0.113.7,198.51.100.4,41000,3389,0,S,1,,64240,,mss", "docs.netgate.com/pfsense/en/latest/monitoring/logs/raw-filter-format.html"),
    body(&["php-fpm", "configd.py"], dataset::PFSENSE, Reads::Table(&pfsense::GUI))
        .example("/index.php: webConfigurator authentication error for user 'ann' from: 203.0.113.7", "docs.netgate.com/pfsense/en/latest/monitoring/logs"),
    body(&["sshguard"], dataset::SSHGUARD, Reads::Table(&pfsense::SSHGUARD))
        .example("Attack from \"203.0.113.7\" on service SSH with danger 10.", "www.sshguard.net/docs"),
    body(&["routeros"], dataset::MIKROTIK, Reads::Table(&mikrotik::LINES))
        .example("login failure for user ann from 203.0.113.7 via ssh", "help.mikrotik.com/docs/spaces/ROS/pages/328094/Log"),
];
