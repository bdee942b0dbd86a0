//! What every store must do with the audit log, with receivers of webhooks, and with filters by network and title.

use super::*;
use crate::audit::{AuditEntry, AuditQuery, By, Outcome};

checks!(
    audit_entries_stay_as_they_are_and_only_refusals_are_counted_up,
    changes_write_their_audit_entry_in_the_same_transaction,
    a_disabled_endpoint_gets_nothing_until_it_is_enabled,
    networks_and_titles_are_found_among_what_findings_name,
    what_was_there_before_is_found_by_network_too,
    what_a_commit_did_not_keep_is_named_again,
);

fn by(actor: &str) -> By {
    By {
        actor: actor.into(),
        actor_id: "0011".into(),
        role: "admin".into(),
        address: "192.0.2.7".into(),
        forwarded: "203.0.113.4".into(),
        method: "POST".into(),
        route: "/x/{id}".into(),
        request_id: "req-1".into(),
    }
}

async fn audit(store: &dyn Store, query: AuditQuery) -> Vec<AuditEntry> {
    store.audit(&AuditQuery { limit: 100, ..query }).await.unwrap()
}

async fn audit_entries_stay_as_they_are_and_only_refusals_are_counted_up(url: &str) {
    let store = store(url).await;
    let entry = |at: i64, actor: &str, action: &str| {
        let entry = AuditEntry::new(Timestamp(at), by(actor), action, "target", Outcome::Done);
        entry.answered(200).saying("what\0 changed\n")
    };
    let entries: Vec<_> =
        (1..=5).map(|at| entry(at * 10, if at == 2 { "bob" } else { "ann" }, "cache.clear")).collect();
    store.append(&entries).await.unwrap();
    let refused = |count| {
        let entry = AuditEntry::new(Timestamp(60), By::default(), "login", "", Outcome::Refused);
        entry.counted_as(&[b"login", b"192.0.2.9"], count)
    };
    store.append(&[refused(3)]).await.unwrap();
    store.append(&[refused(4)]).await.unwrap();
    let all = audit(&*store, AuditQuery::default()).await;
    assert_eq!(all.iter().map(|entry| entry.at.0).collect::<Vec<_>>(), [60, 50, 40, 30, 20, 10], "newest first");
    assert_eq!((all[0].count, all[0].outcome, all[1].detail.as_str()), (7, Outcome::Refused, "what changed"));
    assert_eq!(AuditEntry { detail: entries[4].detail.clone(), ..all[1].clone() }, entries[4]);
    let page = store.audit(&AuditQuery { limit: 2, ..AuditQuery::default() }).await.unwrap();
    assert_eq!(page, all[..2]);
    let after = Some((page[1].at.0, page[1].id.clone()));
    assert_eq!(audit(&*store, AuditQuery { after, ..AuditQuery::default() }).await, all[2..]);
    let text = |text: &str| Some(text.to_owned());
    for (query, count) in [
        (AuditQuery { actor: text("bob"), ..AuditQuery::default() }, 1),
        (AuditQuery { actor: text("bo\0b"), ..AuditQuery::default() }, 1),
        (AuditQuery { action: text("login"), ..AuditQuery::default() }, 1),
        (AuditQuery { outcome: Some(Outcome::Done), ..AuditQuery::default() }, 5),
        (AuditQuery { address: text("203.0.113.4"), ..AuditQuery::default() }, 5),
        (AuditQuery { address: text("192.0.2.7"), actor: text("bob"), ..AuditQuery::default() }, 1),
        (AuditQuery { target: text("target"), ..AuditQuery::default() }, 5),
        (AuditQuery { since: Some(Timestamp(20)), until: Some(Timestamp(40)), ..AuditQuery::default() }, 2),
    ] {
        assert_eq!(audit(&*store, query.clone()).await.len(), count, "{query:?}");
    }
    // Those of the last 90 days stay whatever is asked.
    #[expect(clippy::disallowed_methods, reason = "the database goes by its own clock")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
    store.append(&[entry(now - 89 * 86_400_000_000, "ann", "young")]).await.unwrap();
    store.close().await;
    for statement in
        ["DELETE FROM audit", "UPDATE audit SET actor = 'eve', count = count + 1", "UPDATE audit SET count = 1"]
    {
        let refused = if url.starts_with("sqlite:") {
            let pool = sqlx::sqlite::SqlitePool::connect(url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.err()
        } else {
            let pool = sqlx::postgres::PgPool::connect(url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.err()
        };
        let refused = refused.expect(statement).to_string();
        assert!(refused.contains("append-only"), "{statement}: {refused}");
    }
}

async fn changes_write_their_audit_entry_in_the_same_transaction(url: &str) {
    let store = store(url).await;
    store.commit(&joining(vec![finding(1, Severity::P2, "192.0.2.1")])).await.unwrap();
    let incident = store.incidents(&IncidentQuery { limit: 1, ..IncidentQuery::default() }).await.unwrap().remove(0);
    let change = |severity, comment: &str| IncidentChange {
        severity: Some(severity),
        comment: Some(comment.to_owned()),
        ..IncidentChange::default()
    };
    let any = store.change_by(incident.id, None, &change(Severity::P0, "a secret"), &by("ann"), Timestamp(70)).await;
    let Changed::Done(changed) = any.unwrap() else { panic!("any version is changed") };
    let one_of = [7_000, changed.record.version];
    let one = store.change_by(incident.id, Some(&one_of), &change(Severity::P1, "x"), &by("ann"), Timestamp(71)).await;
    assert!(matches!(one.unwrap(), Changed::Done(_)));
    let none = store.change_by(incident.id, Some(&one_of), &change(Severity::P2, "x"), &by("ann"), Timestamp(72)).await;
    assert!(matches!(none.unwrap(), Changed::Stale(_)));
    let token = Token {
        id: "t1".into(),
        name: "new".into(),
        role: Role::Viewer,
        hash: "secret-hash".into(),
        created_at: Timestamp(80),
        expires_at: None,
        revoked: false,
    };
    store.add_token_by(&token, &by("root")).await.unwrap();
    assert!(store.add_token_by(&token, &by("root")).await.is_err());
    assert!(store.revoke_token_by("t1", &by("root"), Timestamp(90)).await.unwrap());
    assert!(!store.revoke_token_by("t1", &by("root"), Timestamp(91)).await.unwrap());
    let all = audit(&*store, AuditQuery::default()).await;
    let told: Vec<_> = all.iter().map(|entry| (entry.at.0, entry.action.as_str(), entry.target.as_str())).collect();
    let id = incident.id.to_string();
    let wanted = [
        (90, "token.revoke", "t1"),
        (80, "token.create", "t1"),
        (71, "incident.change", id.as_str()),
        (70, "incident.change", id.as_str()),
    ];
    assert_eq!(told, wanted);
    assert_eq!(all[3].detail, "severity: P2 to P0; comment", "long texts stand in the history");
    assert_eq!((&all[3].by, all[1].detail.as_str()), (&by("ann"), "role viewer, name new, never expires"));
    assert!(all.iter().all(|entry| !format!("{entry:?}").contains("secret")));
}

async fn a_disabled_endpoint_gets_nothing_until_it_is_enabled(url: &str) {
    let store = store(url).await;
    let known = |address: &str| [("ops".to_owned(), address.to_owned()), ("pager".to_owned(), "p".to_owned())];
    assert_eq!(store.register_endpoints(&known("a"), Timestamp(1)).await.unwrap(), [""; 0]);
    store.commit(&joining(vec![finding(1, Severity::P2, "192.0.2.1")])).await.unwrap();
    let endpoints = [("ops".to_owned(), Severity::P3), ("pager".to_owned(), Severity::P0)];
    assert_eq!(store.fan_out(&endpoints, 0, Timestamp(100)).await.unwrap(), 1);
    let others = ["pager".to_owned()];
    let disable =
        async |target: &str| store.disable_endpoint("ops", target, "410", &others, Timestamp(110)).await.unwrap();
    assert!(!disable("another address").await);
    assert!(disable("a").await);
    assert!(!disable("a").await, "once");
    let due = store.due(Timestamp(200), Timestamp(300), 10).await.unwrap();
    assert_eq!((due.len(), due[0].endpoint.as_str(), due[0].kind.as_str()), (1, "pager", "endpoint.disabled"));
    assert!(due[0].body.contains("\"deliveries_given_up\":1"), "{}", due[0].body);
    store.commit(&joining(vec![finding(2, Severity::P2, "192.0.2.2")])).await.unwrap();
    store.fan_out(&endpoints, 0, Timestamp(400)).await.unwrap();
    let dead = store.deliveries(Some("dead"), 10).await.unwrap();
    let reasons: Vec<_> = dead.iter().map(|one| (one.endpoint.as_str(), one.last_error.as_deref().unwrap())).collect();
    assert_eq!(reasons, [("ops", "not sent: the endpoint is disabled"); 2]);
    let states = store.endpoints().await.unwrap();
    assert_eq!(states[0].disabled, Some((Timestamp(110), "410".to_owned())));
    assert_eq!((states.len(), &states[1].disabled), (2, &None));
    store.register_endpoints(&known("a"), Timestamp(500)).await.unwrap();
    assert!(store.endpoints().await.unwrap()[0].disabled.is_some(), "a restart does not enable it");
    assert!(store.enable_endpoint("ops", &by("root"), Timestamp(510)).await.unwrap());
    assert!(!store.enable_endpoint("ops", &by("root"), Timestamp(510)).await.unwrap());
    assert!(disable("a").await);
    assert_eq!(store.register_endpoints(&known("b"), Timestamp(600)).await.unwrap(), ["ops"], "another address");
    assert_eq!(store.endpoints().await.unwrap()[0].disabled, None);
    store.register_endpoints(&known("b")[1..], Timestamp(700)).await.unwrap();
    assert_eq!(store.endpoints().await.unwrap().len(), 1, "one that is not configured any more is forgotten");
    let all = audit(&*store, AuditQuery::default()).await;
    let mut told: Vec<_> =
        all.iter().map(|entry| (entry.action.as_str(), entry.by.actor.as_str(), entry.at.0)).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [("endpoint.disable", "c0di3", 110), ("endpoint.enable", "c0di3", 600), ("endpoint.enable", "root", 510)]
    );
}

async fn named(store: &dyn Store, network: &str, limit: u32) -> Vec<String> {
    store.addresses(network.parse().unwrap(), limit).await.unwrap()
}

async fn networks_and_titles_are_found_among_what_findings_name(url: &str) {
    let store = store(url).await;
    let addresses = ["192.0.2.1", "192.0.2.200", "198.51.100.1", "2001:DB8::1", "no address", "::ffff:192.0.2.9"];
    let findings = addresses.iter().zip(1..).map(|(address, number)| finding(number, Severity::P2, address)).collect();
    store.commit(&commit(findings)).await.unwrap();
    assert_eq!(named(&*store, "192.0.2.0/24", 10).await, ["192.0.2.1", "::ffff:192.0.2.9", "192.0.2.200"]);
    assert_eq!(named(&*store, "192.0.2.0/24", 2).await.len(), 2);
    assert_eq!(named(&*store, "2001:db8:0::/48", 10).await, ["2001:DB8::1"]);
    assert_eq!(named(&*store, "0.0.0.0/0", 10).await.len(), 4);
    assert_eq!(named(&*store, "10.0.0.0/8", 10).await, [""; 0]);
    assert_eq!(store.rules_titled("A Title").await.unwrap(), ["rule-0", "rule-1", "rule-2"]);
    assert_eq!(store.rules_titled("a title\0").await.unwrap().len(), 3);
    assert_eq!(store.rules_titled("another").await.unwrap(), [""; 0]);
}

async fn what_was_there_before_is_found_by_network_too(url: &str) {
    let old = store(url).await;
    old.commit(&commit(vec![finding(1, Severity::P2, "192.0.2.1"), finding(2, Severity::P2, "junk")])).await.unwrap();
    old.close().await;
    for statement in ["DELETE FROM addresses", "DELETE FROM rule_titles"] {
        if url.starts_with("sqlite:") {
            let pool = sqlx::sqlite::SqlitePool::connect(url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.unwrap();
            pool.close().await;
        } else {
            let pool = sqlx::postgres::PgPool::connect(url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
    }
    let again = store(url).await;
    assert_eq!(named(&*again, "192.0.2.0/24", 10).await, ["192.0.2.1"]);
    assert_eq!(again.rules_titled("a title").await.unwrap().len(), 2);
}

/// Names are not written twice by one process, unless the store has lost them.
async fn what_a_commit_did_not_keep_is_named_again(url: &str) {
    let store = store(url).await;
    let (lease, _) = store.take_over("replay").await.unwrap();
    let (old, lease) = (lease, store.take_over("replay").await.unwrap().0);
    let named_by = |lease: &Lease, number, address| Commit {
        lease: Some(lease.clone()),
        ..commit(vec![finding(number, Severity::P2, address)])
    };
    assert!(store.commit(&named_by(&old, 1, "192.0.2.1")).await.is_err(), "taken over");
    assert_eq!(named(&*store, "192.0.2.0/24", 10).await, [""; 0]);
    for _ in 0..2 {
        store.commit(&named_by(&lease, 1, "192.0.2.1")).await.unwrap();
        assert_eq!(named(&*store, "192.0.2.0/24", 10).await, ["192.0.2.1"]);
    }
    // A backup of before the commits is put in place while the process runs.
    for statement in
        ["DELETE FROM addresses WHERE key <> ''", "DELETE FROM rule_titles", "UPDATE revision SET number = 0"]
    {
        if url.starts_with("sqlite:") {
            let pool = sqlx::sqlite::SqlitePool::connect(url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.unwrap();
            pool.close().await;
        } else {
            let pool = sqlx::postgres::PgPool::connect(url).await.unwrap();
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
    }
    store.commit(&named_by(&lease, 1, "192.0.2.1")).await.unwrap();
    assert_eq!(named(&*store, "192.0.2.0/24", 10).await, ["192.0.2.1"]);
    assert_eq!(store.rules_titled("a title").await.unwrap(), ["rule-1"]);
}
