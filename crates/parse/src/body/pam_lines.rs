//! What PAM modules say, behind the module's name: `pam_unix`, `pam_sss`, `pam_krb5`, `pam_winbind`, `pam_google_authenticator`
//! and others. Names may be what a client wrote. (flat table)

use super::family::{Family, login};

#[rustfmt::skip]
pub(super) static LINES: Family = Family::new(&[
    login("requirement \"{event.reason}\" not met by user \"{user.name}\"", "pam_requirement", ""),
    login("requirement \"{event.reason}\" was met by user \"{user.name}\"", "pam_requirement", ""),
    login("auth could not identify password for [{user.name}]", "pam_authentication_stopped", ""),
    login("bad username [{user.name}]", "pam_unknown_user", "failure"),
    login("expired password for user {user.name} ({event.reason})", "password_expired", ""),
    login("password for user {user.name} will expire in {:number} days", "password_expiring", ""),
    login("Access denied for user {user.name}: {:number} ({event.reason})", "pam_account", "failure"),
    login("Authentication failure; user={user.name}", "pam_authentication", "failure"),
    login("Authorisation failed; user={user.name}", "pam_account", "failure"),
    login("error trying to bind as user \"{*}\" (Invalid credentials)", "pam_authentication", "failure"),
    login("user {user.name} authenticated as {:word}", "pam_authentication", "success"),
    login("authentication succeeds for '{user.name}' ({*})", "pam_authentication", "success"),
    login("authentication fails for '{user.name}' ({*}): {event.reason}", "pam_authentication", "failure"),
    login("user {('||`)}{user.name}' granted access", "pam_authentication", "success"),
    login("user {('||`)}{user.name}' denied access{? ({event.reason})?}", "pam_authentication", "failure"),
    login("request wbcLogonUser failed: WBC_ERR_AUTH_ERROR, {event.reason}", "pam_authentication", "failure"),
    login("request failed: {(Wrong Password||Logon failure||No such user)}, {event.reason}", "pam_authentication", "failure"),
    login("Invalid verification code for {user.name}", "pam_verification_code", "failure"),
    login("Invalid verification code", "pam_verification_code", "failure"),
    login("Accepted google_authenticator for {user.name}", "pam_verification_code", "success"),
    login("Too many concurrent login attempts{*}", "pam_verification_code", "failure"),
    login("Successful Duo login for '{user.name}' from {source.ip}", "pam_second_factor", "success"),
    login("{(Failed||Aborted)} Duo login for '{user.name}'{? from {source.ip}?}", "pam_second_factor", "failure"),
    login("Skipped Duo login for '{user.name}' from {source.ip}: {event.reason}", "pam_second_factor", ""),
    login("Refused user {user.name} for service {service.name:word}", "pam_account", "failure"),
    login("denied {?access ?}to {source.user.name}@{source} as {user.name:word}{?: {event.reason}?}", "pam_authentication", "failure"),
    login("allowed {?access ?}to {source.user.name}@{source} as {user.name:word}", "pam_authentication", "success"),
    login("Access denied {(for||to)} '{user.name:word}' {(for||to)} '{user.effective.name}'", "su", "failure"),
    login("Access granted {(for||to)} '{user.name:word}' {(for||to)} '{user.effective.name}'", "su", "success"),
    login("Too many logins (max {:number}) for {user.name}", "pam_account", "failure"),
    login("access denied: tty '{:word}' is not secure !", "pam_account", "failure"),
    login("Authenticated: `{user.name}' as `{user.effective.name:word}' using {*}", "pam_authentication", "success"),
    login("Blocking access from {source.ip} to service {service.name:word}, user {user.name}", "pam_account", "failure"),
    login("password check failed for user ({user.name})", "pam_password_check", "failure"),
    login("authentication failure; {?{:word}?}(uid={:number}) -> {user.name} for {service.name:word} service", "pam_authentication", "failure"),
    login("{log.syslog.repeated} {?more ?}authentication failure{?s?}; {?{:word}?}(uid={:number}) -> {user.name} for {service.name:word} service", "pam_authentication", "failure"),
], &[]);
