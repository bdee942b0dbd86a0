//! Which kind of log a line belongs to, and which Sigma log sources that satisfies.
//! One table; a parser names a row of it for every event that it writes.

use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// Index into [`DATASETS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetId(pub u8);

/// A kind of log. An empty list of products, categories and services means: not known, any rule may judge it.
#[derive(Debug)]
pub struct Dataset {
    /// ECS `event.dataset`. Rows of one name belong to one log, whose lines are not all judged by the same rules.
    pub name: &'static str,
    /// Values of Sigma's `logsource.product` that its events satisfy.
    pub products: &'static [&'static str],
    /// Values of Sigma's `logsource.category`.
    pub categories: &'static [&'static str],
    /// Values of Sigma's `logsource.service`.
    pub services: &'static [&'static str],
}

macro_rules! datasets {
    ($($constant:ident = $name:literal $products:tt $categories:tt $services:tt;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "row names of the table")]
        #[repr(u8)]
        enum Row { $($constant),* }
        $(#[doc = concat!("Id of the dataset `", $name, "`.")]
        pub const $constant: DatasetId = DatasetId(Row::$constant as u8);)*
        /// Every kind of log that a parser can name.
        pub static DATASETS: &[Dataset] =
            &[$(Dataset { name: $name, products: &$products, categories: &$categories, services: &$services }),*];
    };
}

// constant     event.dataset       products             categories    services
datasets! {
    UNPARSED  = "unparsed"          []                   []            [];
    JSON      = "json"              []                   []            [];
    ACCESS    = "http.access"       ["apache", "nginx"]  ["webserver"] ["access", "apache", "nginx"];
    SYSLOG    = "system.syslog"     ["linux"]            ["authentication"] ["syslog"];
    SSHD      = "system.sshd"       ["linux"]            []            ["sshd", "auth", "syslog"];
    SUDO      = "system.sudo"       ["linux"]            []            ["sudo", "auth", "syslog"];
    SU        = "system.su"         ["linux"]            []            ["su", "auth", "syslog"];
    PAM       = "system.pam"        ["linux"]            []            ["pam", "auth", "syslog"];
    CRON      = "system.cron"       ["linux"]            []            ["cron", "syslog"];
    ACCOUNTS  = "system.accounts"   ["linux"]            []            ["useradd", "groupadd", "auth", "syslog"];
    FIREWALL  = "iptables.log"      ["linux"]            ["firewall"]  ["iptables", "syslog"];
    KERNEL    = "system.kernel"     ["linux"]            []            ["kernel", "syslog"];
    VSFTPD    = "vsftpd.log"        ["linux"]            []            ["vsftpd", "syslog"];
    CLAMAV    = "clamav.log"        ["linux"]            []            ["clamav", "syslog"];
    AUDITD    = "auditd.log"        ["linux"]            []            ["auditd", "syslog"];
    AUDITD_RUN = "auditd.log"       ["linux"]            ["process_creation"] ["auditd", "syslog"];
    KERNEL_AUDIT = "system.kernel"  ["linux"]            []            ["kernel", "auditd", "syslog"];
    KERNEL_RUN = "system.kernel"    ["linux"]            ["process_creation"] ["kernel", "auditd", "syslog"];
    GUACAMOLE = "guacamole.log"     ["linux"]            ["authentication"]            ["guacamole", "syslog"];
    MAIL      = "mail.log"          ["linux"]            []            ["mail", "postfix", "dovecot", "exim", "syslog"];
    FTP       = "ftp.log"           ["linux"]            []            ["ftp", "syslog"];
    DATABASE  = "database.log"      ["linux"]            ["database"]  ["mysql", "postgresql", "syslog"];
    DNS       = "dns.log"           ["linux"]            ["dns"]       ["named", "dns", "syslog"];
    FAIL2BAN  = "fail2ban.log"      ["linux"]            []            ["fail2ban", "syslog"];
    VPN       = "vpn.log"           ["linux"]            ["authentication"]            ["vpn", "syslog"];
    VOIP      = "voip.log"          ["linux"]            ["authentication"]            ["voip", "syslog"];
    DIRECTORY = "directory.log"     ["linux"]            ["authentication"]            ["ldap", "kerberos", "samba", "auth", "syslog"];
    WEBAPP    = "webapp.log"        ["linux"]            ["application", "authentication"] ["syslog"];
    SERVICE   = "service.log"       ["linux"]            ["authentication"]            ["syslog"];
    HTTP_ERROR = "http.error"       ["linux", "apache", "nginx"] ["webserver", "authentication"] ["error", "apache", "nginx"];
    HAPROXY   = "haproxy.log"       ["linux", "haproxy"] ["webserver"] ["haproxy", "access"];
    IIS       = "iis.access"        ["windows", "iis"]   ["webserver"] ["iis", "access"];
    CLOUDFRONT = "aws.cloudfront_logs" ["aws"]           ["webserver", "proxy"] ["cloudfront", "access"];
    ELB       = "aws.elb_logs"      ["aws"]              ["webserver"] ["elb", "access"];
    S3        = "aws.s3access"      ["aws"]              ["webserver"] ["s3", "access"];
    SQUID     = "squid.access"      ["linux", "squid"]   ["proxy"]     ["squid", "access"];
    CUSTOM    = "custom"            []                   []            [];
    PROXY     = "proxy.log"         []                   ["proxy"]     ["proxy"];
    WINDOWS_FIREWALL = "windows.firewall" ["windows"]    ["firewall"]  ["firewall"];
    APPLICATION = "application.log" ["jvm", "spring", "velocity", "python", "django", "nodejs", "ruby_on_rails"] ["application", "authentication"] [];
    CISCO_ASA = "cisco.asa"         ["cisco"]            ["firewall", "authentication"]  ["asa", "aaa", "syslog"];
    CISCO_FTD = "cisco.ftd"         ["cisco"]            ["firewall", "authentication"]  ["ftd", "asa", "aaa", "syslog"];
    CISCO_IOS = "cisco.ios"         ["cisco"]            ["firewall", "authentication"]  ["ios", "aaa", "bgp", "ldp", "duo", "syslog"];
    DHCP      = "dhcp.log"          ["linux"]            []            ["dhcp", "dhcpd", "syslog"];
    ARPWATCH  = "arpwatch.log"      ["linux"]            []            ["arpwatch", "syslog"];
    HOSTAPD   = "hostapd.log"       ["linux"]            []            ["hostapd", "syslog"];
    VMWARE    = "vmware.log"        ["vmware", "esxi"]   ["authentication"]            ["hostd", "vpxd", "syslog"];
    SYNOLOGY  = "synology.log"      ["synology"]         ["authentication"]            ["syslog"];
    QNAP      = "qnap.log"          ["qnap"]             ["authentication"]            ["syslog"];
    BOARD     = "board.log"         ["ilo", "idrac"]     ["authentication"]            ["syslog"];
    SNORT     = "snort.log"         ["linux", "snort", "suricata"] ["ids"]      ["snort", "suricata", "syslog"];
    BSD_FIREWALL = "bsd.firewall"   ["bsd"]              ["firewall"]  ["pf", "ipfw", "ipfilter", "syslog"];
    OSSEC     = "ossec.alerts"      ["linux", "ossec", "wazuh"]   ["ids"]       ["ossec", "wazuh", "syslog"];
    BIG_IP    = "f5.bigip"          ["f5"]               ["authentication"]            ["bigip", "audit", "syslog"];
    JUNOS     = "juniper.junos"     ["juniper"]          ["firewall", "authentication"]  ["junos", "bgp", "syslog"];
    MERAKI    = "cisco.meraki"      ["cisco"]            ["firewall", "authentication"]  ["meraki", "syslog"];
    ISE       = "cisco.ise"         ["cisco"]            ["authentication"]            ["ise", "aaa", "syslog"];
    CHECK_POINT = "checkpoint.firewall" ["checkpoint"]   ["firewall", "authentication"]  ["firewall", "syslog"];
    CITRIX    = "citrix.adc"        ["citrix"]           ["authentication"]            ["netscaler", "syslog"];
    WATCHGUARD = "watchguard.firebox" ["watchguard"]     ["firewall", "authentication"]  ["firebox", "syslog"];
    PFSENSE   = "pfsense.log"       ["pfsense", "opnsense"] ["firewall", "authentication"] ["pfsense", "filterlog", "syslog"];
    SSHGUARD  = "sshguard.log"      ["linux"]            []            ["sshguard", "syslog"];
    MIKROTIK  = "mikrotik.log"      ["mikrotik"]         ["firewall", "authentication"]  ["routeros", "syslog"];
    PANOS     = "panw.panos"        ["paloalto"]         ["firewall", "appliance", "authentication"] ["panos", "globalprotect", "syslog"];
    TEXT      = "text"              []                   []            [];
    CONTINUATION = "continuation"   []                   []            [];
    CONTAINER = "container.log"     []                   []            [];
    PACKAGES  = "system.packages"   ["linux"]            []            ["packages"];
    LOGINS    = "system.logins"     ["linux"]            ["authentication"] ["auth", "wtmp"];
    BOOT      = "system.boot"       ["linux"]            []            ["boot"];
    XORG      = "xorg.log"          ["linux"]            []            ["xorg"];
    WINDOWS_DHCP = "windows.dhcp"   ["windows"]          []            ["dhcp"];
    CLOUD_INIT = "cloud-init.log"   ["linux"]            []            ["cloud-init"];
}

/// A Sigma log source: what a rule asks for, or what an operator declares for a source. Absent parts ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSource {
    /// Such as `linux`; `None`: not declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Such as `webserver`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Such as `sshd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

impl DatasetId {
    /// The row as a text that outlives a change of the table: `auditd.log linux process_creation auditd,syslog`.
    pub fn key(self) -> &'static str {
        static KEYS: OnceLock<Vec<String>> = OnceLock::new();
        let keys = KEYS.get_or_init(|| DATASETS.iter().map(Dataset::written).collect());
        keys.get(usize::from(self.0)).map_or("unparsed", String::as_str)
    }

    /// Reads [`DatasetId::key`]. A key of a row that has changed since is the first row of that name; `None` where there
    /// is none.
    pub fn of_key(key: &str) -> Option<DatasetId> {
        let at = (0..DATASETS.len()).find(|at| DatasetId(*at as u8).key() == key);
        let named = || DATASETS.iter().position(|row| Some(row.name) == key.split(' ').next());
        at.or_else(named).map(|at| DatasetId(at as u8))
    }
}

impl Dataset {
    fn written(&self) -> String {
        let parts = [self.products, self.categories, self.services].map(|words| words.join(","));
        [self.name.to_owned(), parts.join(" ")].join(" ").trim_end().to_owned()
    }

    /// The row of the table; the first row for an id that is not in it.
    pub fn of(id: DatasetId) -> &'static Dataset {
        DATASETS.get(usize::from(id.0)).unwrap_or(&DATASETS[0])
    }

    /// Nothing is known of where events of this kind come from.
    pub fn is_unknown(&self) -> bool {
        self.products.is_empty() && self.categories.is_empty() && self.services.is_empty()
    }

    /// Whether a rule that asks for `wanted` judges events of this kind.
    pub fn satisfies(&self, wanted: &LogSource) -> bool {
        if self.is_unknown() {
            return true;
        }
        let has = |known: &[&str], part: &Option<String>| match part {
            Some(part) => known.contains(&part.as_str()),
            None => true,
        };
        has(self.products, &wanted.product)
            && has(self.categories, &wanted.category)
            && has(self.services, &wanted.service)
    }
}

/// Why a text declares no log source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLogSource {
    /// A part, as it was written, that begins with none of the three keys.
    #[error("`{0}` is not product=…, category=… or service=…")]
    UnknownPart(String),
    /// A key with nothing behind it.
    #[error("`{0}=` names nothing: leave it out where it is not known")]
    Empty(&'static str),
    /// A key that stands there more than once.
    #[error("`{0}` is named twice")]
    Twice(&'static str),
}

/// `product=linux,service=sshd`
impl FromStr for LogSource {
    type Err = BadLogSource;

    fn from_str(text: &str) -> Result<Self, BadLogSource> {
        let mut source = LogSource::default();
        for part in text.split(',') {
            let unknown = || BadLogSource::UnknownPart(part.to_owned());
            let (key, value) = part.trim().split_once('=').ok_or_else(unknown)?;
            let (name, known) = match key {
                "product" => ("product", &mut source.product),
                "category" => ("category", &mut source.category),
                "service" => ("service", &mut source.service),
                _ => return Err(unknown()),
            };
            if value.is_empty() {
                return Err(BadLogSource::Empty(name));
            }
            if known.replace(value.to_lowercase()).is_some() {
                return Err(BadLogSource::Twice(name));
            }
        }
        Ok(source)
    }
}

impl LogSource {
    /// Whether a rule that asks for `wanted` judges events of a source declared as `self`: what was not declared is not
    /// known, and may be what the rule asks for.
    pub fn allows(&self, wanted: &LogSource) -> bool {
        let may_be = |declared: &Option<String>, part: &Option<String>| match (declared, part) {
            (Some(declared), Some(part)) => declared == part,
            _ => true,
        };
        may_be(&self.product, &wanted.product)
            && may_be(&self.category, &wanted.category)
            && may_be(&self.service, &wanted.service)
    }

    /// Whether `self` is all that is asked for: each part that is wanted must be there and equal.
    pub fn satisfies(&self, wanted: &LogSource) -> bool {
        let has = |declared: &Option<String>, part: &Option<String>| part.is_none() || declared == part;
        has(&self.product, &wanted.product)
            && has(&self.category, &wanted.category)
            && has(&self.service, &wanted.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_constants_point_at_their_rows() {
        // Records of what was run are judged by rules on processes, too, and the others of the same log are not.
        let is_part = |dataset: &&Dataset| {
            dataset.categories == ["process_creation"] || dataset.services == ["kernel", "auditd", "syslog"]
        };
        let mut names: Vec<_> =
            DATASETS.iter().filter(|dataset| !is_part(dataset)).map(|dataset| dataset.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(Dataset::of(SSHD).name, "system.sshd");
        assert_eq!(Dataset::of(AUDITD).name, "auditd.log");
    }

    #[test]
    fn a_rule_judges_a_dataset_when_each_part_it_names_is_there() {
        let wanted = |product: &str, service: &str| LogSource {
            product: Some(product.into()),
            category: None,
            service: (!service.is_empty()).then(|| service.into()),
        };
        assert!(Dataset::of(SSHD).satisfies(&wanted("linux", "auth")));
        assert!(Dataset::of(SSHD).satisfies(&wanted("linux", "")));
        assert!(!Dataset::of(SSHD).satisfies(&wanted("linux", "cron")));
        assert!(!Dataset::of(ACCESS).satisfies(&wanted("linux", "")));
        assert!(Dataset::of(JSON).satisfies(&wanted("windows", "sysmon")));
    }

    #[test]
    fn what_is_not_declared_may_be_anything() {
        let source = |text: &str| text.parse::<LogSource>().unwrap();
        let declared = source("product=Windows");
        assert_eq!(declared.product.as_deref(), Some("windows"));
        for wanted in ["product=windows", "product=windows,category=process_creation", "service=sysmon"] {
            assert!(declared.allows(&source(wanted)), "{wanted}");
        }
        assert!(!declared.allows(&source("product=linux")) && !declared.satisfies(&source("service=sysmon")));
        assert!(!source("product=linux,service=sshd").allows(&source("product=linux,service=cron")));
        for (text, reason) in [
            ("linux", "`linux` is not product=…, category=… or service=…"),
            ("kind=x", "`kind=x` is not product=…, category=… or service=…"),
            ("product=", "`product=` names nothing: leave it out where it is not known"),
            ("product=a,product=b", "`product` is named twice"),
            ("", "`` is not product=…, category=… or service=…"),
        ] {
            assert_eq!(text.parse::<LogSource>().unwrap_err().to_string(), reason, "{text}");
        }
    }
}
