//! Keys by which findings and incidents that name the same entity are found. Keys are stored: their form must not
//! change.

use event::Entities;

const SOURCE_IP: &str = "source.ip";

/// What ties findings together: each source address, else each account on its host, else the host. Root alone ties
/// nothing: everybody is root somewhere.
pub(crate) fn keys(entities: &Entities) -> Vec<String> {
    if !entities.source_ip.is_empty() {
        return entities.source_ip.iter().map(|address| entity_key(SOURCE_IP, address)).collect();
    }
    let hosts = &entities.host_name;
    if entities.user_name.is_empty() || hosts.is_empty() {
        return hosts.iter().map(|host| format!("host.name {host}")).collect();
    }
    let pairs = entities.user_name.iter().flat_map(|user| hosts.iter().map(move |host| (user, host)));
    pairs.map(|(user, host)| format!("user.name {user} on host.name {host}")).collect()
}

/// What incidents that name an entity are found by. For source addresses it is what ties them as well.
pub(crate) fn entity_key(kind: &str, value: &str) -> String {
    if kind == SOURCE_IP { format!("{SOURCE_IP} {value}") } else { format!("entity {kind}={value}") }
}
