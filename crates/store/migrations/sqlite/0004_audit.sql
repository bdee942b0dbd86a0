-- Who changed what; webhook endpoints and whether they want anything; what lists by network and by title are found through.
-- Times are microseconds since 1970-01-01 UTC.

CREATE TABLE audit (
    id         TEXT    PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    actor_id   TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    -- who was connected, and whom a trusted proxy names
    address    TEXT    NOT NULL,
    forwarded  TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    method     TEXT    NOT NULL,
    route      TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    -- of the answer; 0 where there was none
    status     INTEGER NOT NULL,
    request_id TEXT    NOT NULL,
    -- refused logins of one address within one minute are one row
    count      INTEGER NOT NULL,
    detail     TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX audit_by_time ON audit (at DESC, id DESC);
CREATE INDEX audit_by_actor ON audit (actor, at DESC, id DESC);
CREATE INDEX audit_by_target ON audit (target, at DESC, id DESC);

CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_only_counts BEFORE UPDATE ON audit
WHEN NEW.count <= OLD.count OR NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.actor <> OLD.actor
    OR NEW.actor_id <> OLD.actor_id OR NEW.role <> OLD.role OR NEW.address <> OLD.address
    OR NEW.forwarded <> OLD.forwarded OR NEW.action <> OLD.action OR NEW.method <> OLD.method
    OR NEW.route <> OLD.route OR NEW.target <> OLD.target OR NEW.outcome <> OLD.outcome OR NEW.status <> OLD.status
    OR NEW.request_id <> OLD.request_id OR NEW.detail <> OLD.detail
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TABLE endpoints (
    name          TEXT    PRIMARY KEY,
    -- hash of the address: one that was changed is another receiver
    target        TEXT    NOT NULL,
    registered_at INTEGER NOT NULL,
    -- set where the receiver wants no more
    disabled_at   INTEGER,
    reason        TEXT
) WITHOUT ROWID;

-- Source addresses that findings name, by their number: `4` or `6` and hexadecimal digits. The row with an empty key says
-- that what was there before this table has been taken in.
CREATE TABLE addresses (
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (key, value)
) WITHOUT ROWID;

-- Titles of rules that found something, in lower case.
CREATE TABLE rule_titles (
    title   TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    PRIMARY KEY (title, rule_id)
) WITHOUT ROWID;
