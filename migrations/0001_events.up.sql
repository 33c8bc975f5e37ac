-- The table of events.  A row is a projection of the topic: written by
-- batches, idempotent by id.
--
-- `json`, not `jsonb`: jsonb refuses \u0000 and rewrites numbers, and what
-- was posted is given back byte for byte.  `raw` has the bytes of what is no
-- JSON at all and was kept because it failed.

CREATE TABLE events (
	id uuid PRIMARY KEY,
	name varchar(255) NOT NULL,
	data json,
	raw bytea,
	status text NOT NULL
		CHECK (status IN ('pending', 'processed', 'failed', 'dropped')),
	error json,
	attempts integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL,
	processed_at timestamptz,
	kafka_topic text,
	kafka_partition integer,
	kafka_offset bigint,
	CONSTRAINT events_data_or_raw CHECK ((data IS NULL) <> (raw IS NULL))
);

-- Each answers one kind of list, newest first, read from its end: new rows go
-- to the end as well, which fills an index's pages, where a descending one
-- leaves them half empty.  Nearly all rows are `processed`, most of them from
-- the start: among the newest there are always some, and an index of theirs
-- would make each write dearer by a tenth.
CREATE INDEX events_newest ON events (created_at, id);
CREATE INDEX events_name_newest ON events (name, created_at, id);
CREATE INDEX events_status_newest ON events (status, created_at, id)
	WHERE status <> 'processed';
