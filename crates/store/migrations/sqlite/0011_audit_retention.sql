-- Entries of the audit log may be removed once they are 90 days old; younger ones cannot be.

DROP TRIGGER audit_stays;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
WHEN OLD.at >= (CAST(strftime('%s', 'now') AS INTEGER) - 90 * 86400) * 1000000
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
