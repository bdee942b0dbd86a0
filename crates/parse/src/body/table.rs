//! The table of programs whose messages are read: names, kind of log, reader, an example, and where it is described. Program
//! names are compared without regard to case; each belongs to one row. No code. (flat table)

use event::dataset;

use super::row::{Body, Reads, body};
use super::{
    accounts, cron, database, directory, dns, dovecot, dropbear, exim, ftp, host, mailbox, postfix, privilege,
    requests, selfhosted, sendmail, session, snoopy, sshd, su, sudo, voip, vpn, web, webapp, webmail,
};
use crate::host::packages;

/// What is read of the programs of a host.
#[rustfmt::skip]
pub(super) static BODIES: &[Body] = &[
    body(&["sshd", "sshd-session", "sshd-auth", "ssh", "sshd2"], dataset::SSHD, Reads::By(sshd::put))
        .example("Failed password for invalid user ann from 203.0.113.7 port 4000 ssh2", "man.openbsd.org/sshd"),
    body(&["dropbear"], dataset::SSHD, Reads::By(dropbear::put))
        .example("Bad password attempt for 'root' from 203.0.113.7:4000", "matt.ucc.asn.au/dropbear/dropbear.html"),
    body(&["sudo", "sudo-rs"], dataset::SUDO, Reads::By(sudo::put))
        .example("ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id", "www.sudo.ws/docs/man/sudoers.man"),
    body(&["su", "su-l"], dataset::SU, Reads::By(su::put))
        .example("(to root) ann on pts/0", "man7.org/linux/man-pages/man1/su.1.html"),
    body(&["cron", "crond", "anacron", "crontab", "atd"], dataset::CRON, Reads::By(cron::put))
        .example("(root) CMD (/usr/local/bin/backup)", "man7.org/linux/man-pages/man8/cron.8.html"),
    body(accounts::PROGRAMS, dataset::ACCOUNTS, Reads::By(accounts::put))
        .example("new user: name=ann, UID=1001, GID=1001, home=/home/ann, shell=/bin/bash", "man7.org/linux/man-pages/man8/useradd.8.html"),
    body(&["kernel", "ulogd"], dataset::KERNEL, Reads::Kernel)
        .example("[123.4] DROP IN=eth0 OUT= SRC=203.0.113.7 DST=198.51.100.4 PROTO=TCP SPT=4000 DPT=22 SYN", "man7.org/linux/man-pages/man8/iptables-extensions.8.html"),
    body(&["tinysshd"], dataset::SSHD, Reads::Table(&dropbear::TINYSSHD))
        .example("a1b2c3d4: info: auth: ann: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 accepted {packet_auth.c:97}", "tinyssh.org"),
    body(&["sftp-server", "internal-sftp"], dataset::SSHD, Reads::Table(&session::SFTP))
        .example("session opened for local user ann from [203.0.113.7]", "man.openbsd.org/sftp-server"),
    body(&["doas", "opendoas"], dataset::SUDO, Reads::Table(&privilege::DOAS))
        .example("ann ran command id as root from /home/ann", "man.openbsd.org/doas"),
    body(&["polkitd", "polkit-agent-helper-1", "pkexec"], dataset::PAM, Reads::Table(&privilege::POLKIT))
        .example("Operator of unix-session:1 FAILED to authenticate to gain authorization for action org.example.run for unix-process:99:7 [bash] (owned by unix-user:ann)", "polkit.pages.freedesktop.org/polkit"),
    body(&["systemd-logind"], dataset::PAM, Reads::Table(&session::LOGIND))
        .example("New session 5 of user ann.", "freedesktop.org/software/systemd/man/latest/systemd-logind.service.html"),
    body(&["systemd"], dataset::SYSLOG, Reads::Table(&session::SYSTEMD))
        .example("shop.service: Failed with result 'exit-code'.", "freedesktop.org/software/systemd/man/latest/systemd.html"),
    body(&["screensharingd"], dataset::SERVICE, Reads::Table(&session::SCREEN_SHARING)).with_own_file()
        .example("Authentication: FAILED :: User Name: ann :: Viewer Address: 203.0.113.7 :: Type: DH", "support.apple.com/guide/mac-help"),
    body(&["xrdp", "xrdp-sesman", "xrdp-chansrv"], dataset::PAM, Reads::Table(&session::XRDP)).with_own_file()
        .example("[INFO ] AUTHFAIL: user=ann ip=203.0.113.7 time=1772618401", "github.com/neutrinolabs/xrdp"),
    body(&["rshd", "in.rshd", "rlogind", "in.rlogind", "rexecd", "in.rexecd"], dataset::PAM, Reads::Table(&session::REMOTE_SHELL))
        .example("ann@host.example as root: permission denied (Permission denied.). cmd='id'", "man.freebsd.org/cgi/man.cgi?rshd"),
    body(&["xinetd", "inetd", "tcpd", "telnetd", "in.telnetd", "fingerd", "in.fingerd", "in.tftpd", "tftpd"], dataset::SYSLOG, Reads::Table(&session::INETD))
        .example("FAIL: telnet address from=203.0.113.7", "man7.org/linux/man-pages/man8/tcpd.8.html"),
    body(&["setroubleshoot"], dataset::SYSLOG, Reads::Table(&privilege::SELINUX))
        .example("SELinux is preventing /usr/sbin/httpd from read access on the file key.pem. For complete SELinux messages run: sealert -l 1", "github.com/fedora-selinux/setroubleshoot"),
    body(&["login", "gdm-password", "unix_chkpwd", "authorizationhost"], dataset::PAM, Reads::By(session::put_login))
        .example("pam_unix(login:session): session opened for user ann(uid=1001) by LOGIN(uid=0)", "man7.org/linux/man-pages/man8/pam_unix.8.html"),
    body(&["vsftpd"], dataset::VSFTPD, Reads::Table(&ftp::VSFTPD)).with_plain_file()
        .example(r#"[ann] FAIL LOGIN: Client "203.0.113.7""#, "security.appspot.com/vsftpd.html"),
    body(&["proftpd"], dataset::FTP, Reads::Table(&ftp::PROFTPD)).with_plain_file()
        .example("ftp.example (203.0.113.7[203.0.113.7]) - USER ann (Login failed): Incorrect password", "www.proftpd.org/docs/howto/Logging.html"),
    body(&["pure-ftpd"], dataset::FTP, Reads::Table(&ftp::PURE_FTPD)).with_own_file()
        .example("(?@203.0.113.7) [WARNING] Authentication failed for user [ann]", "www.pureftpd.org/project/pure-ftpd/doc"),
    body(&["ftpd", "in.ftpd", "wu-ftpd", "wuftpd", "gssftpd", "tnftpd", "ftpd-ssl", "filezilla-server"], dataset::FTP, Reads::Table(&ftp::FTPD)).with_own_file()
        .example("failed login from mx.example [203.0.113.7]", "man.freebsd.org/cgi/man.cgi?query=ftpd"),
    body(&["smtpd", "postscreen", "cleanup", "anvil", "dnsblog", "qmgr", "pickup", "bounce", "tlsproxy", "trivial-rewrite", "postgrey", "policyd", "policyd-spf", "postfix", "submission", "smtps"], dataset::MAIL, Reads::Table(&postfix::POSTFIX)).with_plain_file()
        .example("warning: unknown[203.0.113.7]: SASL LOGIN authentication failed: authentication failure", "www.postfix.org/postconf.5.html"),
    body(&["dovecot", "dovecot-auth"], dataset::MAIL, Reads::Table(&dovecot::DOVECOT)).with_own_file()
        .example("imap-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<ann>, method=PLAIN, rip=203.0.113.7, lip=198.51.100.4", "doc.dovecot.org/main/core/admin/logging.html"),
    body(&["exim", "exim4"], dataset::MAIL, Reads::Table(&exim::EXIM)).with_own_file()
        .example("login authenticator failed for (host) [203.0.113.7]: 535 Incorrect authentication data (set_id=ann)", "www.exim.org/exim-html-current/doc/html/spec_html/ch-log_files.html"),
    body(&["saslauthd"], dataset::MAIL, Reads::Table(&mailbox::SASLAUTHD)).with_own_file()
        .example("do_auth         : auth failure: [user=ann] [service=smtp] [realm=] [mech=pam] [reason=PAM auth error]", "www.cyrusimap.org/sasl"),
    body(&["imapd", "pop3d", "imapd-ssl", "pop3d-ssl", "imaplogin", "pop3login", "courierpop3login", "courierimaplogin", "courierpop3d", "courierimapd", "imap", "imaps", "pop3", "pop3s", "ipop3d", "ipop2d", "timsieved", "sieve", "nntpd", "lmtpunix", "cyrus", "solid-pop3d", "spop3d", "perdition", "perdition.imap4", "perdition.imap4s", "perdition.imaps", "perdition.imap", "perdition.pop3", "perdition.pop3s"], dataset::MAIL, Reads::Table(&mailbox::MAILBOX)).with_own_file()
        .example("LOGIN FAILED, user=ann, ip=[::ffff:203.0.113.7]", "www.courier-mta.org/imap"),
    body(&["courieresmtpd", "esmtpd", "courierd", "courier"], dataset::MAIL, Reads::Table(&mailbox::COURIER)).with_own_file()
        .example(r#"error,relay=::ffff:203.0.113.7,port=50000,msg="535 Authentication failed.",cmd: AUTH LOGIN"#, "www.courier-mta.org"),
    body(&["vpopmail", "vchkpw", "vchkpw-smtp", "vchkpw-pop3", "qmail", "qmail-smtpd", "rblsmtpd", "tcpserver"], dataset::MAIL, Reads::Table(&mailbox::QMAIL)).with_plain_file()
        .example("vchkpw-smtp: password fail (pass: 'x') ann@example.org:203.0.113.7", "www.inter7.com/vpopmail"),
    body(&["sendmail", "sm-mta", "sm-msp-queue", "sm-acceptingconnections", "mimedefang"], dataset::MAIL, Reads::Table(&sendmail::SENDMAIL)).with_plain_file()
        .example("4A1B2C: mx.example [203.0.113.7]: possible SMTP attack: command=AUTH, count=5", "www.sendmail.org/~ca/email/doc8.12/op.html"),
    body(&["amavis", "amavisd", "amavisd-new", "spamd", "opendkim", "opendmarc"], dataset::MAIL, Reads::Table(&postfix::FILTERS)).with_own_file()
        .example("(12345-01) Blocked SPAM {DiscardedInbound}, [203.0.113.7]:4000 [203.0.113.7] <a@x.example> -> <ann@example.org>, Hits: 12.3", "amavis.org"),
    body(&["mysqld", "mariadbd", "mysql", "mariadb", "mysqld_safe"], dataset::DATABASE, Reads::Table(&database::MYSQL)).with_own_file()
        .example("[Warning] Access denied for user 'ann'@'203.0.113.7' (using password: YES)", "dev.mysql.com/doc/refman/8.4/en/error-log.html"),
    body(&["postgres", "postgresql"], dataset::DATABASE, Reads::Table(&database::POSTGRES)).with_own_file()
        .example(r#"ann@shop 203.0.113.7(4000) FATAL:  password authentication failed for user "ann""#, "www.postgresql.org/docs/current/runtime-config-logging.html"),
    body(&["mongod", "mongos", "mongodb"], dataset::DATABASE, Reads::Table(&database::MONGODB)).with_own_file()
        .example("Failed to authenticate ann@admin from client 203.0.113.7:4000 with mechanism SCRAM-SHA-1: AuthenticationFailed", "www.mongodb.com/docs/manual/reference/log-messages"),
    body(&["sqlservr", "mssql", "mssql-server"], dataset::DATABASE, Reads::Table(&database::SQL_SERVER)).with_own_file()
        .example("Logon       Login failed for user 'sa'. Reason: Password did not match that for the login provided. [CLIENT: 203.0.113.7]", "learn.microsoft.com/sql/relational-databases/logs"),
    body(&["redis-server", "redis", "couchdb", "tnslsnr"], dataset::DATABASE, Reads::Table(&database::STORES)).with_own_file()
        .example("Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. Connection from 203.0.113.7:4000 aborted.", "redis.io/docs"),
    body(&["named"], dataset::DNS, Reads::Table(&dns::NAMED)).with_own_file()
        .example("client 203.0.113.7#4000 (www.example): query: www.example IN A + (198.51.100.4)", "bind9.readthedocs.io"),
    body(&["unbound"], dataset::DNS, Reads::Table(&dns::UNBOUND)).with_own_file()
        .example("[99:0] info: 203.0.113.7 www.example. A IN", "unbound.docs.nlnetlabs.nl"),
    body(&["dnsmasq", "pihole-ftl"], dataset::DNS, Reads::Table(&dns::DNSMASQ)).with_own_file()
        .example("query[A] www.example from 203.0.113.7", "thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html"),
    body(&["nsd", "pdns", "pdns_server", "pdns_recursor", "knotd", "coredns"], dataset::DNS, Reads::Table(&dns::AUTHORITATIVE)).with_own_file()
        .example("info: axfr for zone example. from client 203.0.113.7 refused, no acl matches.", "nsd.docs.nlnetlabs.nl"),
    body(&["fail2ban.actions", "fail2ban", "fail2ban-server", "fail2ban.filter", "fail2ban.observer"], dataset::FAIL2BAN, Reads::Table(&host::FAIL2BAN)).with_own_file()
        .example("NOTICE  [sshd] Ban 203.0.113.7", "github.com/fail2ban/fail2ban"),
    body(&["asterisk"], dataset::VOIP, Reads::Table(&voip::ASTERISK)).with_own_file()
        .example(r#"Registration from '"100" <sip:100@198.51.100.4>' failed for '203.0.113.7:5060' - Wrong password"#, "docs.asterisk.org"),
    body(&["freeswitch"], dataset::VOIP, Reads::Table(&voip::FREESWITCH)).with_own_file()
        .example("SIP auth failure (REGISTER) on sofia profile 'internal' for [100@198.51.100.4] from ip 203.0.113.7", "developer.signalwire.com/freeswitch"),
    body(&["murmurd", "murmur", "mumble-server", "ts3server", "teamspeak"], dataset::VOIP, Reads::Table(&voip::VOICE)).with_own_file()
        .example("1 => <5:ann(-1)> Rejected connection from 203.0.113.7:4000: Wrong certificate or password for existing user", "www.mumble.info"),
    body(&["openvpn", "ovpn-server", "ovpn", "openvpn-server", "openvpn-client"], dataset::VPN, Reads::Table(&vpn::OPENVPN)).with_own_file()
        .example("203.0.113.7:4000 TLS Auth Error: Auth Username/Password verification failed for peer", "openvpn.net/community-resources"),
    body(&["wireguard", "wireguard-go"], dataset::VPN, Reads::Table(&vpn::WIREGUARD)).with_own_file()
        .example("wireguard: wg0: Invalid handshake initiation from 203.0.113.7:4000", "www.wireguard.com"),
    body(&["charon", "charon-systemd", "ipsec", "pluto", "strongswan", "swanctl", "racoon", "iked"], dataset::VPN, Reads::Table(&vpn::IPSEC)).with_own_file()
        .example("05[IKE] no IKE config found for 198.51.100.4...203.0.113.7, sending NO_PROPOSAL_CHOSEN", "docs.strongswan.org"),
    body(&["ocserv", "pptpd", "xl2tpd", "pppd", "accel-pppd"], dataset::VPN, Reads::Table(&vpn::TUNNELS)).with_own_file()
        .example("main[ann]:203.0.113.7:4000 failed authentication attempt for user 'ann'", "ocserv.openconnect-vpn.net"),
    body(&["vpnserver", "softether"], dataset::VPN, Reads::Table(&vpn::SOFTETHER)).with_own_file()
        .example(r#"Connection "CID-72": User authentication failed. The user name that has been provided was "ann", from 203.0.113.7."#, "www.softether.org"),
    body(&["stunnel", "stunnel4"], dataset::VPN, Reads::Table(&vpn::STUNNEL)).with_own_file()
        .example("LOG5[7]: Service [imaps] accepted connection from 203.0.113.7:4000", "www.stunnel.org"),
    body(&["slapd", "ns-slapd"], dataset::DIRECTORY, Reads::Table(&directory::LDAP)).with_own_file()
        .example("conn=1001 fd=12 ACCEPT from IP=203.0.113.7:4000 (IP=0.0.0.0:389)", "www.openldap.org/doc"),
    body(&["krb5kdc", "kadmind", "kdc"], dataset::DIRECTORY, Reads::Table(&directory::KERBEROS)).with_own_file()
        .example("AS_REQ (8 etypes {18 17}) 203.0.113.7: CLIENT_NOT_FOUND: ann@X.EXAMPLE for krbtgt/X.EXAMPLE@X.EXAMPLE, Client not found in Kerberos database", "web.mit.edu/kerberos"),
    body(&["smbd", "nmbd", "winbindd", "samba", "smbd_audit"], dataset::DIRECTORY, Reads::Table(&directory::SAMBA)).with_own_file()
        .example(r"Auth: [SMB2,(null)] user [X]\[ann] at [Wed, 04 Mar 2026 10:00:01.1 UTC] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [PC] remote host [ipv4:203.0.113.7:4000] mapped to [X]\[ann]. local host [ipv4:198.51.100.4:445]", "wiki.samba.org"),
    body(&["radiusd", "freeradius", "tac_plus"], dataset::DIRECTORY, Reads::Table(&directory::RADIUS)).with_own_file()
        .example("(5) Login incorrect (pap: wrong): [ann/<via Auth-Type = PAP>] (from client gate port 0)", "wiki.freeradius.org"),
    body(&["roundcube", "sogod", "horde", "squirrelmail", "zimbramon", "openwebmail", "mailu", "rainloop", "snappymail"], dataset::MAIL, Reads::Table(&webmail::WEBMAIL)).with_own_file()
        .example("IMAP Error: Login failed for ann from 203.0.113.7. AUTHENTICATE PLAIN: Authentication failed.", "github.com/roundcube/roundcubemail/wiki"),
    body(&["domino", "assp", "kerio", "oracleims"], dataset::MAIL, Reads::Table(&webmail::SERVERS)).with_own_file()
        .example("SMTP Server: Authentication failed for user ann ; connecting host 203.0.113.7", "help.hcltechsw.com/domino"),
    body(&["wordpress", "wp", "drupal", "phpmyadmin", "moodle", "suhosin", "froxlor", "tine20", "groupoffice", "centreon", "cacti", "monitorix", "zoneminder"], dataset::WEBAPP, Reads::Table(&webapp::CMS)).with_own_file()
        .example("Authentication failure for ann from 203.0.113.7", "wordpress.org/plugins/wp-fail2ban"),
    body(&["gitlab", "gitea", "forgejo", "gogs", "vaultwarden", "bitwarden", "bitwarden-identity", "pvedaemon", "pveproxy", "pmgdaemon", "proxmox-backup-proxy", "proxmox-backup-api", "home-assistant", "hass", "keycloak", "sonarqube", "jira", "confluence", "artifactory", "gerrit", "redmine", "ispconfig", "plesk", "sw-cp-server", "cpanel", "webmin", "usermin", "directadmin", "litespeed", "qnap"], dataset::WEBAPP, Reads::Table(&webapp::TOOLS)).with_own_file()
        .example("Failed authentication attempt for ann from 203.0.113.7:4000: user does not exist", "docs.gitea.com"),
    body(&["gin"], dataset::ACCESS, Reads::Table(&webapp::GIN)).with_own_file()
        .example(r#"[GIN] 2026/03/04 - 10:00:01 | 401 |     505.3µs |     203.0.113.7 | POST     "/client""#, "gin-gonic.com"),
    body(&["jellyfin", "emby", "sonarr", "radarr", "prowlarr", "lidarr", "readarr", "audiobookshelf", "calibre-web", "immich", "ombi", "mealie", "uptime-kuma", "paperless-ngx", "filebrowser", "code-server", "overseerr", "jellyseerr", "pterodactyl", "wings", "qbittorrent", "sabnzbd", "domoticz", "syncthing", "adguardhome", "tautulli", "znc", "ejabberd", "prosody", "minecraft", "hlds", "srcds"], dataset::WEBAPP, Reads::Table(&webapp::HOME)).with_own_file()
        .example(r#"Authentication request for "ann" has been denied (IP: "203.0.113.7")."#, "jellyfin.org/docs"),
    body(&["monit", "nrpe", "nsca", "portsentry", "scanlogd", "lfd", "xvnc", "rsyncd", "rsync", "mountd", "rpc.mountd", "snmpd", "mosquitto", "rabbitmq", "rabbitmq-server", "3proxy", "danted", "sockd", "tinyproxy", "endlessh", "cowrie"], dataset::SERVICE, Reads::Table(&host::SERVICES)).with_own_file()
        .example("Host 203.0.113.7 is not allowed to talk to us!", "www.nagios.org"),
    body(&["clamd", "freshclam", "clamav"], dataset::CLAMAV, Reads::Table(&host::CLAMAV))
        .example("/srv/upload/a.exe: Win.Test.EICAR_HDB-1 FOUND", "docs.clamav.net"),
    body(&["audit", "auditd", "audispd", "audisp-syslog"], dataset::AUDITD, Reads::Audit)
        .example(r#"type=USER_LOGIN msg=audit(1772618401.120:42): pid=99 uid=0 auid=1000 ses=3 msg='op=login acct="ann" addr=203.0.113.7 res=failed'"#, "github.com/linux-audit/audit-documentation"),
    body(&["guacamole", "guacd"], dataset::GUACAMOLE, Reads::Table(&webapp::GUACAMOLE)).with_own_file()
        .example(r#"Authentication attempt from 203.0.113.7 for user "ann" failed."#, "guacamole.apache.org/doc/gug"),
    body(&["nginx", "apache", "apache2", "httpd", "caddy", "apache_error", "apache_access", "lighttpd", "haproxy"], dataset::SYSLOG, Reads::Line(web::put))
        .example(r#"203.0.113.7 - - [04/Mar/2026:10:00:01 +0000] "GET / HTTP/1.1" 200 812"#, "nginx.org/en/docs/syslog.html"),
    body(&["rails", "puma", "unicorn", "uvicorn", "hypercorn", "werkzeug", "flask", "tornado", "jupyterhub", "jupyter", "chi", "synapse", "zoraxy", "plex", "thehive", "romm", "mastodon", "discourse"], dataset::ACCESS, Reads::Table(&requests::FRAMEWORKS)).with_own_file()
        .example(r#"203.0.113.7:40112 - "POST /api/auth/login HTTP/1.1" 401 Unauthorized"#, "www.uvicorn.org"),
    body(&["authelia", "sftpgo", "nextcloud", "owncloud", "odoo", "technitium", "hestia", "hestiacp", "joomla", "seafile", "seahub", "supavisor", "llng", "lemonldap-ng", "sshesame", "nats-server", "icinga2", "xray", "v2ray", "emqx", "clickhouse-server", "neo4j", "vikunja", "crowdsec", "mailcow-netfilter", "netfilter-mailcow"], dataset::WEBAPP, Reads::Table(&selfhosted::APPS)).with_own_file()
        .example("Login failed for db:shop login:ann from 203.0.113.7", "www.odoo.com"),
    body(&["stalwart", "stalwart-mail", "axigen", "rspamd", "mailscanner"], dataset::MAIL, Reads::Table(&selfhosted::MAIL)).with_own_file()
        .example(r#"Authentication failed (auth.failed) listenerId = "imaptls", localPort = 993, remoteIp = 203.0.113.7, remotePort = 40112, accountName = "ann", id = "1""#, "stalw.art/docs"),
    body(&["server_audit", "mysql-server_auditing"], dataset::DATABASE, Reads::Table(&selfhosted::DATABASE_AUDIT)).with_own_file()
        .example("20260304 10:00:01,db1,ann,203.0.113.7,5,0,FAILED_CONNECT,,,1045", "mariadb.com/docs/server/reference/plugins/mariadb-audit-plugin"),
    body(&["kamailio", "opensips", "kamctl"], dataset::VOIP, Reads::Table(&selfhosted::SIP_PROXIES))
        .example("ALERT: pike [pike_funcs.c:99]: pike_check_req(): PIKE - BLOCKing ip 203.0.113.7, node=0x7f01", "www.kamailio.org/docs"),
    body(&["pfirewall"], dataset::WINDOWS_FIREWALL, Reads::Flows(&selfhosted::PFIREWALL)).with_own_file()
        .example("DROP TCP 203.0.113.7 198.51.100.4 40112 22 52 S 1 0 64240 - - - RECEIVE", "learn.microsoft.com/windows/security/operating-system-security/network-security/windows-firewall/configure-logging"),
    body(&["sslh", "sslh-fork", "sslh-ev", "sslh-select"], dataset::SERVICE, Reads::Table(&selfhosted::SSLH))
        .example("ssh:connection from 203.0.113.7:40112 to 198.51.100.4:443 forwarded from 127.0.0.1:51000 to 127.0.0.1:22", "www.rutschle.net/tech/sslh"),
    body(&["turnserver", "coturn"], dataset::VOIP, Reads::Table(&selfhosted::RELAYS)).with_own_file()
        .example("session 001000000000000001: closed (2nd stage), user <ann> realm <turn.example> origin <>, local 198.51.100.4:3478, remote 203.0.113.7:40112, reason: allocation timeout", "github.com/coturn/coturn"),
    body(&["kea-dhcp4", "kea-dhcp6", "kea-ctrl-agent"], dataset::DHCP, Reads::Table(&selfhosted::KEA)).with_own_file()
        .example("INFO  DHCP4_LEASE_ALLOC [hwtype=1 02:00:00:00:00:07], cid=[no info], tid=0x1: lease 198.51.100.7 has been allocated for 3600 seconds", "kea.readthedocs.io"),
    body(&["coraza", "http.handlers.waf", "http.handlers.coraza"], dataset::HTTP_ERROR, Reads::Line(web::put_finding))
        .example(r#"[client "203.0.113.7"] Coraza: Access denied (phase 2). Path Traversal Attack (/../) [id "930110"] [msg "Path Traversal Attack (/../)"] [uri "/view"] [unique_id "u1"]"#, "coraza.io/docs"),
    body(&["snoopy"], dataset::SYSLOG, Reads::By(snoopy::put))
        .example("[uid:0 sid:1 tty:(none) cwd:/ filename:/usr/bin/id]: id -u", "github.com/a2o/snoopy"),
    body(&["pkg", "pkg-static"], dataset::PACKAGES, Reads::By(packages::put_pkg))
        .example("nginx-1.24.0,3 installed", "man.freebsd.org/pkg"),
    body(&["yum", "dnf"], dataset::PACKAGES, Reads::By(packages::put_rpm))
        .example("Installed: nginx-1:1.20.1-10.el7.x86_64", "man7.org/linux/man-pages/man8/yum.8.html"),
    body(&["installd", "installer", "softwareupdated"], dataset::PACKAGES, Reads::By(packages::put_macos))
        .example(r#"PackageKit: Installed "Safari" (26.0)"#, "support.apple.com/guide/console"),
];
