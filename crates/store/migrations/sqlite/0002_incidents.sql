-- Incidents and their history, notices and deliveries, summaries, tokens; the right to commit.
-- Times are microseconds since 1970-01-01 UTC. Ids are 32 hexadecimal digits. `doc` is JSON.

CREATE TABLE incidents (
    id            TEXT    PRIMARY KEY,
    severity      INTEGER NOT NULL,
    stage         TEXT    NOT NULL,
    status        TEXT    NOT NULL,
    assignee      TEXT    NOT NULL,
    -- last event, or creation where no event named a time: the sort key of lists
    sort_time     INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    facts_version INTEGER NOT NULL,
    doc           TEXT    NOT NULL,
    -- 0: its summary says what is known; 1: facts have changed; 2: a template stands, the model is to be asked again
    summary_state INTEGER NOT NULL,
    -- not before this
    summary_due   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX incidents_to_summarise ON incidents (severity, summary_due) WHERE summary_state > 0;
CREATE INDEX incidents_by_time ON incidents (sort_time DESC, id DESC);
CREATE INDEX incidents_by_status ON incidents (status, sort_time DESC, id DESC);

-- what ties findings to an open incident
CREATE TABLE incident_keys (
    key         TEXT NOT NULL,
    incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    PRIMARY KEY (key, incident_id)
) WITHOUT ROWID;
CREATE INDEX incident_keys_by_incident ON incident_keys (incident_id);

CREATE TABLE incident_findings (
    finding_id  TEXT    PRIMARY KEY,
    incident_id TEXT    NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    events      INTEGER NOT NULL,
    added_at    INTEGER NOT NULL,
    doc         TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX incident_findings_by_incident ON incident_findings (incident_id, added_at, finding_id);

-- append-only
CREATE TABLE incident_history (
    incident_id TEXT    NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    doc         TEXT    NOT NULL,
    PRIMARY KEY (incident_id, number)
) WITHOUT ROWID;

CREATE TABLE notices (
    id         TEXT    PRIMARY KEY,
    kind       TEXT    NOT NULL,
    severity   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    fanned_out INTEGER NOT NULL DEFAULT 0,
    body       TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX notices_to_fan_out ON notices (created_at) WHERE fanned_out = 0;

CREATE TABLE deliveries (
    notice_id   TEXT    NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    endpoint    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    attempts    INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    last_error  TEXT,
    PRIMARY KEY (notice_id, endpoint)
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'pending';

CREATE TABLE summaries (
    incident_id   TEXT    PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
    facts_version INTEGER NOT NULL,
    key           TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    text          TEXT    NOT NULL,
    -- answers of the model to these facts that were not borne out
    attempts      INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX summaries_by_key ON summaries (key);

CREATE TABLE tokens (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE instances (
    name  TEXT    PRIMARY KEY,
    epoch INTEGER NOT NULL
) WITHOUT ROWID;

ALTER TABLE sources ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
-- The state is kept by key from now on. What earlier versions had open is given up: positions and findings stay.
DROP TABLE state;
CREATE TABLE state (
    instance TEXT NOT NULL,
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (instance, key)
);
