//! Web applications: content management, code hosting, password stores, trackers and panels that say who tried to log in. Names,
//! URLs, user agents and lists of forwarded addresses come from the client.

use super::family::{Family, login, note, traffic};

/// Content management and shops.
#[rustfmt::skip]
pub(super) static CMS: Family = Family::new(
    &[
        // wordpress.org/plugins/wp-fail2ban
        login("{?XML-RPC ||REST ?}{(Authentication failure for||authentication failure for||Authentication attempt for unknown user||authentication attempt for unknown user||Blocked authentication attempt for||Empty username for)} {user.name} from {source.ip}", "web_login", "failure").by("wordpress"),
        login("{?XML-RPC ||REST ?}{(XML-RPC multicall authentication failure||multicall authentication failure||Blocked access||Blocked authentication attempt)} from {source.ip}", "web_login", "failure").by("wordpress"),
        login("Accepted password for {user.name} from {source.ip}", "web_login", "success").by("wordpress"),
        traffic("{(Blocked user enumeration attempt||Pingback error {:number} generated||Untrusted X-Forwarded-For header||Spam comment {:number}||Comment attempt on {:own}||Spammed comment)} from {source.ip}", "web_request", "failure").by("wordpress"),
        traffic("Pingback requested from {source.ip}", "web_request", "").by("wordpress"),
        // www.drupal.org/docs: Syslog
        login("{:own}|{:number}|user|{source.ip}|{*}|{(Login attempt failed for||Login attempt failed from)} {user.name}.", "web_login", "failure").by("drupal"),
        login("{:own}|{:number}|user|{source.ip}|{*}|Session opened for {user.name}.", "web_login", "success").by("drupal"),
        note("{:own}|{:number}|{:host}|{source.ip}|{:word}|{*}|{:number}|{*}").by("drupal"),
        // docs.moodle.org
        login("[client {source.ip}]{_}{:word}{_}{(Failed Login||Invalid Login||Unknown Login||Disabled Login)}:{*}", "web_login", "failure").by("moodle"),
        // www.phpmyadmin.net
        login("user denied: {user.name} ({:host}) from {source.ip}", "database_login", "failure").by("phpmyadmin"),
        login("user authenticated: {user.name} from {source.ip}", "database_login", "success").by("phpmyadmin"),
        // suhosin.org
        traffic("ALERT - {event.reason} (attacker '{source.ip}'{?, file '{*}'?}{?, line {:number}?})", "web_request", "failure").by("suhosin"),
        // zoneminder.com
        login("[{source.ip}] [Login denied for user \"{user.name}\"]{?{*}?}", "web_login", "failure").by("zoneminder"),
        // www.group-office.com, tine20, froxlor.org, www.centreon.com, cacti.net
        login("LOGIN FAILED for user: \"{user.name}\" from IP: {source.ip}", "web_login", "failure").by("groupoffice"),
        login("LOGIN SUCCESS for user: \"{user.name}\" from IP: {source.ip}", "web_login", "success").by("groupoffice"),
        login("{?{:word} ?}Login with username {user.name} from {source.ip} failed ({:word})!", "web_login", "failure").by("tine20"),
        login("[Login Action {source.ip}] {(Unknown user||User)} '{user.name}' tried to login{? with wrong password?}.", "web_login", "failure").by("froxlor"),
        login("{?froxlor.WARNING: ?}{(User tried to login with wrong password.||Unknown user tried to login.)} {\"source\":\"login\",\"action\":\"{:word}\",\"user\":\"{source.ip}\"}{*}", "web_login", "failure").by("froxlor"),
        login("[{source.ip}] Authentication failed for '{user.name}'{?{*}?}", "web_login", "failure").by("centreon"),
        login("AUTH LOGIN FAILED: {:own} for user '{user.name}' from IP Address '{source.ip}'.", "web_login", "failure").by("cacti"),
        // www.monitorix.org
        traffic("{(NOTEXIST||AUTHERR||NOTALLOWED)} - [{source.ip}] {event.reason}", "web_request", "failure").by("monitorix"),
    ],
    &[],
);

/// Code hosting, trackers, identity providers and password stores.
#[rustfmt::skip]
pub(super) static TOOLS: Family = Family::new(
    &[
        // docs.gitlab.com/ee/administration/logs
        login("Failed Login: username={user.name} ip={source.ip}", "web_login", "failure").by("gitlab"),
        login("Successful Login: username={user.name} ip={source.ip} method={:own}", "web_login", "success").by("gitlab"),
        // docs.gitea.com, forgejo.org, gogs.io
        login("Failed authentication attempt for {user.name} from {?[?}{source.ip}{?]?}{?:{source.port}?}{?: {*}?}", "web_login", "failure").by("gitea"),
        login("Failed authentication attempt from {?[?}{source.ip}{?]?}{?:{source.port}?}{?: {*}?}", "web_login", "failure").by("gitea"),
        // github.com/dani-garcia/vaultwarden/wiki, bitwarden.com/help
        login("Username or password is incorrect. Try again. IP: {source.ip}. Username: {user.name}.", "web_login", "failure").by("vaultwarden"),
        login("{(Invalid admin token||Invalid TOTP code! Server time: {:own}||Invalid Two-factor code. Server time: {:own}||2FA token not provided||Token is invalid||Invalid 2FA)}{?.||!||,?} IP: {source.ip}{?.{?{*}?}?}", "web_login", "failure").by("vaultwarden"),
        login("Failed login attempt{?, 2FA invalid?}. {source.ip}", "web_login", "failure").by("bitwarden"),
        // pve.proxmox.com, pbs.proxmox.com
        login("authentication failure; rhost={?[?}{source.ip}{?]:{source.port}?} user={user.name} msg={event.reason:own}", "web_login", "failure").by("pvedaemon"),
        login("successful auth for user '{user.name}'", "web_login", "success").by("pvedaemon"),
        // www.home-assistant.io/integrations/http
        login("Login attempt or request with invalid authentication from {({source.ip}||{:host} ({source.ip}))}{?.{*}?}", "web_login", "failure").by("home-assistant"),
        login("Banned IP {source.ip} for too many login attempts", "web_login", "failure").by("home-assistant"),
        // www.keycloak.org/docs
        login("type=\"LOGIN_ERROR\", {*}, ipAddress=\"{source.ip}\", error={*}, username=\"{user.name}\"{?, {*}?}", "web_login", "failure").by("keycloak"),
        login("type=LOGIN_ERROR, {*}, ipAddress={source.ip}, error={*}, username={user.name:host}{?, {*}?}", "web_login", "failure").by("keycloak"),
        login("type=\"LOGIN_ERROR\", {*}, ipAddress=\"{source.ip}\", error={event.reason}", "web_login", "failure").by("keycloak"),
        login("type=LOGIN_ERROR, {*}, ipAddress={source.ip}, error={event.reason}", "web_login", "failure").by("keycloak"),
        login("type=\"LOGIN\", {*}, ipAddress=\"{source.ip}\", {*}", "web_login", "success").by("keycloak"),
        login("type=LOGIN, {*}, ipAddress={source.ip}, {*}", "web_login", "success").by("keycloak"),
        // docs.sonarsource.com
        login("login failure [cause|{event.reason:own}][method|{:own}][provider|{:own}][IP|{source.ip}|{*}][login|{user.name}]", "web_login", "failure").by("sonarqube"),
        login("login success [method|{:own}][provider|{:own}][IP|{source.ip}|{*}][login|{user.name}]", "web_login", "success").by("sonarqube"),
        // confluence.atlassian.com: atlassian-jira-security.log
        login("{:word} {?{:word} ?}{*} {:word} {:word} {source.ip:clients} {?/{:word} ?}{:word} The user '{user.name}' has FAILED authentication.{?{*}?}", "web_login", "failure").by("atlassian"),
        // jfrog.com/help, gerrit-review.googlesource.com
        login("[DENIED LOGIN] {?{*}?} for client : {user.name} / {source.ip}{_}{?.?}", "web_login", "failure").by("artifactory"),
        login("[DENIED LOGIN] {?{*}?} for {user.name}/{source.ip}{?.?}", "web_login", "failure").by("artifactory"),
        login("[DENIED LOGIN] {_}for client : {user.name} / {source.ip} [{:host}]", "web_login", "failure").by("artifactory"),
        login("[ACCEPTED LOGIN] {_}for client : {user.name} / {source.ip} [{:host}]", "web_login", "success").by("artifactory"),
        login("[ACCEPTED LOGIN] {?{*}?} for client : {user.name} / {source.ip}{_}{?.?}", "web_login", "success").by("artifactory"),
        login("[ACCEPTED LOGIN] {?{*}?} for {user.name}/{source.ip}{?.?}", "web_login", "success").by("artifactory"),
        login("{:word} {:word} AUTH FAILURE FROM {source.ip} {event.reason:own}", "web_login", "failure").by("gerrit"),
        // meshcentral.com, goharbor.io, apereo.github.io/cas
        login("Failed password for {user.name} from {source.ip} port {source.port}", "web_login", "failure").by("meshcentral"),
        login("[{:own}][client IP=\"{source.ip}\" requestID=\"{:host}\"{?{:own}?}]: failed to authenticate user:{user.name}, error:{event.reason}", "web_login", "failure").by("harbor"),
        login("[{:own}][client IP=\"{*}, {*}\" requestID=\"{:host}\"{?{:own}?}]: failed to authenticate user:{user.name}, error:{event.reason}", "web_login", "failure").quote().by("harbor"),
        login("CAS|{*}|AUTHENTICATION_FAILED|{*}|{source.ip}|{:ip}", "web_login", "failure").by("cas"),
        login("CAS|{*}|AUTHENTICATION_SUCCESS|{*}|{source.ip}|{:ip}", "web_login", "success").by("cas"),
        // www.redmine.org, www.ispconfig.org, docs.plesk.com, docs.cpanel.net
        login("Failed login for '{user.name}' from {source.ip} at {:own}", "web_login", "failure").by("redmine"),
        login("Successful authentication for '{user.name}' from {source.ip} at {:own}", "web_login", "success").by("redmine"),
        login("Failed login attempt with login '{user.name}' from IP {source.ip}", "web_login", "failure").by("plesk"),
        login("{source.ip} - {user.name} \"{*}\" {(FAILED LOGIN||DEFERRED LOGIN)} {:word} {event.reason}", "web_login", "failure").by("cpanel"),
        // www.webmin.com
        login("{(Invalid login as||Non-existent login as||Failed login as||Expired login as||Blocked login as)} {user.name} from {source.ip}{_}", "web_login", "failure").by("webmin"),
        login("{(Successful login as||Login as)} {user.name} from {source.ip}{_}", "web_login", "success").by("webmin"),
        login("Security alert: {(Host||User)} {*} from {source.ip} blocked after {*}", "web_login", "failure").by("webmin"),
        login("Security alert: Host {source.ip} blocked after {*}", "web_login", "failure").by("webmin"),
        // www.directadmin.com
        login("'{source.ip}' {:number} failed login attempt{?s?}. Account '{user.name}'", "web_login", "failure").by("directadmin"),
        // www.litespeedtech.com
        login("{?[{:own}] ?}Failed Login Attempt - username:{user.name} ip:{source.ip} url:{*}", "web_login", "failure").by("litespeed"),
        // kb.synology.com, www.qnap.com
        login("User [{user.name}] from [{source.ip}] failed to {(log in||login||sign in)}{*}", "web_login", "failure").by("synology"),
        login("User [{user.name}] from [{source.ip}] {(signed in to||logged in)}{*}", "web_login", "success").by("synology"),
        login("{?conn log: ?}Users: {user.name}, Source IP: {source.ip}, Computer name: {*}, Action: Login Fail", "web_login", "failure").by("qnap"),
        login("{?conn log: ?}Users: {user.name}, Source IP: {source.ip}, Computer name: {*}, Action: Login OK", "web_login", "success").by("qnap"),
    ],
    &[],
);

/// gin-gonic.com: access lines of servers in Go
#[rustfmt::skip]
pub(super) static GIN: Family = Family::new(
    &[
        note("|{_}{http.response.status_code} |{_}{:word} |{_}{source.ip} | {(GET ||POST ||PUT ||DELETE ||HEAD ||PATCH ||OPTIONS )}{_}\"{url.original}\""),
    ],
    &[],
);

#[rustfmt::skip]
pub(super) static GUACAMOLE: Family = Family::new(
    &[
        login("Authentication attempt from {source.ip} for user \"{user.name}\" failed.", "web_login", "failure"),
        login("Authentication attempt from {source.ip} failed.", "web_login", "failure"),
        login("User \"{user.name}\" successfully authenticated from {source.ip}.", "web_login", "success"),
        login("Authentication attempt from [{source.ip:clients}] for user \"{user.name}\" failed.", "web_login", "failure"),
        login("Authentication attempt from [{source.ip:clients}] failed.", "web_login", "failure"),
        login("User \"{user.name}\" successfully authenticated from [{source.ip:clients}].", "web_login", "success"),
    ],
    &[],
);

/// Servers that people run at home and for media.
#[rustfmt::skip]
pub(super) static HOME: Family = Family::new(
    &[
        // jellyfin.org, emby.media
        login("Authentication request for \"{user.name}\" has been denied (IP: \"{source.ip}\").", "web_login", "failure").by("jellyfin"),
        login("Authentication request for {user.name} has been denied (IP: {source.ip}).", "web_login", "failure").by("jellyfin"),
        login("AUTH-ERROR: {source.ip} - {event.reason:own}", "web_login", "failure").by("emby"),
        // wiki.servarr.com
        login("{?Auth|?}Auth-Failure ip {source.ip} username '{user.name}'", "web_login", "failure").by("servarr"),
        login("{?Auth|?}Auth-Failure ip {source.ip} username {user.name:host}", "web_login", "failure").by("servarr"),
        login("{?Auth|?}Auth-Success ip {source.ip} username '{user.name}'", "web_login", "success").by("servarr"),
        login("{?Auth|?}Auth-Success ip {source.ip} username {user.name:host}", "web_login", "success").by("servarr"),
        traffic("{?Auth|?}Auth-Unauthorized ip {source.ip} url '{url.original}'", "web_request", "failure").by("servarr"),
        // www.audiobookshelf.org, github.com/janeczku/calibre-web, immich.app, docs.ombi.app, docs.mealie.io
        login("Failed login attempt for {(username||user)} \"{user.name}\" from ip {source.ip}{? ({:own})?}", "web_login", "failure").by("audiobookshelf"),
        login("Failed login attempt for user {user.name} from ip address {source.ip}{? ({:own})?}", "web_login", "failure").by("immich"),
        login("Login failed for user \"{user.name}\" IP-address: {source.ip}", "web_login", "failure").by("calibre-web"),
        login("Failed login attempt by IP: {source.ip}", "web_login", "failure").by("ombi"),
        login("{(Incorrect username or password||Invalid username or password)} from {source.ip}", "web_login", "failure").by("mealie"),
        // github.com/louislam/uptime-kuma, docs.paperless-ngx.com, filebrowser.org, coder.com/docs/code-server
        login("{(Incorrect username or password||Invalid token provided)} for user {user.name}. IP={source.ip}", "web_login", "failure").by("uptime-kuma"),
        // docs.stirlingpdf.com, joplinapp.org
        login("Failed login attempt from IP: {?[?}{source.ip}{?]?}", "web_login", "failure").by("stirling-pdf"),
        login("403: POST /api/sessions: {source.ip}: Invalid username or password{?: {*}?}", "web_login", "failure").by("joplin"),
        login("Login failed for user `{user.name}` from {?private ?}{?IP ?}`{source.ip}`{?.?}", "web_login", "failure").by("paperless-ngx"),
        login("/api/login: 403 {source.ip} {*}", "web_login", "failure").by("filebrowser"),
        login("Failed login attempt {\"xForwardedFor\":\"{*}\",\"remoteAddress\":\"{source.ip}\",\"userAgent\":\"{*}\"{*}}", "web_login", "failure").by("code-server"),
        // overseerr.dev, docs.jellyseerr.dev
        login("Failed {?sign-in ||login ?}attempt {:own} {\"account\":{\"ip\":\"{source.ip}\",{*}}", "web_login", "failure").by("overseerr"),
        // pterodactyl.io
        login("failed to validate user credentials ({:own}) ip={source.ip}:{source.port} {?subsystem={:word} ?}username={user.name}", "web_login", "failure").by("wings"),
        // www.qbittorrent.org, sabnzbd.org, www.domoticz.com, syncthing.net, adguard.com
        login("WebAPI login failure. Reason: {event.reason:own}, IP: {source.ip}, username: {user.name}", "web_login", "failure").by("qbittorrent"),
        login("WebAPI login success. IP: {source.ip}", "web_login", "success").by("qbittorrent"),
        login("Unsuccessful login attempt from {source.ip}{? ({*})?}{? [{*}]?}", "web_login", "failure").by("sabnzbd"),
        login("Failed login attempt from {source.ip} for user '{user.name}' !", "web_login", "failure").by("domoticz"),
        login("Wrong credentials supplied during API authorization from {source.ip}{?:{source.port}?}", "web_login", "failure").by("syncthing"),
        login("{(auth||Auth)}: {(failed to login||failed login attempt||user login failed)}{?{*}?} from {?ip ?}{source.ip}{?:{:number}?}", "web_login", "failure").by("adguardhome"),
        // www.tautulli.com
        login("{?:: ?}{?WebAuth :: ?}Invalid {(user||admin||guest)} login attempt from {source.ip}{?.{*}?}", "web_login", "failure").by("tautulli"),
        // wiki.znc.in
        login("[{user.name}] failed to login from {source.ip}{?:{source.port}?}", "irc_login", "failure").by("znc"),
        login("[{user.name}] connected to ZNC from {source.ip}{?:{source.port}?}", "irc_login", "success").by("znc"),
        // docs.ejabberd.im, prosody.im
        login("{?({*}) ?}Failed authentication for {user.name} from {?IP ?}{source.ip}{? ({*})?}", "xmpp_login", "failure").by("ejabberd"),
        login("{?({*}) ?}Failed {:word} {:word} authentication for {user.name} from {source.ip}: {event.reason:own}", "xmpp_login", "failure").by("ejabberd"),
        login("{?({*}) ?}Accepted {:word} {:word} authentication for {user.name} by {:word} backend from {source.ip}", "xmpp_login", "success").by("ejabberd"),
        login("Failed authentication attempt ({:word}) for user {user.name} from IP: {source.ip}", "xmpp_login", "failure").by("prosody"),
        // minecraft.wiki, developer.valvesoftware.com
        login("{user.name:word}[/{source.ip}:{source.port}] logged in with entity id {*}", "game_login", "success").by("minecraft"),
        traffic("Bad Rcon: {*} from \"{source.ip}:{source.port}\"", "game_login", "failure").by("hlds"),
        traffic("rcon from \"{source.ip}:{source.port}\": {(Bad Password||Bad challenge||No challenge)}{?{*}?}", "game_login", "failure").by("hlds"),
        traffic("{(Rcon||rcon)}: \"{*}\" from \"{source.ip}:{source.port}\"", "game_command", "").by("hlds"),
        traffic("\"{*}\" connected, address \"{source.ip}:{source.port}\"", "connection", "").by("hlds"),
    ],
    &[],
);
