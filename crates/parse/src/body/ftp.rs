//! FTP servers: logins, transfers and refusals with the client's address. Names, commands, passwords and paths come from the
//! client and may hold the words of the message.

use super::family::{Family, Which, login, mention, note, traffic};

/// security.appspot.com/vsftpd.html: `[pid N] [NAME] WORDS: Client "ADDRESS"`. Where a name holds these words, a failure counts.
#[rustfmt::skip]
pub(super) static VSFTPD: Family = Family::new(
    &[
        login("[{user.name}] FAIL LOGIN: Client \"{source.ip}\"{?, \"{event.reason}\"?}", "ftp_login", "failure"),
        login("[{user.name}] OK LOGIN: Client \"{source.ip}\"{?, anon password \"{*}\"?}", "ftp_login", "success"),
        traffic("CONNECT: Client \"{source.ip}\"{?, \"{event.reason}\"?}", "ftp_connection", ""),
        traffic("[{user.name}] {(OK||FAIL)} {(UPLOAD||DOWNLOAD||MKDIR||RMDIR||DELETE||RENAME||CHMOD||APPEND)}: Client \"{source.ip}\", \"{*}\"{?, {*}?}", "ftp_transfer", ""),
        note("{?[{user.name}] ?}FTP {(command||response)}: Client \"{source.ip}\", \"{*}\""),
        note("{?[{user.name}] ?}DEBUG: Client \"{source.ip}\", \"{*}\""),
    ],
    &[],
);

/// Host of the server, and the client's name and address.
macro_rules! proftpd {
    () => {
        "{:host} ({:host}[{source.ip}]){( - ||: )}"
    };
}

/// www.proftpd.org/docs/howto/Logging.html
#[rustfmt::skip]
pub(super) static PROFTPD: Family = Family::new(
    &[
        login(concat!(proftpd!(), "USER {user.name}: no such user found from {:host} [{:ip}] to {:word}{_}"), "ftp_login", "failure"),
        login(concat!(proftpd!(), "USER {user.name}: no such user found{? {*}?}"), "ftp_login", "failure"),
        login(concat!(proftpd!(), "USER {user.name} (Login failed){?: {event.reason:own}?}"), "ftp_login", "failure"),
        login(concat!(proftpd!(), "USER {user.name}: {event.reason:own} denies login{?{*}?}"), "ftp_login", "failure"),
        login(concat!(proftpd!(), "USER {user.name}: {(user in ftpusers||Login denied)}{?{*}?}"), "ftp_login", "failure"),
        login(concat!(proftpd!(), "{(USER||ANON)} {user.name}: Login successful{?.?}"), "ftp_login", "success"),
        login(concat!(proftpd!(), "{(SECURITY VIOLATION||SECURITY: )}{?: ?}{event.reason:own} login attempted{?.?}"), "ftp_login", "failure"),
        login(concat!(proftpd!(), "Maximum login attempts ({:number}) exceeded{?, {*}?}"), "ftp_login", "failure"),
        login(concat!(proftpd!(), "no such user '{user.name}'"), "ftp_login", "failure"),
        login(concat!(proftpd!(), "{?PAM?}({user.name}): {(Authentication failure||User not known to the underlying authentication module)}{?.?}"), "ftp_login", "failure"),
        traffic(concat!(proftpd!(), "{(FTP session opened||SSH2 session opened||FTP session requested)}{?{*}?}"), "ftp_connection", ""),
        traffic(concat!(proftpd!(), "{(FTP session closed||SSH2 session closed||FTP login timed out||FTP no transfer timeout||FTP session idle timeout||Client session idle timeout)}{?{*}?}"), "ftp_disconnection", ""),
        traffic(concat!(proftpd!(), "{(Connection refused||connection refused||Connection from||refused connection)}{*}"), "connection_refused", "failure"),
        note(concat!(proftpd!(), "{*}")),
    ],
    &[],
);

/// pure-ftpd.org/project/pure-ftpd/doc: each message begins with `(NAME@HOST)`, where NAME is `?` before the login. It speaks the
/// language that it was built for.
#[rustfmt::skip]
pub(super) static PURE_FTPD: Family = Family::new(
    &[
        login("({*}@{source:peer}) [WARNING] {(Authentication failed for user||Authentifizierung fehlgeschlagen für Benutzer||Erreur d'authentification pour l'utilisateur||Autentificación fallida para el usuario||Autenticazione fallita per l'utente||Autenticazione falita per l'utente||Autenticação falhou para usuário||Autenticação falhou para o utilizador||Autorisatie faalde voor gebruiker||Godkendelse mislykkedes for||Godkjennelse mislyktes for||Behörighetskontroll misslyckad för användare||Autentyfikacja nieudana dla użytkownika||Autentifikace uživatele selhala||Overenie používateľa neúspešné||Autentificare eșuată pentru utilizatorul||Autentificare esuata pentru utilizatorul||Аутентификация не пройдена||Авторизация не удалась для пользователя||Ошибка аутентификации пользователя||Autentifikacija korisnika nije uspela)} [{user.name}]{?.?}", "ftp_login", "failure"),
        login("({*}@{source:peer}) [WARNING] [{user.name}] {(kullanıcısı için giriş hatalı||kullanicisi icin giris hatali||c'est un batard, il connait pas son code||felhasználó azonosítása sikertelen||認証失敗)}{?.?}", "ftp_login", "failure"),
        login("({*}@{source:peer}) [WARNING] {(Azonosítás sikertelen||Azonositas sikertelen)} [{user.name}] felhasználónak", "ftp_login", "failure"),
        login("({*}@{source:peer}) [WARNING] {(用户||使用者)} [{user.name}] {*}", "ftp_login", "failure"),
        login("({*}@{source:peer}) [INFO] {user.name} is now logged in", "ftp_login", "success"),
        traffic("({*}@{source:peer}) [INFO] New connection from {:word}", "ftp_connection", ""),
        note("({user.name}@{source:peer}) [NOTICE] {*}"),
        note("({user.name}@{source:peer}) [INFO] Logout."),
        note("({*}@{source:peer}) [{(ERROR||WARNING||INFO||DEBUG)}] {*}"),
    ],
    &[],
);

/// Servers called ftpd: WU-FTPD, those of the BSDs and of Kerberos; and FileZilla Server.
#[rustfmt::skip]
pub(super) static FTPD: Family = Family::new(
    &[
        // filezilla-project.org, 1.x
        login("{(<<||>>)} [FTP Session {:number} {source.ip} {user.name}] 530 {event.reason}", "ftp_login", "failure"),
        login("{(<<||>>)} [FTP Session {:number} {source.ip} {user.name}] 230 {*}", "ftp_login", "success"),
        login("failed login from {:host} [{source.ip}]{?, {user.name}||{_}?}", "ftp_login", "failure"),
        login("failed login from {source:peer}{?, {user.name}?}", "ftp_login", "failure"),
        login("{(repeated login failures from||REPEATED LOGIN FAILURES FROM)} {source:peer}{? ({:host})?}", "ftp_login", "failure"),
        login("{(repeated login failures from||REPEATED LOGIN FAILURES FROM)} {:host} [{source.ip}]", "ftp_login", "failure"),
        login("FTP LOGIN FAILED FROM {source:peer}, {user.name}", "ftp_login", "failure"),
        login("FTP LOGIN FAILED {?(cannot set uid) ?}FROM {:host} [{source.ip}], {user.name}", "ftp_login", "failure"),
        login("FTP LOGIN REFUSED {*} FROM {:host} [{source.ip}], {user.name}", "ftp_login", "failure"),
        login("ACCESS DENIED {*} TO {:host} [{source.ip}]{?, {user.name}?}", "ftp_login", "failure"),
        login("{?ANONYMOUS ?}FTP LOGIN FROM {:host} [{source.ip}], {user.name}", "ftp_login", "success"),
        login("{?ANONYMOUS ?}FTP LOGIN FROM {source:peer}{(, || as )}{user.name}", "ftp_login", "success"),
        traffic("connection from {:host} [{source.ip}]{? at {*}?}", "ftp_connection", ""),
        traffic("connection from {source:peer}{? at {*}?}{? to {:word}?}", "ftp_connection", ""),
        traffic("{(connection refused||refused connect)} from {source:peer}", "connection_refused", "failure"),
        login("({:number}){*} - (not logged in) ({source.ip})> 530 {*}", "ftp_login", "failure"),
        login("({:number}){*} - (not logged in) ({source.ip})> 230 {*}", "ftp_login", "success"),
        login("FTP {(Session||Server)} {:number} {source.ip} {?{:word} ?}[Response] 530 {*}", "ftp_login", "failure"),
        login("FTP {(Session||Server)} {:number} {source.ip} {?{:word} ?}[Response] 230 {*}", "ftp_login", "success"),
    ],
    &[mention(Which::Last, " FROM {:host} [{source.ip}]")],
);
