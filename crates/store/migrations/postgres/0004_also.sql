-- Rules that a finding names beside its own: lists by rule find it through them.

CREATE TABLE finding_also (
    rule_id    TEXT    NOT NULL,
    finding_id BYTEA   NOT NULL,
    -- events of the finding that the rule matched
    count      BIGINT  NOT NULL,
    -- day and sort key of the finding
    day        INTEGER NOT NULL,
    sort_time  BIGINT  NOT NULL,
    PRIMARY KEY (rule_id, finding_id)
);

CREATE INDEX finding_also_by_time    ON finding_also (rule_id, sort_time DESC, finding_id DESC);
CREATE INDEX finding_also_by_finding ON finding_also (finding_id);
