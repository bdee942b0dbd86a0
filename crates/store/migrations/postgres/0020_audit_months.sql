-- Each month of the audit log has a table of its own, a child of `audit`, which retention drops whole. The trigger puts entries
-- there, whichever version of the program writes them; reading `audit` reads all months. Entries of times far from now, and those
-- of months that nobody could make a table for, stay in `audit` itself.

-- How the table of this time's month is called; null for times more than 40 days from now, so that forged times make no tables.
CREATE FUNCTION audit_month(at BIGINT) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF abs(at - extract(epoch FROM now()) * 1000000) <= 40 * 86400 * 1000000::numeric THEN
        RETURN to_char(to_timestamp(at / 1000000) AT TIME ZONE 'UTC', '"audit_"YYYY_MM');
    END IF;
    RETURN NULL;
END $$;

-- The child of a table by its name; null where there is none.
CREATE FUNCTION audit_part(parent oid, part text) RETURNS regclass LANGUAGE sql STABLE AS $$
    SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = parent AND relname = part
$$;

-- Makes the table of this time's month, where it is missing: with the checks, indexes, triggers, owner and rights of `audit`. Only
-- the owner of `audit` can. It fails where others hold a lock that it needs for longer than two seconds.
CREATE FUNCTION audit_month_make(at BIGINT) RETURNS void LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    name CONSTANT text := audit_month(at);
    parent pg_class;
    part text;
    first timestamp;
    granted record;
BEGIN
    IF name IS NULL OR audit_part('audit'::regclass, name) IS NOT NULL THEN
        RETURN;
    END IF;
    -- Whoever changes the layout. Then those who write: an entry that is counted up must not stand in two tables.
    PERFORM pg_advisory_xact_lock(202183424);
    LOCK TABLE ONLY audit IN SHARE ROW EXCLUSIVE MODE;
    IF audit_part('audit'::regclass, name) IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO parent FROM pg_class WHERE oid = 'audit'::regclass;
    part := format('%s.%I', parent.relnamespace::regnamespace, name);
    first := date_trunc('month', to_timestamp(at / 1000000) AT TIME ZONE 'UTC');
    EXECUTE format('CREATE TABLE %s (PRIMARY KEY (id), CHECK (at >= %s AND at < %s)) INHERITS (audit)', part,
        extract(epoch FROM first)::bigint * 1000000, extract(epoch FROM first + interval '1 month')::bigint * 1000000);
    EXECUTE format('CREATE INDEX ON %s (at DESC, id DESC)', part);
    EXECUTE format('CREATE INDEX ON %s (actor, at DESC, id DESC)', part);
    EXECUTE format('CREATE INDEX ON %s (target, at DESC, id DESC)', part);
    EXECUTE format('CREATE TRIGGER audit_only_counts BEFORE UPDATE OR DELETE ON %s
        FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()', part);
    EXECUTE format('CREATE TRIGGER audit_stays BEFORE TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()', part);
    FOR granted IN SELECT * FROM aclexplode(parent.relacl) WHERE grantee <> parent.relowner LOOP
        EXECUTE format('GRANT %s ON %s TO %s', granted.privilege_type, part,
            CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE granted.grantee::regrole::text END);
    END LOOP;
    IF parent.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('ALTER TABLE %s OWNER TO %s', part, parent.relowner::regrole);
    END IF;
END $$;

-- Drops a month that lies wholly before the last `days`, of which there are at least 90, and says so in the audit log. Gives how
-- many entries went. It fails where others hold a lock that it needs for longer than two seconds.
CREATE FUNCTION audit_month_drop(part text, days integer, actor text) RETURNS bigint LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    kept_from CONSTANT timestamptz := now() - make_interval(days => days);
    entries bigint;
    newest bigint;
BEGIN
    IF part !~ '^audit_[0-9]{4}_[0-9]{2}$' OR audit_part('audit'::regclass, part) IS NULL THEN
        RAISE EXCEPTION '% is no month of the audit log', part;
    END IF;
    -- Before the lock: nobody writes to a month that is as old as that.
    EXECUTE format('SELECT count(*) FROM %I', part) INTO entries;
    PERFORM pg_advisory_xact_lock(202183424);
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', part);
    EXECUTE format('SELECT coalesce(max(at), 0) FROM %I', part) INTO newest;
    IF days < 90 OR part COLLATE "C" >= to_char(kept_from AT TIME ZONE 'UTC', '"audit_"YYYY_MM')
        OR newest >= extract(epoch FROM kept_from) * 1000000 THEN
        RAISE EXCEPTION 'the audit log is append-only';
    END IF;
    EXECUTE format('DROP TABLE %I', part);
    INSERT INTO audit (id, at, actor, actor_id, role, address, forwarded, action, method, route, target, outcome, status,
            request_id, count, detail)
        VALUES (md5(clock_timestamp()::text || random()::text), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, actor, '',
            '', '', '', 'audit.retention', '', '', part, 'done', 0, '', 1,
            format('the month of %s entries, all older than %s days, was dropped', entries, days));
    RETURN entries;
END $$;

-- An entry that stands in `audit` already is counted up there, so that none stands in two tables.
CREATE FUNCTION audit_goes_to_its_month() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part CONSTANT regclass := audit_part(TG_RELID, audit_month(NEW.at));
    counted bigint;
BEGIN
    IF part IS NULL OR NOT (has_table_privilege(part, 'SELECT') AND has_table_privilege(part, 'INSERT')
        AND has_table_privilege(part, 'UPDATE')) THEN
        RETURN NEW;
    END IF;
    EXECUTE format('UPDATE ONLY %s SET count = count + $1 WHERE id = $2', TG_RELID::regclass) USING NEW.count, NEW.id;
    GET DIAGNOSTICS counted = ROW_COUNT;
    IF counted = 0 THEN
        EXECUTE format('INSERT INTO %s AS part SELECT ($1).* ON CONFLICT (id) DO UPDATE SET count = part.count + excluded.count',
            part) USING NEW;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_goes_to_its_month BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_goes_to_its_month();
