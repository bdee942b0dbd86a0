-- Everything that C0Di3 keeps. Times are microseconds since 1970-01-01 UTC. `doc`, `details` and `body` are JSON.
-- Findings are partitioned by the UTC day of their first event; partitions are made as they are needed, and days that
-- cannot be (no time, or far from now) are in the default partition.

CREATE TABLE findings (
    id         BYTEA    NOT NULL,
    -- days since 1970-01-01
    day        INTEGER  NOT NULL,
    rule_id    TEXT     NOT NULL,
    rule_title TEXT     NOT NULL,
    level      SMALLINT NOT NULL,
    score      SMALLINT NOT NULL,
    severity   TEXT     NOT NULL,
    first_seen BIGINT,
    last_seen  BIGINT,
    -- last_seen, or the smallest number where the events named no time: the sort key of lists
    sort_time  BIGINT   NOT NULL,
    count      BIGINT   NOT NULL,
    status     SMALLINT NOT NULL DEFAULT 1,
    -- `source.ip=192.0.2.1` …: what lists are filtered by
    entities   TEXT[]   NOT NULL,
    details    TEXT     NOT NULL,
    evidence   TEXT     NOT NULL,
    created_at BIGINT   NOT NULL,
    updated_at BIGINT   NOT NULL,
    -- number of the commit that changed the row last
    revision   BIGINT   NOT NULL,
    -- number of the commit that made it
    created_revision BIGINT NOT NULL,
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);

CREATE TABLE findings_default PARTITION OF findings DEFAULT;

CREATE INDEX findings_by_time     ON findings (sort_time DESC, id DESC);
CREATE INDEX findings_by_severity ON findings (severity, sort_time DESC, id DESC);
CREATE INDEX findings_by_rule     ON findings (rule_id, severity, sort_time DESC, id DESC);
CREATE INDEX findings_by_revision ON findings (revision, id);
-- What waits for the index is read by every list that asks for an entity: it is kept small, in every day.
CREATE INDEX findings_by_entity   ON findings USING gin (entities) WITH (gin_pending_list_limit = 512);

CREATE TABLE sources (
    id                BYTEA  PRIMARY KEY,
    name              TEXT   NOT NULL,
    fingerprint_bytes BIGINT NOT NULL,
    fingerprint_hash  BYTEA  NOT NULL,
    "offset"          BIGINT NOT NULL,
    line              BIGINT NOT NULL,
    seen              BIGINT NOT NULL,
    epoch             BIGINT NOT NULL DEFAULT 0,
    updated_at        BIGINT NOT NULL
);

-- Correlation state by key. Keys may be long and are hostile: they are found by their hash.
CREATE TABLE state (
    instance TEXT  NOT NULL,
    key_hash BYTEA NOT NULL,
    key      TEXT  NOT NULL,
    value    TEXT  NOT NULL,
    PRIMARY KEY (instance, key_hash)
);

CREATE TABLE revision (
    only_row SMALLINT PRIMARY KEY CHECK (only_row = 1),
    number   BIGINT   NOT NULL
);
INSERT INTO revision (only_row, number) VALUES (1, 0);

CREATE TABLE incidents (
    id            TEXT   PRIMARY KEY,
    severity      BIGINT NOT NULL,
    stage         TEXT   NOT NULL,
    status        TEXT   NOT NULL,
    assignee      TEXT   NOT NULL,
    sort_time     BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    facts_version BIGINT NOT NULL,
    doc           TEXT   NOT NULL,
    -- 0: its summary says what is known; 1: facts have changed; 2: a template stands, the model is to be asked again
    summary_state BIGINT NOT NULL,
    -- not before this
    summary_due   BIGINT NOT NULL
);
CREATE INDEX incidents_to_summarise ON incidents (severity, summary_due) WHERE summary_state > 0;
CREATE INDEX incidents_by_time ON incidents (sort_time DESC, id DESC);
CREATE INDEX incidents_by_status ON incidents (status, sort_time DESC, id DESC);

-- The tables that grow with findings have no foreign keys: the rows are written with their incident, and a check for each
-- would cost more than the row (`c0di3 db check` counts instead).
CREATE TABLE incident_keys (
    key         TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    PRIMARY KEY (key, incident_id)
);

CREATE TABLE incident_findings (
    finding_id  TEXT   PRIMARY KEY,
    incident_id TEXT   NOT NULL,
    events      BIGINT NOT NULL,
    added_at    BIGINT NOT NULL,
    doc         TEXT   NOT NULL
);
CREATE INDEX incident_findings_by_incident ON incident_findings (incident_id, added_at, finding_id);

CREATE TABLE incident_history (
    incident_id TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    doc         TEXT   NOT NULL,
    PRIMARY KEY (incident_id, number)
);

CREATE TABLE notices (
    id         TEXT   PRIMARY KEY,
    kind       TEXT   NOT NULL,
    severity   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    fanned_out BIGINT NOT NULL DEFAULT 0,
    body       TEXT   NOT NULL
);
CREATE INDEX notices_to_fan_out ON notices (created_at) WHERE fanned_out = 0;

CREATE TABLE deliveries (
    notice_id   TEXT   NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    endpoint    TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    attempts    BIGINT NOT NULL,
    next_at     BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    last_error  TEXT,
    PRIMARY KEY (notice_id, endpoint)
);
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'pending';

CREATE TABLE summaries (
    incident_id   TEXT   PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
    facts_version BIGINT NOT NULL,
    key           TEXT   NOT NULL,
    source        TEXT   NOT NULL,
    text          TEXT   NOT NULL,
    -- answers of the model to these facts that were not borne out
    attempts      BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX summaries_by_key ON summaries (key);

CREATE TABLE tokens (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked    BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE instances (
    name  TEXT   PRIMARY KEY,
    epoch BIGINT NOT NULL
);
