-- The tables of the first release (layout 1) as its own modules made them in PostgreSQL.
CREATE TABLE bulk_jobs (
	job_id TEXT NOT NULL,
	org_id TEXT NOT NULL,
	sync TEXT NOT NULL,
	run_id TEXT NOT NULL,
	operation TEXT NOT NULL,
	bulk_id TEXT,
	items TEXT NOT NULL,
	created_at TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (job_id)
);
CREATE INDEX ix_bulk_jobs_org_id ON bulk_jobs (org_id);
CREATE TABLE identities (
	org_id TEXT NOT NULL,
	object TEXT NOT NULL,
	field TEXT NOT NULL,
	value_hash TEXT NOT NULL,
	kustomer_id TEXT NOT NULL,
	PRIMARY KEY (org_id, object, field, value_hash)
);
CREATE TABLE schema_version (
	version INTEGER NOT NULL
);
CREATE TABLE sync_changes (
	id BIGSERIAL NOT NULL,
	org_id TEXT NOT NULL,
	sync TEXT NOT NULL,
	run_id TEXT NOT NULL,
	key TEXT NOT NULL,
	object TEXT NOT NULL,
	kustomer_id TEXT NOT NULL,
	changes TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX ix_sync_changes_at ON sync_changes (at);
CREATE INDEX ix_sync_changes_run_id ON sync_changes (run_id);
CREATE TABLE sync_facts (
	org_id TEXT NOT NULL,
	sync TEXT NOT NULL,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (org_id, sync, name)
);
CREATE TABLE sync_log (
	id BIGSERIAL NOT NULL,
	org_id TEXT NOT NULL,
	sync TEXT NOT NULL,
	run_id TEXT NOT NULL,
	key TEXT NOT NULL,
	outcome TEXT NOT NULL,
	kustomer_id TEXT,
	reason TEXT,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX ix_sync_log_run_id ON sync_log (run_id);
CREATE TABLE sync_rows (
	org_id TEXT NOT NULL,
	sync TEXT NOT NULL,
	key TEXT NOT NULL,
	fingerprint BIGINT,
	status TEXT NOT NULL,
	kustomer_id TEXT,
	owned BOOLEAN NOT NULL,
	sent_lists TEXT,
	reason TEXT,
	run_id TEXT NOT NULL,
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
	PRIMARY KEY (org_id, sync, key)
);
CREATE TABLE sync_runs (
	id BIGSERIAL NOT NULL,
	org_id TEXT NOT NULL,
	sync TEXT NOT NULL,
	run_id TEXT NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
	read INTEGER NOT NULL,
	created INTEGER NOT NULL,
	updated INTEGER NOT NULL,
	unchanged INTEGER NOT NULL,
	skipped INTEGER NOT NULL,
	invalid INTEGER NOT NULL,
	rejected INTEGER NOT NULL,
	deferred INTEGER NOT NULL,
	removed INTEGER NOT NULL,
	removals_held INTEGER NOT NULL,
	requests INTEGER NOT NULL,
	interrupted TEXT,
	PRIMARY KEY (id)
);
