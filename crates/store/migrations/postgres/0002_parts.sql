-- What goes on after an incident was over, what false positives mute, and what notices are about.
-- Times are microseconds since 1970-01-01 UTC.

-- The events that a finding counts, as text; empty where they are not known.
ALTER TABLE findings ADD COLUMN events TEXT NOT NULL DEFAULT '';

-- What joining remembers of an incident beside its doc, as JSON.
ALTER TABLE incidents ADD COLUMN memory TEXT;

-- The finding that goes on where this one's incident was over; empty while it grows itself.
ALTER TABLE incident_findings ADD COLUMN continued TEXT NOT NULL DEFAULT '';

-- Findings outside incidents that joining has to know: hidden by a mute, or done with.
CREATE TABLE held_findings (
    finding_id TEXT PRIMARY KEY,
    -- empty where no mute hides it
    mute_id    TEXT NOT NULL,
    events     BIGINT NOT NULL,
    continued  TEXT NOT NULL
);
CREATE INDEX held_findings_by_mute ON held_findings (mute_id);

CREATE TABLE mutes (
    id          TEXT PRIMARY KEY,
    rule_id     TEXT NOT NULL,
    rule_title  TEXT NOT NULL,
    -- as in incident_keys
    key         TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    actor       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    -- 0 unless somebody ended it before
    ended_at    BIGINT NOT NULL DEFAULT 0,
    ended_by    TEXT NOT NULL DEFAULT ''
);
CREATE INDEX mutes_by_key ON mutes (key, rule_id) WHERE ended_at = 0;
CREATE INDEX mutes_by_time ON mutes (created_at DESC, id);

ALTER TABLE notices ADD COLUMN incident_id TEXT NOT NULL DEFAULT '';
CREATE INDEX notices_to_settle ON notices (incident_id) WHERE fanned_out = 0;
