-- What a user of the table would do once for each event: here, write it down,
-- in the transaction that changes the row.  `seq` gives the order; what one
-- transaction did, it did at once.
CREATE TABLE fault_effects (
	seq bigserial PRIMARY KEY,
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
	id uuid NOT NULL,
	status text NOT NULL,
	k text,
	n bigint
);

-- Only a load's own data is looked into: other data may be anything, and
-- looking would fail the row.
CREATE FUNCTION fault_effect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	-- A row that PostgreSQL refuses, whatever else is in its batch.
	IF NEW.name = 'fault.load.row' AND NEW.status = 'processed' THEN
		RAISE EXCEPTION 'refused' USING ERRCODE = '22000';
	END IF;
	IF NEW.name LIKE 'fault.load%' AND NEW.data IS NOT NULL THEN
		INSERT INTO fault_effects (id, status, k, n) VALUES (NEW.id,
			NEW.status, NEW.data->>'k', (NEW.data->>'n')::bigint);
	ELSE
		INSERT INTO fault_effects (id, status)
			VALUES (NEW.id, NEW.status);
	END IF;
	RETURN NULL;
END $$;

CREATE TRIGGER fault_effect AFTER INSERT OR UPDATE ON events
	FOR EACH ROW WHEN (NEW.status <> 'pending')
	EXECUTE FUNCTION fault_effect();
