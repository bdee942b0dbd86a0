//! Lines about requests, as servers and frameworks of applications write them in forms of their own. Methods, URLs, user agents
//! and referrers come from the client.

use super::family::{Family, note};

#[rustfmt::skip]
pub(super) static FRAMEWORKS: Family = Family::new(
    &[
        // www.uvicorn.org, hypercorn.readthedocs.io
        note("{source.ip}:{source.port} - \"{http.request.method:name} {url.original} HTTP/{http.version:host}\" {http.response.status_code}{? {:own}?}").by("uvicorn"),
        // werkzeug.palletsprojects.com (Flask, Odoo)
        note("{?{:name} werkzeug: ?}{source.ip} -{_}{:word}{_}[{:number}/{:name}/{:number} {:own}] \"{http.request.method:name} {url.original} HTTP/{http.version:host}\" {http.response.status_code} {:word}{? {:own}?}").by("werkzeug"),
        // www.tornadoweb.org: Jupyter, Home Assistant of old
        note("{http.response.status_code} {(GET ||POST ||PUT ||DELETE ||HEAD ||PATCH ||OPTIONS )}{url.original} ({?{user.name:name}@||@?}{source.ip}) {:host}ms{? referer={http.request.referrer}?}").by("tornado"),
        // guides.rubyonrails.org: Mastodon, Discourse, GitLab, Redmine
        note("{?[{:host}] ?}Started {http.request.method:name} \"{url.original}\" for {source.ip} at {:own}").by("rails"),
        // docs.gitea.com, forgejo.org
        note("router: {(completed||slow||failed||polling)} {http.request.method:name} {url.original} for {source.ip}:{:number}, {http.response.status_code} {*} in {:word} @ {:own}").by("gitea"),
        note("router: started {http.request.method:name} {url.original} for {source.ip}:{:number}").by("gitea"),
        // go-chi.io
        note("\"{http.request.method:name} {url.original} HTTP/{http.version:host}\" from {source.ip}:{source.port} - {http.response.status_code} {http.response.body.bytes}B in {:word}").by("chi"),
        // element-hq.github.io/synapse
        note("{source.ip} - {:host} - {:own} Processed request: {:own}B{?!?} {http.response.status_code} \"{http.request.method:name} {url.original} HTTP/{http.version:host}\" \"{user_agent.original}\" [{:own}]").by("synapse"),
        // zoraxy.aroz.org
        note("[router:{:host}] [origin:{*}] [client: {source.ip}] [useragent: {user_agent.original}] {http.request.method:name} {url.original} {http.response.status_code}").by("zoraxy"),
        // docs.strangebee.com: TheHive, Cortex
        note("{?from {:host} in {:word} ?}{?[{:word}] ?}{?- ?}{source.ip} {http.request.method:name} {url.original} took {:number}ms and returned {http.response.status_code} {http.response.body.bytes} bytes").by("thehive"),
        // docs.romm.app: the peer, and whom it names
        note("{source.ip} | {:ip} | {http.request.method:name}{( /api/|| /assets/|| /login)}{*} {http.response.status_code} | {*}").by("romm"),
        // support.plex.tv
        note("Request: [{source.ip}:{source.port} ({:own})] {http.request.method:name} {url.original} ({:number} live){?{*}?}").by("plex"),
    ],
    &[],
);
