-- Rules that a finding names beside its own: lists by rule find it through them.

CREATE TABLE finding_also (
    rule_id    TEXT    NOT NULL,
    finding_id BLOB    NOT NULL REFERENCES findings (id) ON DELETE CASCADE,
    -- events of the finding that the rule matched
    count      INTEGER NOT NULL,
    PRIMARY KEY (rule_id, finding_id)
) WITHOUT ROWID;

CREATE INDEX finding_also_by_finding ON finding_also (finding_id);
