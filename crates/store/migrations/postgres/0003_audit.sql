-- Who changed what; webhook endpoints and whether they want anything; what lists by network and by title are found through.
-- Times are microseconds since 1970-01-01 UTC.

CREATE TABLE audit (
    id         TEXT   PRIMARY KEY,
    at         BIGINT NOT NULL,
    actor      TEXT   NOT NULL,
    actor_id   TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    -- who was connected, and whom a trusted proxy names
    address    TEXT   NOT NULL,
    forwarded  TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    method     TEXT   NOT NULL,
    route      TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    outcome    TEXT   NOT NULL,
    -- of the answer; 0 where there was none
    status     BIGINT NOT NULL,
    request_id TEXT   NOT NULL,
    -- refused logins of one address within one minute are one row
    count      BIGINT NOT NULL,
    detail     TEXT   NOT NULL
);
CREATE INDEX audit_by_time ON audit (at DESC, id DESC);
CREATE INDEX audit_by_actor ON audit (actor, at DESC, id DESC);
CREATE INDEX audit_by_target ON audit (target, at DESC, id DESC);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.count > OLD.count AND to_jsonb(NEW) - 'count' = to_jsonb(OLD) - 'count' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_only_counts BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_stays BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

CREATE TABLE endpoints (
    name          TEXT   PRIMARY KEY,
    -- hash of the address: one that was changed is another receiver
    target        TEXT   NOT NULL,
    registered_at BIGINT NOT NULL,
    -- set where the receiver wants no more
    disabled_at   BIGINT,
    reason        TEXT
);

-- Source addresses that findings name, by their number: `4` or `6` and hexadecimal digits. The row with an empty key says
-- that what was there before this table has been taken in.
CREATE TABLE addresses (
    key   TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (key, value)
);

-- Titles of rules that found something, in lower case.
CREATE TABLE rule_titles (
    title   TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    PRIMARY KEY (title, rule_id)
);
