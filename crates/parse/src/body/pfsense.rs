//! Logins at the web interface of pfSense and OPNsense, what an operator changed there, and attackers that sshguard blocks. No code.

use super::family::{Family, Which, config, login, mention, traffic};

pub(super) static GUI: Family = Family::new(
    &[
        login(
            "{:word} webConfigurator authentication error for {?user ?}'{user.name}' from{?:?} {source.ip}{? ({*})?}",
            "login",
            "failure",
        ),
        login(
            "{:word} Web GUI authentication error for {?user ?}'{user.name}' from{?:?} {source.ip}",
            "login",
            "failure",
        ),
        login("{:word} Successful login for user '{user.name}' from{?:?} {source.ip}{? ({*})?}", "login", "success"),
        login("{:word} User logged out for user '{user.name}' from{?:?} {source.ip}{? ({*})?}", "logout", ""),
        login("{:word} Session timed out for user '{user.name}' from{?:?} {source.ip}{? ({*})?}", "logout", ""),
        login(
            "user {user.name} authenticated successfully for {network.protocol:word} [using {*}]",
            "login",
            "success",
        ),
        login("user {user.name} could not authenticate for {network.protocol:word} [using {*}]", "login", "failure"),
        login("user {user.name} could not authenticate. [using {*}]", "login", "failure"),
        login(
            "user {user.name} failed authentication for {network.protocol:word} on {:word} [using {*}]",
            "login",
            "failure",
        ),
        config(
            "'{user.name}@{source.ip}' changed configuration to {file.path:word} in {*}",
            "configuration-changed",
            "success",
        ),
        config(
            "user {user.name}@{source.ip} changed configuration to {file.path:word} in {*}",
            "configuration-changed",
            "success",
        ),
        config("{:word} Configuration Change: {user.name:name}@{source.ip} {*}", "configuration-changed", "success"),
    ],
    &[],
);

pub(super) static SSHGUARD: Family = Family::new(
    &[
        traffic("Attack from \"{source.ip}\" on service {network.protocol} with danger {:number}.", "attack", ""),
        traffic("Blocking \"{source.ip}/{:number}\" {*}", "blocked", ""),
        traffic("Blocking \"{source.ip}\" {*}", "blocked", ""),
        traffic("Blocking {source.ip}:{:number} for >{:number}secs: {*}", "blocked", ""),
        traffic("{source.ip}: unblocking after {:number} secs", "unblocked", ""),
        traffic("{source.ip}: should already have been blocked", "attack", ""),
    ],
    &[mention(Which::First, "Attack from \"{source.ip}\"")],
);
