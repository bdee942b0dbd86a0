//! Where shippers put the fields of Windows events: Winlogbeat and Elastic Agent under `winlog`, programs that turn EVTX files
//! into JSON under `Event`.

/// Fields that have a place of their own: of the event itself, not of its data.
const SYSTEM: [(&str, &[&str]); 8] = [
    ("Channel", &["winlog.channel", "Event.System.Channel"]),
    ("EventID", &["winlog.event_id", "Event.System.EventID", "Event.System.EventID.#text", "event.code"]),
    (
        "Provider_Name",
        &["winlog.provider_name", "Event.System.Provider.Name", "Event.System.Provider.#attributes.Name"],
    ),
    ("Computer", &["winlog.computer_name", "Event.System.Computer"]),
    ("Level", &["winlog.level", "Event.System.Level"]),
    ("Task", &["winlog.task", "Event.System.Task"]),
    ("Keywords", &["winlog.keywords", "Event.System.Keywords"]),
    ("OpCode", &["winlog.opcode", "Event.System.Opcode"]),
];

/// Columns beside the field's own name.
pub(super) fn columns(field: &str) -> Vec<String> {
    if let Some((_, columns)) = SYSTEM.iter().find(|(name, _)| *name == field) {
        return columns.iter().map(|column| (*column).to_owned()).collect();
    }
    // A path says itself where it leads.
    if field.contains('.') {
        return Vec::new();
    }
    ["winlog.event_data.", "winlog.user_data.", "winlog.", "Event.EventData.", "Event.System."]
        .map(|place| format!("{place}{field}"))
        .into()
}
