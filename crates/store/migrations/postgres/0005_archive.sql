-- The catalogue of the archive: a file of events exists for readers from the transaction on that writes its row.

CREATE TABLE archive_files (
    -- below the root of the archive
    path           TEXT    NOT NULL PRIMARY KEY,
    dataset        TEXT    NOT NULL,
    -- start of the hour of its partition
    hour           BIGINT  NOT NULL,
    events         BIGINT  NOT NULL,
    bytes          BIGINT  NOT NULL,
    raw_bytes      BIGINT  NOT NULL,
    -- earliest and latest event time
    first_time     BIGINT  NOT NULL,
    last_time      BIGINT  NOT NULL,
    -- numbers of its events in the order of commits
    first_sequence BIGINT  NOT NULL,
    last_sequence  BIGINT  NOT NULL,
    -- names, with blanks between them
    columns        TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL,
    -- since when it is to be removed from the disk; readers no longer see it
    gone_at        BIGINT
);

CREATE INDEX archive_files_by_time ON archive_files (last_time, first_time);
CREATE INDEX archive_files_gone    ON archive_files (gone_at) WHERE gone_at IS NOT NULL;

-- The number that the next event of the archive gets, and the name that the archive's folder carries: files of another
-- archive are none of ours.
CREATE TABLE archive_sequence (next BIGINT NOT NULL, archive TEXT NOT NULL);
INSERT INTO archive_sequence (next, archive) VALUES (0, replace(gen_random_uuid()::text, '-', ''));
