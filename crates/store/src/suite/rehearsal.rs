//! What findings would join is what they join.

use super::*;

pub(super) async fn what_would_be_joined_is_what_a_commit_joins(url: &str) {
    let store = store(url).await;
    store
        .commit(&joining(vec![finding(1, Severity::P2, "192.0.2.1"), finding(2, Severity::P2, "192.0.2.2")]))
        .await
        .unwrap();
    let open = store.incidents(&IncidentQuery { limit: 10, ..IncidentQuery::default() }).await.unwrap();
    let of = |address: &str| {
        open.iter().find(|incident| incident.scope.entities.source_ip == [address.to_owned()]).unwrap().id
    };
    let new = joining(vec![
        finding(1, Severity::P2, "192.0.2.1"),
        finding(11, Severity::P2, "192.0.2.1"),
        finding(12, Severity::P3, "192.0.2.1"),
        finding(13, Severity::P2, "192.0.2.9"),
        finding(14, Severity::P2, "192.0.2.9"),
        finding(15, Severity::P3, "192.0.2.8"),
    ]);
    let told = store.rehearse(&new).await.unwrap();
    let shown: Vec<_> = told.joins.iter().map(|join| (join.incident.id, join.findings)).collect();
    assert_eq!(shown, [(of("192.0.2.1"), 2)]);
    assert!(told.joins[0].because.starts_with("same source.ip 192.0.2.1"), "{told:?}");
    assert_eq!((told.known, told.opened, told.in_opened, told.muted, told.alone), (1, 1, 2, 0, 1));
    assert_eq!(store.get(FindingId(11 << 64)).await.unwrap(), None, "nothing was written");
    let same = store.incidents(&IncidentQuery { limit: 10, ..IncidentQuery::default() }).await.unwrap();
    assert_eq!(same, open);

    store.commit(&new).await.unwrap();
    let joined = store.links(of("192.0.2.1"), 10).await.unwrap();
    assert_eq!(joined.len(), 3, "{joined:?}");
    let all = store.incidents(&IncidentQuery { limit: 10, ..IncidentQuery::default() }).await.unwrap();
    assert_eq!(all.len(), open.len() + 1);
    assert_eq!(store.rehearse(&commit(Vec::new())).await.unwrap().joins.len(), 0);
}
