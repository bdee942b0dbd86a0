-- Hunts that run on a schedule: how far each has looked, and who looks now. What they ask is in files, not here.
-- Times are microseconds since 1970-01-01 UTC.

CREATE TABLE hunt_runs (
    id            TEXT   PRIMARY KEY,
    -- events before it were looked at
    until_at      BIGINT NOT NULL,
    -- until then nobody else takes the next run
    claimed_until BIGINT NOT NULL DEFAULT 0,
    claimed_by    TEXT   NOT NULL DEFAULT '',
    runs          BIGINT NOT NULL DEFAULT 0,
    failures      BIGINT NOT NULL DEFAULT 0,
    findings      BIGINT NOT NULL DEFAULT 0,
    -- of the last run: when it ended, how long it took in microseconds, rows of its answer, why it failed
    last_at       BIGINT NOT NULL DEFAULT 0,
    last_took     BIGINT NOT NULL DEFAULT 0,
    last_rows     BIGINT NOT NULL DEFAULT 0,
    last_error    TEXT   NOT NULL DEFAULT ''
);
