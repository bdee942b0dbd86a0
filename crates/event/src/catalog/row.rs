//! What a row of the field catalog is. The rows themselves are generated.

/// Index into [`FIELDS`](super::FIELDS), or beyond it for a column that only one batch knows (JSON fields outside the catalog).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u16);

/// What the values of a field are. JSON may bring text for any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Text.
    Keyword,
    /// 64-bit signed integer.
    Long,
    /// Microseconds since the epoch, UTC.
    Date,
    /// Text that holds an IPv4 or IPv6 address.
    Ip,
}

/// One row of the catalog.
#[derive(Debug)]
pub struct Field {
    /// ECS name, such as `source.ip`.
    pub name: &'static str,
    /// What its values are.
    pub kind: FieldType,
    /// One line for a person.
    pub meaning: &'static str,
    /// Names of the datasets that a parser writes it for; `syslog` for all that come by syslog, `*` for all.
    pub datasets: &'static [&'static str],
    /// The field whose text always contains this one's text.
    pub within: Option<&'static str>,
    /// Percent-encoded text is also matched in its decoded form.
    pub url: bool,
}
