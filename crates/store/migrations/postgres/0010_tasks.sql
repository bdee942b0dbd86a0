-- What is done from time to time (backup, drill …), and when it last succeeded. Scripts write here as well as the program.
-- Times are microseconds since 1970-01-01 UTC.

CREATE TABLE tasks (
    name   TEXT   PRIMARY KEY,
    at     BIGINT NOT NULL,
    -- what was done, in words
    detail TEXT   NOT NULL
);
