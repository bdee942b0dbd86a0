//! The table of formats. A format is one file with a function that reads one line; adding one adds one line here.

use std::str::FromStr;

use event::{BatchBuilder, DatasetId};

use crate::context::{Context, Refusal};
use crate::user_format::UserFormats;
use crate::{
    access, access_time_first, alb, apache_error, application, audit, cef, cisco, envelope, envoy, fast_log, haproxy,
    host, json, key_value, leef, lighttpd, litespeed, nginx_error, own_file, put_values, pve_firewall, rfc3164,
    rfc5424, s3, squid, uwsgi, w3c, windows_xml,
};

/// For formats that no beginning gives away.
fn never(_: &[u8]) -> bool {
    false
}

/// The format that reads what all others refuse, and so is tried last whatever the lines around it are.
pub(crate) const LAST: &str = "application";

type Read = fn(&[u8], &mut Context, &mut BatchBuilder) -> Result<DatasetId, Refusal>;

/// One log format.
#[derive(Debug)]
pub struct Format {
    /// What `--format` calls the group that the format belongs to.
    pub group: &'static str,
    /// Unique among formats.
    pub name: &'static str,
    /// Cheap: may say yes to a line that `read` then refuses.
    pub looks_like: fn(&[u8]) -> bool,
    /// Whether the line begins as only this format does, so that it is broken where `read` refuses it. A date alone begins
    /// many other texts.
    pub(crate) begins_like: fn(&[u8]) -> bool,
    pub(crate) read: Read,
    /// A line of the format, as it is found in the field.
    pub example: &'static str,
    /// Where the format is described: an address without its scheme, or a standard.
    pub documentation: &'static str,
}

/// Reads a line that another one carries.
pub(crate) fn read_carried(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    if let Some(dataset) = put_values::read_bound(text, context, rows) {
        return Some(dataset);
    }
    let mut likely = FORMATS.iter().filter(|format| (format.looks_like)(text));
    likely.find_map(|format| (format.read)(text, context, rows).ok())
}

/// Reads a line that another one carries where it begins as no other text does.
pub(crate) fn read_carried_surely(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    let mut sure = FORMATS.iter().filter(|format| (format.begins_like)(text));
    sure.find_map(|format| (format.read)(text, context, rows).ok())
}

/// Every format, in the order in which `auto` tries them. JSON and access lines cannot be taken for each other.
pub static FORMATS: &[Format] = &[
    Format {
        group: "json",
        name: "json",
        looks_like: json::looks_like,
        begins_like: json::begins_like,
        read: json::read,
        example: r#"{"@timestamp":"2026-03-04T10:00:01Z","user.name":"ann","event.action":"login"}"#,
        documentation: "RFC 8259",
    },
    Format {
        group: "container",
        name: "cri",
        looks_like: envelope::cri::looks_like,
        begins_like: envelope::cri::looks_like,
        read: envelope::cri::read,
        example: r#"2026-03-04T10:00:01.120000001Z stdout F 203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] "GET /item?id=7 HTTP/1.1" 200 812"#,
        documentation: "kubernetes.io/docs/concepts/cluster-administration/logging",
    },
    Format {
        group: "container",
        name: "pod_prefix",
        looks_like: envelope::prefix::looks_like_pod,
        begins_like: envelope::prefix::looks_like_pod,
        read: envelope::prefix::read_pod,
        example: r#"[pod/shop-5d9c/web] 203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] "GET /item?id=7 HTTP/1.1" 200 812 "-" "curl/8.5""#,
        documentation: "kubernetes.io/docs/reference/kubectl/generated/kubectl_logs",
    },
    Format {
        group: "container",
        name: "name_prefix",
        looks_like: envelope::prefix::looks_like,
        begins_like: never,
        read: envelope::prefix::read,
        example: r#"web-1  | 203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] "GET /item?id=7 HTTP/1.1" 200 812 "-" "curl/8.5""#,
        documentation: "docs.docker.com/reference/cli/docker/compose/logs",
    },
    Format {
        group: "journal",
        name: "journal_export",
        looks_like: envelope::export::looks_like,
        begins_like: envelope::export::looks_like,
        read: envelope::export::read,
        example: "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1772618401000000\n_HOSTNAME=bastion\nSYSLOG_IDENTIFIER=sshd\n_PID=99\nMESSAGE=Failed password for ann from 203.0.113.7 port 4000 ssh2\n",
        documentation: "systemd.io/JOURNAL_EXPORT_FORMATS",
    },
    Format {
        group: "syslog",
        name: "counted",
        looks_like: envelope::counted::looks_like,
        begins_like: envelope::counted::looks_like,
        read: envelope::counted::read,
        example: "99 <38>Mar  4 10:00:01 bastion sshd[99]: Failed password for ann from 203.0.113.7 port 4000 ssh2",
        documentation: "RFC 6587",
    },
    Format {
        group: "syslog",
        name: "kiwi",
        looks_like: envelope::kiwi::looks_like,
        begins_like: envelope::kiwi::looks_like,
        read: envelope::kiwi::read,
        example: "2026-03-04 10:00:01\tLocal7.Notice\t192.0.2.9\tsshd[99]: Failed password for ann from 203.0.113.7 port 4000 ssh2",
        documentation: "documentation.solarwinds.com/en/success_center/kss",
    },
    Format {
        group: "syslog",
        name: "rfc5424",
        looks_like: rfc5424::looks_like,
        begins_like: rfc5424::looks_like,
        read: rfc5424::read,
        example: "<38>1 2026-03-04T10:00:01Z bastion sshd 99 - - Failed password for ann from 203.0.113.7 port 4000 ssh2",
        documentation: "RFC 5424",
    },
    Format {
        group: "access",
        name: "s3",
        looks_like: s3::looks_like,
        begins_like: s3::looks_like,
        read: s3::read,
        example: r#"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef shop-files [04/Mar/2026:10:00:01 +0000] 203.0.113.7 arn:aws:iam::123456789012:user/ann 3E57427F3EXAMPLE REST.GET.OBJECT plan.pdf "GET /plan.pdf HTTP/1.1" 200 - 812 812 15 14 "-" "aws-cli/2.15" -"#,
        documentation: "docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html",
    },
    Format {
        group: "access",
        name: "access",
        looks_like: access::looks_like,
        begins_like: access::looks_like,
        read: access::read,
        example: r#"203.0.113.7 - ann [04/Mar/2026:10:00:01 +0000] "GET /item?id=7 HTTP/1.1" 200 812 "-" "curl/8.5""#,
        documentation: "httpd.apache.org/docs/2.4/logs.html",
    },
    Format {
        group: "access",
        name: "access_time_first",
        looks_like: access_time_first::looks_like,
        begins_like: never,
        read: access_time_first::read,
        example: r#"[04/Mar/2026:10:00:01 +0000] - 200 200 - GET https shop.example "/item?id=7" [Client 203.0.113.7] [Length 812] [Gzip -] [Sent-to 198.51.100.2] "curl/8.5" "-""#,
        documentation: "nginxproxymanager.com",
    },
    Format {
        group: "error",
        name: "nginx_error",
        looks_like: nginx_error::looks_like,
        begins_like: nginx_error::begins_like,
        read: nginx_error::read,
        example: r#"2026/03/04 10:00:01 [error] 912#912: *5 user "ann": password mismatch, client: 203.0.113.7, server: intra.example, request: "GET /reports HTTP/1.1", host: "intra.example""#,
        documentation: "nginx.org/en/docs/ngx_core_module.html#error_log",
    },
    Format {
        group: "error",
        name: "apache_error",
        looks_like: apache_error::looks_like,
        begins_like: apache_error::looks_like,
        read: apache_error::read,
        example: r#"[Wed Mar 04 10:00:03.120000 2026] [authz_core:error] [pid 44:tid 45] [client 203.0.113.7:50213] AH01630: client denied by server configuration: /srv/www/server-status"#,
        documentation: "httpd.apache.org/docs/2.4/mod/core.html#errorlogformat",
    },
    Format {
        group: "haproxy",
        name: "haproxy",
        looks_like: haproxy::looks_like,
        begins_like: haproxy::looks_like,
        read: haproxy::read,
        example: r#"203.0.113.7:40112 [04/Mar/2026:10:00:01.004] www~ app/app1 0/0/1/9/10 200 1024 - - ---- 2/2/0/0/0 0/0 "GET /item?id=7 HTTP/1.1""#,
        documentation: "docs.haproxy.org, 8.2.3 HTTP log format",
    },
    Format {
        group: "w3c",
        name: "w3c",
        looks_like: w3c::looks_like,
        begins_like: w3c::begins_like,
        read: w3c::read,
        example: r#"2026-03-04 10:00:01 198.51.100.9 GET /item id=7 443 - 203.0.113.7 Mozilla/5.0+(X11) - 200 0 0 85"#,
        documentation: "learn.microsoft.com/windows/win32/http/w3c-logging",
    },
    Format {
        group: "access",
        name: "uwsgi",
        looks_like: uwsgi::looks_like,
        begins_like: uwsgi::looks_like,
        read: uwsgi::read,
        example: r#"[pid: 99|app: 0|req: 1/1] 203.0.113.7 () {32 vars in 400 bytes} [Wed Mar  4 10:00:01 2026] GET /item?id=7 => generated 812 bytes in 3 msecs (HTTP/1.1 200) 2 headers in 79 bytes (1 switches on core 0)"#,
        documentation: "uwsgi-docs.readthedocs.io/en/latest/LogFormat.html",
    },
    Format {
        group: "access",
        name: "envoy",
        looks_like: envoy::looks_like,
        begins_like: envoy::looks_like,
        read: envoy::read,
        example: r#"[2026-03-04T10:00:01.123Z] "GET /item?id=7 HTTP/1.1" 200 - 0 812 3 2 "203.0.113.7" "curl/8.5" "6a1e" "shop.example" "10.0.0.4:8080""#,
        documentation: "www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage",
    },
    Format {
        group: "access",
        name: "alb",
        looks_like: alb::looks_like,
        begins_like: alb::looks_like,
        read: alb::read,
        example: r#"h2 2026-03-04T10:00:01.186641Z app/shop/1a2b3c 203.0.113.7:44740 10.0.0.9:8080 0.001 0.020 0.000 200 200 51 812 "GET https://shop.example:443/item?id=7 HTTP/2.0" "curl/8.5" TLS_AES_128_GCM_SHA256 TLSv1.3"#,
        documentation: "docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
    },
    Format {
        group: "error",
        name: "litespeed_error",
        looks_like: litespeed::looks_like,
        begins_like: litespeed::looks_like,
        read: litespeed::read,
        example: r#"2026-03-04 10:00:01.123456 [NOTICE] [99] [203.0.113.7:40112:HTTP2-1#shop] File not found [/srv/www/pma]"#,
        documentation: "docs.litespeedtech.com/lsws/logs",
    },
    Format {
        group: "error",
        name: "lighttpd_error",
        looks_like: lighttpd::looks_like,
        begins_like: lighttpd::looks_like,
        read: lighttpd::read,
        example: r#"2026-03-04 10:00:01: (mod_auth.c.853) password doesn't match for /intra/ username: ann IP: 203.0.113.7"#,
        documentation: "redmine.lighttpd.net/projects/lighttpd/wiki/Docs_ModAuth",
    },
    Format {
        group: "squid",
        name: "squid",
        looks_like: squid::looks_like,
        begins_like: squid::looks_like,
        read: squid::read,
        example: r#"1772618401.120     45 192.0.2.77 TCP_MISS/200 812 GET http://shop.example/item?id=7 ann HIER_DIRECT/198.51.100.9 text/html"#,
        documentation: "wiki.squid-cache.org/Features/LogFormat",
    },
    Format {
        group: "audit",
        name: "audit",
        looks_like: audit::looks_like,
        begins_like: audit::begins_like,
        read: audit::read,
        example: r#"type=USER_LOGIN msg=audit(1772618401.120:42): pid=99 uid=0 auid=1000 ses=3 msg='op=login acct="ann" addr=203.0.113.7 res=failed'"#,
        documentation: "github.com/linux-audit/audit-documentation",
    },
    Format {
        group: "packages",
        name: "dpkg",
        looks_like: host::dpkg::looks_like,
        begins_like: never,
        read: host::dpkg::read,
        example: "2026-03-04 10:00:01 install nginx:amd64 <none> 1.24.0-1",
        documentation: "man7.org/linux/man-pages/man1/dpkg.1.html",
    },
    Format {
        group: "packages",
        name: "alternatives",
        looks_like: host::dpkg::looks_like_alternative,
        begins_like: host::dpkg::looks_like_alternative,
        read: host::dpkg::read_alternative,
        example: "update-alternatives 2026-03-04 10:00:01: link group editor updated to point to /usr/bin/vim.basic",
        documentation: "man7.org/linux/man-pages/man1/update-alternatives.1.html",
    },
    Format {
        group: "packages",
        name: "apt",
        looks_like: host::apt::looks_like,
        begins_like: never,
        read: host::apt::read,
        example: "Start-Date: 2026-03-04  10:00:01\nCommandline: apt install nginx\nInstall: nginx:amd64 (1.24.0-1)\nEnd-Date: 2026-03-04  10:00:05",
        documentation: "manpages.debian.org/apt/apt.8",
    },
    Format {
        group: "packages",
        name: "unattended_upgrades",
        looks_like: host::apt::looks_like_unattended,
        begins_like: never,
        read: host::apt::read_unattended,
        example: "2026-03-04 10:00:01,120 INFO Packages that will be upgraded: nginx",
        documentation: "wiki.debian.org/UnattendedUpgrades",
    },
    Format {
        group: "packages",
        name: "dnf",
        looks_like: host::dnf::looks_like,
        begins_like: never,
        read: host::dnf::read,
        example: "2026-03-04T10:00:01+0000 SUBDEBUG Installed: nginx-1:1.20.1-10.el9.x86_64",
        documentation: "dnf.readthedocs.io",
    },
    Format {
        group: "packages",
        name: "yum",
        looks_like: host::dnf::looks_like_yum,
        begins_like: never,
        read: host::dnf::read_yum,
        example: "Mar 04 10:00:01 Installed: nginx-1:1.20.1-10.el7.x86_64",
        documentation: "man7.org/linux/man-pages/man8/yum.8.html",
    },
    Format {
        group: "packages",
        name: "pacman",
        looks_like: host::pacman::looks_like,
        begins_like: never,
        read: host::pacman::read,
        example: "[2026-03-04T10:00:01+0000] [ALPM] installed nginx (1.24.0-1)",
        documentation: "man.archlinux.org/man/pacman.8",
    },
    Format {
        group: "packages",
        name: "apk",
        looks_like: host::pacman::looks_like_apk,
        begins_like: never,
        read: host::pacman::read_apk,
        example: "(1/3) Installing nginx (1.24.0-r1)",
        documentation: "wiki.alpinelinux.org/wiki/Alpine_Package_Keeper",
    },
    Format {
        group: "packages",
        name: "zypp",
        looks_like: host::zypp::looks_like,
        begins_like: never,
        read: host::zypp::read,
        example: "2026-03-04 10:00:01|install|nginx|1.24.0-1|x86_64|root@host|repo|",
        documentation: "doc.opensuse.org",
    },
    Format {
        group: "boot",
        name: "dmesg",
        looks_like: host::boot::looks_like_ring,
        begins_like: never,
        read: host::boot::read_ring,
        example: "[   12.345678] usb 1-1: new high-speed USB device number 2 using xhci_hcd",
        documentation: "man7.org/linux/man-pages/man1/dmesg.1.html",
    },
    Format {
        group: "boot",
        name: "boot",
        looks_like: host::boot::looks_like,
        begins_like: never,
        read: host::boot::read,
        example: "[  OK  ] Started OpenSSH server daemon.",
        documentation: "systemd.io",
    },
    Format {
        group: "boot",
        name: "xorg",
        looks_like: host::boot::looks_like_display,
        begins_like: never,
        read: host::boot::read_display,
        example: "[    12.345] (II) Loading extension GLX",
        documentation: "www.x.org/wiki",
    },
    Format {
        group: "boot",
        name: "cloud_init",
        looks_like: host::cloud_init::looks_like,
        begins_like: never,
        read: host::cloud_init::read,
        example: "2026-03-04 10:00:01,120 - util.py[DEBUG]: Reading from /etc/cloud/cloud.cfg",
        documentation: "cloudinit.readthedocs.io",
    },
    Format {
        group: "logins",
        name: "logins",
        looks_like: host::logins::looks_like,
        begins_like: never,
        read: host::logins::read,
        example: "wtmp [7] [99] [] [ann] [pts/0] [client.example] [203.0.113.7] [2026-03-04T10:00:01Z]",
        documentation: "man7.org/linux/man-pages/man5/utmp.5.html",
    },
    Format {
        group: "accounts",
        name: "pw",
        looks_like: host::pw::looks_like,
        begins_like: never,
        read: host::pw::read,
        example: "2026-03-04 10:00:01 [root:useradd] ann(1001):ann(1001):Ann Example:/home/ann:/bin/sh",
        documentation: "man.freebsd.org/pw",
    },
    Format {
        group: "windows",
        name: "windows_xml",
        looks_like: windows_xml::looks_like,
        begins_like: windows_xml::looks_like,
        read: windows_xml::read,
        example: r#"<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Channel>Security</Channel><EventID>4625</EventID></System><EventData><Data Name="IpAddress">203.0.113.7</Data></EventData></Event>"#,
        documentation: "learn.microsoft.com/windows/win32/wes/eventschema-schema",
    },
    Format {
        group: "ids",
        name: "fast-log",
        looks_like: fast_log::looks_like,
        begins_like: never,
        read: fast_log::read,
        example: "03/04/2026-10:00:01.123456  [**] [1:2000001:3] SCAN of a port [**] [Classification: Attempted Information Leak] [Priority: 2] {TCP} 203.0.113.7:4000 -> 198.51.100.4:22",
        documentation: "docs.suricata.io/en/latest/output/eve/eve-json-output.html",
    },
    Format {
        group: "firewall",
        name: "pve-firewall",
        looks_like: pve_firewall::looks_like,
        begins_like: never,
        read: pve_firewall::read,
        example: "100 6 tap100i0-IN 04/Mar/2026:10:00:00 +0100 policy DROP: IN=fwbr100i0 OUT=fwbr100i0 SRC=203.0.113.7 DST=198.51.100.4 LEN=40 PROTO=TCP SPT=4000 DPT=22",
        documentation: "pve.proxmox.com/wiki/Firewall",
    },
    Format {
        group: "syslog",
        name: "cisco",
        looks_like: cisco::looks_like,
        begins_like: never,
        read: cisco::read,
        example: "<189>45: sw1: *Mar  4 10:00:01.123 UTC: %SYS-5-CONFIG_I: Configured from console by ann on vty0 (203.0.113.7)",
        documentation: "www.cisco.com/c/en/us/td/docs/ios-xml/ios/esm/configuration/15-mt/esm-15-mt-book.html",
    },
    Format {
        group: "pairs",
        name: "cef",
        looks_like: cef::looks_like,
        begins_like: cef::looks_like,
        read: cef::read,
        example: "CEF:0|Example|Firewall|7.2|4711|Traffic denied|5|rt=1772618401000 src=203.0.113.7 spt=40112 dst=198.51.100.4 dpt=22 proto=TCP act=deny",
        documentation: "microfocus.com/documentation/arcsight/arcsight-smartconnectors/cef-implementation-standard",
    },
    Format {
        group: "pairs",
        name: "leef",
        looks_like: leef::looks_like,
        begins_like: leef::looks_like,
        read: leef::read,
        example: "LEEF:1.0|Example|Firewall|7.2|deny|src=203.0.113.7\tsrcPort=40112\tdst=198.51.100.4\tdstPort=22\tproto=TCP",
        documentation: "ibm.com/docs/en/dsm?topic=leef-overview",
    },
    Format {
        group: "pairs",
        name: "key_value",
        looks_like: key_value::looks_like,
        begins_like: key_value::looks_like,
        read: key_value::read,
        example: r#"time="2026-03-04T10:00:01Z" level=warning msg="login refused" user=ann remote_addr=203.0.113.7"#,
        documentation: "brandur.org/logfmt",
    },
    Format {
        group: "syslog",
        name: "rfc3164",
        looks_like: rfc3164::looks_like,
        begins_like: rfc3164::begins_like,
        read: rfc3164::read,
        example: "Mar  4 10:00:01 bastion sshd[99]: Failed password for ann from 203.0.113.7 port 4000 ssh2",
        documentation: "RFC 3164",
    },
    Format {
        group: "container",
        name: "time_prefix",
        looks_like: envelope::stamped::looks_like,
        begins_like: never,
        read: envelope::stamped::read,
        example: r#"2026-03-04T10:00:01.120000001Z 203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] "GET /item?id=7 HTTP/1.1" 200 812"#,
        documentation: "docs.docker.com/reference/cli/docker/container/logs",
    },
    Format {
        group: "coloured",
        name: "coloured",
        looks_like: envelope::ansi::looks_like,
        begins_like: never,
        read: envelope::ansi::read,
        example: "\u{1b}[32mMar  4 10:00:01\u{1b}[0m bastion sshd[99]: Failed password for ann from 203.0.113.7 port 4000 ssh2",
        documentation: "ECMA-48",
    },
    Format {
        group: "own",
        name: own_file::NAME,
        looks_like: own_file::looks_like,
        begins_like: own_file::begins_like,
        read: own_file::read,
        example: "2026-03-04 10:00:01 login authenticator failed for (winpc) [203.0.113.7]:51422: 535 Incorrect authentication data (set_id=ann)",
        documentation: "www.exim.org/exim-html-current/doc/html/spec_html/ch-log_files.html",
    },
    Format {
        group: "application",
        name: "application",
        looks_like: application::looks_like,
        begins_like: never,
        read: application::read,
        example: "2026-03-04 10:00:01,120 ERROR [main] com.example.Shop - payment refused",
        documentation: "logging.apache.org/log4j/2.x/manual/pattern-layout.html",
    },
];

/// The formats that lines may have: all of them (`auto`) or one group.
#[derive(Clone, Debug)]
pub struct FormatChoice {
    candidates: Vec<&'static Format>,
    /// Number of the operator's format that was asked for.
    own: Option<usize>,
}

impl FormatChoice {
    /// Whether one format was asked for by its name: what it cannot read then is broken.
    pub(crate) fn is_told(&self) -> bool {
        self.candidates.len() < FORMATS.len()
    }

    /// Number of the operator's format that was asked for.
    pub(crate) fn own(&self) -> Option<usize> {
        self.own
    }

    /// The formats that a word stands for: the operator's own are known, too.
    pub fn named(word: &str, user_formats: &UserFormats) -> Result<Self, UnknownFormat> {
        match user_formats.named(word) {
            Some(own) => Ok(FormatChoice { own: Some(own), ..FormatChoice::default() }),
            None => word.parse(),
        }
    }

    pub(crate) fn candidates(&self) -> &[&'static Format] {
        &self.candidates
    }

    /// Every word that `--format` takes.
    pub fn words() -> Vec<&'static str> {
        let mut words = vec!["auto"];
        for format in FORMATS {
            for word in [format.group, format.name] {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
        }
        words
    }
}

impl Default for FormatChoice {
    fn default() -> Self {
        FormatChoice { candidates: FORMATS.iter().collect(), own: None }
    }
}

/// A word that is neither `auto`, a format nor a group of formats.
#[derive(Debug, thiserror::Error)]
#[error("unknown format `{0}`: use one of {list}", list = FormatChoice::words().join(", "))]
pub struct UnknownFormat(String);

impl FromStr for FormatChoice {
    type Err = UnknownFormat;
    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        if word == "auto" {
            return Ok(FormatChoice::default());
        }
        let candidates: Vec<_> = FORMATS.iter().filter(|format| format.group == word || format.name == word).collect();
        if candidates.is_empty() {
            return Err(UnknownFormat(word.to_owned()));
        }
        Ok(FormatChoice { candidates, own: None })
    }
}
