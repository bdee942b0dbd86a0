//! One request as it is told of later: who sent it, what was asked for, and whether a change by it stands in the audit log.
//! Writes neither log nor audit entry.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use event::Timestamp;
use store::audit::{AuditEntry, By, Outcome};
use store::people::Role;

use crate::access::Line;
use crate::audit::{action, target};

/// Status of a request whose client went away before it was answered, as nginx writes it.
pub(crate) const CLIENT_GONE: u16 = 499;

/// Who sent the request: named in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) name: String,
    /// Of the token; empty where there is none.
    pub(crate) id: String,
    pub(crate) role: Role,
}

/// The request as it is told of later. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Asked(Arc<About>);

/// What is known of the request.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) line: Line,
    pub(crate) method: String,
    /// The route, never the path: labels must not come from outside.
    pub(crate) route: Option<String>,
    pub(crate) request_id: String,
    /// Set when the request was let in.
    pub(crate) actor: OnceLock<Actor>,
    /// Whether an audit entry was written with the change.
    is_audited: AtomicBool,
}

impl Asked {
    /// Before anything is decided about it.
    pub(crate) fn new(line: Line, method: String, route: Option<String>, request_id: String) -> Self {
        let (actor, is_audited) = (OnceLock::new(), AtomicBool::new(false));
        Asked(Arc::new(About { line, method, route, request_id, actor, is_audited }))
    }

    pub(crate) fn about(&self) -> &About {
        &self.0
    }

    /// Remembers who it was.
    pub(crate) fn by_whom(&self, actor: &Actor) {
        // Who was let in once stays who it was.
        let _known = self.0.actor.set(actor.clone()).is_err();
    }

    /// For an audit entry that is written with the change: none is written again.
    pub(crate) fn by(&self) -> By {
        let about = &self.0;
        let (actor, actor_id, role) = match about.actor.get() {
            Some(Actor { name, id, role }) => (name.clone(), id.clone(), role.name().to_owned()),
            None => Default::default(),
        };
        let shown = |address: Option<std::net::IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
        By {
            actor,
            actor_id,
            role,
            address: shown(about.line.peer),
            forwarded: shown(about.line.forwarded),
            method: about.method.clone(),
            route: about.route.clone().unwrap_or_default(),
            request_id: about.request_id.clone(),
        }
    }

    pub(crate) fn is_audited(&self) {
        self.0.is_audited.store(true, Ordering::Relaxed);
    }

    /// The entry of a change that nobody has told of yet; refused logins are told otherwise.
    pub(crate) fn entry(&self, status: u16, at: Timestamp) -> Option<AuditEntry> {
        let about = &self.0;
        let route = about.route.as_deref()?;
        let refused_login = matches!(status, 401 | 403);
        if about.actor.get().is_none() || refused_login || about.is_audited.load(Ordering::Relaxed) {
            return None;
        }
        let action = action(&about.method, route)?;
        let outcome = match status {
            200..400 => Outcome::Done,
            400..499 => Outcome::Refused,
            _ => Outcome::Failed,
        };
        let entry =
            AuditEntry::new(at, self.by(), &action, &target(route, about.line.path()), outcome).answered(status);
        Some(if status == CLIENT_GONE { entry.saying("the client went away before it was answered") } else { entry })
    }
}
