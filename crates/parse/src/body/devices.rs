//! The table of devices and services of a network whose messages are read by the name of their program: as the table of programs of
//! a host. No code. (flat table)

use event::dataset;

use super::row::{Body, Reads, body};
use super::{appliances, filterlog, mikrotik, ossec, pairs, pfsense, snort};

/// What is read of the devices of a network.
#[rustfmt::skip]
pub(super) static DEVICES: &[Body] = &[
    body(&["%asa"], dataset::CISCO_ASA, Reads::Cisco)
        .example(r#"%ASA-4-106023: Deny tcp src outside:203.0.113.7/4000 dst inside:198.51.100.4/22 by access-group "outside_in" [0x0, 0x0]"#, "www.cisco.com/c/en/us/td/docs/security/asa/syslog/asa-syslog.html"),
    body(&["%"], dataset::CISCO_IOS, Reads::Cisco)
        .example("%SEC-6-IPACCESSLOGP: list 110 denied tcp 203.0.113.7(4000) -> 198.51.100.4(22), 1 packet", "www.cisco.com/c/en/us/td/docs/ios-xml/ios/esm/configuration/15-mt/esm-15-mt-book.html"),
    body(&["filterlog"], dataset::PFSENSE, Reads::By(filterlog::put))
        .example("5,,,1000000103,igb0,match,block,in,4,0x0,,52,4711,0,DF,6,tcp,60,203.0.113.7,198.51.100.4,41000,3389,0,S,1,,64240,,mss", "docs.netgate.com/pfsense/en/latest/monitoring/logs/raw-filter-format.html"),
    body(&["configd.py"], dataset::PFSENSE, Reads::Table(&pfsense::GUI))
        .example("/index.php: webConfigurator authentication error for user 'ann' from: 203.0.113.7", "docs.netgate.com/pfsense/en/latest/monitoring/logs"),
    body(&["php-fpm"], dataset::SERVICE, Reads::Table(&pfsense::GUI))
        .example("/index.php: webConfigurator authentication error for user 'ann' from: 203.0.113.7", "docs.netgate.com/pfsense/en/latest/monitoring/logs"),
    body(&["sshguard"], dataset::SSHGUARD, Reads::Table(&pfsense::SSHGUARD))
        .example("Attack from \"203.0.113.7\" on service SSH with danger 10.", "www.sshguard.net/docs"),
    body(&["routeros"], dataset::MIKROTIK, Reads::Table(&mikrotik::LINES))
        .example("login failure for user ann from 203.0.113.7 via ssh", "help.mikrotik.com/docs/spaces/ROS/pages/328094/Log"),
    body(&["dhcpd", "dnsmasq-dhcp", "dnsmasq-dhcpd"], dataset::DHCP, Reads::Table(&appliances::DHCP))
        .example("DHCPACK on 192.0.2.77 to 00:00:5e:00:53:01 (laptop) via eth0", "kb.isc.org/docs/isc-dhcp-44-manual-pages-dhcpd"),
    body(&["arpwatch"], dataset::ARPWATCH, Reads::Table(&appliances::ARPWATCH))
        .example("changed ethernet address 192.0.2.77 00:00:5e:00:53:01 (00:00:5e:00:53:02) eth0", "ee.lbl.gov"),
    body(&["hostapd"], dataset::HOSTAPD, Reads::Table(&appliances::HOSTAPD))
        .example("wlan0: STA 00:00:5e:00:53:01 IEEE 802.11: associated", "w1.fi/hostapd"),
    body(&["hostd", "vpxa", "vpxd", "vobd", "vmauthd", "rhttpproxy", "hostd-probe"], dataset::VMWARE, Reads::Table(&appliances::VMWARE))
        .example("info hostd[99] [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 7 : User root@203.0.113.7 logged in as VMware-client/6.5.0", "knowledge.broadcom.com"),
    body(&["synologand", "connection", "synology"], dataset::SYNOLOGY, Reads::Table(&appliances::SYNOLOGY))
        .example("User [ann] from [203.0.113.7] failed to sign in to [DSM] via [password] due to authorization failure.", "kb.synology.com"),
    body(&["qlogd"], dataset::QNAP, Reads::Table(&appliances::QNAP))
        .example("conn log: Users: ann, Source IP: 203.0.113.7, Computer name: ---, Connection type: SSH, Accessed resources: ---, Action: Login Fail", "www.qnap.com/en/how-to"),
    body(&["#ilo4", "#ilo5", "#ilo 4", "#ilo 5", "#ilo 6", "idrac", "ilo"], dataset::BOARD, Reads::Table(&appliances::BOARDS))
        .example("Severity: Informational, Category: Audit, MessageID: USR0031, Message: Unable to log in for ann from 203.0.113.7 using GUI.", "www.dell.com/support/manuals/idrac"),
    body(&["snort", "suricata", "barnyard2"], dataset::SNORT, Reads::By(snort::put))
        .example("[1:2000001:3] SCAN of a port [Classification: Attempted Information Leak] [Priority: 2] {TCP} 203.0.113.7:4000 -> 198.51.100.4:22", "docs.suricata.io/en/latest/output/syslog-alerting-comp.html"),
    body(&["ipmon"], dataset::BSD_FIREWALL, Reads::Flows(&appliances::IPMON))
        .example("10:00:01.123456 em0 @0:5 b 203.0.113.7,4000 -> 198.51.100.4,22 PR tcp len 20 60 -S IN", "man.freebsd.org/cgi/man.cgi?query=ipmon"),
    body(&["ipfw", "socketfilterfw"], dataset::BSD_FIREWALL, Reads::Flows(&appliances::IPFW))
        .example("Stealth Mode connection attempt to TCP 198.51.100.4:22 from 203.0.113.7:4000", "man.freebsd.org/cgi/man.cgi?query=ipfw"),
    body(&["ossec", "ossec-syslogd", "wazuh"], dataset::OSSEC, Reads::By(ossec::put))
        .example("Alert Level: 5; Rule: 5716 - SSHD authentication failed.; Location: web1->/var/log/auth.log; srcip: 203.0.113.7; user: ann; -", "www.ossec.net/docs"),
    body(&["tmsh", "mcpd", "apmd", "httpd(pam_audit)", "pam_audit", "tmm"], dataset::BIG_IP, Reads::Table(&appliances::BIG_IP))
        .example("01420002:5: AUDIT - pid=99 user=root folder=/Common module=(tmos)# status=[Command OK] cmd_data=list ltm", "techdocs.f5.com"),
    body(&["rt_flow", "rt_ids", "rt_idp", "rt_screen", "mgd"], dataset::JUNOS, Reads::Flows(&appliances::JUNOS))
        .example("RT_FLOW_SESSION_DENY: session denied 203.0.113.7/4000->198.51.100.4/22 junos-ssh 6(0) deny-all untrust trust UNKNOWN UNKNOWN N/A(N/A) ge-0/0/0.0", "www.juniper.net/documentation/us/en/software/junos/network-mgmt"),
    body(&["checkpoint"], dataset::CHECK_POINT, Reads::By(pairs::put_check_point))
        .example(r#"[action:"Drop"; ifdir:"inbound"; ifname:"eth1"; src:"203.0.113.7"; dst:"198.51.100.4"; proto:"6"; s_port:"4000"; service:"22"]"#, "sc1.checkpoint.com/documents/R81.20/WebAdminGuides/EN/CP_R81.20_LoggingAndMonitoring_AdminGuide"),
    body(&["cise_failed_attempts", "cise_passed_authentications", "cise_radius_accounting", "cise_tacacs_accounting"], dataset::ISE, Reads::By(pairs::put_ise))
        .example("0000000001 1 0 2026-03-04 10:00:01.123 +00:00 0000000001 5400 NOTICE Failed-Attempt: Authentication failed, ConfigVersionId=1, UserName=ann, Calling-Station-ID=203.0.113.7", "www.cisco.com/c/en/us/td/docs/security/ise/syslog"),
    body(&["firewall"], dataset::WATCHGUARD, Reads::By(pairs::put_watchguard))
        .example(r#"msg_id="3000-0148" Deny 0-External Firebox 40 tcp 20 64 203.0.113.7 198.51.100.4 4000 22 offset 5 S 123 win 1024 (Unhandled External Packet-00)"#, "www.watchguard.com/help/docs/fireware/12/en-US/log_catalog"),
];
