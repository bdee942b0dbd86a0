-- Findings with their proof, how far each source was read, and the correlation state that goes with it.
-- Times are microseconds since 1970-01-01 UTC. Ids are 16 bytes, big-endian.

CREATE TABLE findings (
    id          BLOB    PRIMARY KEY,
    rule_id     TEXT    NOT NULL,
    rule_title  TEXT    NOT NULL,
    level       INTEGER NOT NULL,
    score       INTEGER NOT NULL,
    severity    TEXT    NOT NULL,
    first_seen  INTEGER,
    last_seen   INTEGER,
    -- last_seen, or the smallest number where the events named no time: the sort key of lists
    sort_time   INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    status      INTEGER NOT NULL DEFAULT 1,
    -- score parts, entities, techniques and reason, as JSON
    details     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    -- number of the commit that changed the row last
    revision    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX findings_by_time     ON findings (sort_time DESC, id DESC);
CREATE INDEX findings_by_severity ON findings (severity, sort_time DESC, id DESC);
CREATE INDEX findings_by_rule     ON findings (rule_id, sort_time DESC, id DESC);
CREATE INDEX findings_by_revision ON findings (revision, id);

CREATE TABLE finding_entities (
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    finding_id BLOB NOT NULL REFERENCES findings (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, value, finding_id)
) WITHOUT ROWID;

CREATE INDEX finding_entities_by_finding ON finding_entities (finding_id);

CREATE TABLE evidence (
    finding_id BLOB    NOT NULL REFERENCES findings (id) ON DELETE CASCADE,
    place      INTEGER NOT NULL,
    event_id   BLOB    NOT NULL,
    source     TEXT    NOT NULL,
    line_no    INTEGER NOT NULL,
    "offset"   INTEGER NOT NULL,
    time       INTEGER,
    original   TEXT    NOT NULL,
    PRIMARY KEY (finding_id, place)
) WITHOUT ROWID;

CREATE TABLE sources (
    id                BLOB    PRIMARY KEY,
    name              TEXT    NOT NULL,
    fingerprint_bytes INTEGER NOT NULL,
    fingerprint_hash  BLOB    NOT NULL,
    "offset"          INTEGER NOT NULL,
    line              INTEGER NOT NULL,
    -- end of what was read; beyond "offset" where the source ended in the middle of a line
    seen              INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE state (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE revision (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    number   INTEGER NOT NULL
);
INSERT INTO revision (only_row, number) VALUES (1, 0);
