BEGIN TRANSACTION;
CREATE TABLE approvals (
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	plan_id TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	used_at DATETIME NOT NULL, 
	PRIMARY KEY (org_id, sync, plan_id)
);
CREATE TABLE bulk_jobs (
	job_id TEXT NOT NULL, 
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	object TEXT NOT NULL, 
	bulk_id TEXT, 
	items TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (job_id)
);
CREATE TABLE identities (
	org_id TEXT NOT NULL, 
	object TEXT NOT NULL, 
	field TEXT NOT NULL, 
	value_hash TEXT NOT NULL, 
	kustomer_id TEXT NOT NULL, 
	PRIMARY KEY (org_id, object, field, value_hash)
)
 WITHOUT ROWID

;
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','email','058ea45f1a231758cb43d2bfa94bd439','713fb300edcf017346092ed3');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','email','413e631acc683370c09d6c1f1644ce20','713fb300edcf017346092ed5');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','email','43249f42f419378a7bec52ea17507501','713fb300edcf017346092ed4');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','externalId','05fdf68006a145e215fa9e3a0dc82134','713fb300edcf017346092ed4');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','externalId','bf1e780daa0339ad99f306c121a26c87','713fb300edcf017346092ed5');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','externalId','eb5266b9c4e47d6c1343a7426e583d4d','713fb300edcf017346092ed3');
CREATE TABLE org_facts (
	org_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (org_id, name)
)
 WITHOUT ROWID

;
INSERT INTO "org_facts" VALUES('5f0c0ffee5f0c0ffee5f0c0f','tag:vip','713fb302edcf017346092ed8');
INSERT INTO "org_facts" VALUES('5f0c0ffee5f0c0ffee5f0c0f','wire','{"rev": {"customers": true}, "ids": {"customers": [true, 100, 3], "companies": [null, 100, 0]}, "search": {"customers.externalId": [null, 20, 100, 400], "customers.email": [null, 20, 100, 400]}, "search_page_size": null, "sort": true}');
CREATE TABLE schema_version (
	version INTEGER NOT NULL
);
INSERT INTO "schema_version" VALUES(3);
CREATE TABLE stale_lines (
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	PRIMARY KEY (org_id, sync, "key")
)
 WITHOUT ROWID

;
CREATE TABLE sync_changes (
	id INTEGER NOT NULL, 
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	object TEXT NOT NULL, 
	kustomer_id TEXT NOT NULL, 
	effect TEXT NOT NULL, 
	changes TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "sync_changes" VALUES(1,'5f0c0ffee5f0c0ffee5f0c0f','customers','','run-2','C-0','customers','713fb300edcf017346092ed3','accept','[["custom.planStr", "free", "pro"]]','2030-03-17 17:46:42.000000');
INSERT INTO "sync_changes" VALUES(2,'5f0c0ffee5f0c0ffee5f0c0f','customers','','run-2','C-1','customers','713fb300edcf017346092ed4','accept','[["custom.planStr", "free", "pro"]]','2030-03-17 17:46:42.000000');
INSERT INTO "sync_changes" VALUES(3,'5f0c0ffee5f0c0ffee5f0c0f','vip','713fb302edcf017346092ed8','run-3','p0@example.com','customers','713fb300edcf017346092ed3','tag','[["tags", [], ["713fb302edcf017346092ed8"]]]','2030-03-17 17:46:43.000000');
INSERT INTO "sync_changes" VALUES(4,'5f0c0ffee5f0c0ffee5f0c0f','vip','713fb302edcf017346092ed8','run-3','p1@example.com','customers','713fb300edcf017346092ed4','tag','[["tags", [], ["713fb302edcf017346092ed8"]]]','2030-03-17 17:46:43.000000');
CREATE TABLE sync_facts (
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (org_id, sync, name)
)
 WITHOUT ROWID

;
INSERT INTO "sync_facts" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','signature','f7b168a00e2676a1');
INSERT INTO "sync_facts" VALUES('5f0c0ffee5f0c0ffee5f0c0f','vip','signature','c045314a17e43186');
CREATE TABLE sync_log (
	id INTEGER NOT NULL, 
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	kustomer_id TEXT, 
	reason TEXT, 
	reason_code TEXT, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "sync_log" VALUES(1,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-1','C-0','created','713fb300edcf017346092ed3',NULL,NULL,'2030-03-17 17:46:41.000000');
INSERT INTO "sync_log" VALUES(2,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-1','C-1','created','713fb300edcf017346092ed4',NULL,NULL,'2030-03-17 17:46:41.000000');
INSERT INTO "sync_log" VALUES(3,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-1','C-2','created','713fb300edcf017346092ed5',NULL,NULL,'2030-03-17 17:46:41.000000');
INSERT INTO "sync_log" VALUES(4,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-2','C-0','updated','713fb300edcf017346092ed3',NULL,NULL,'2030-03-17 17:46:42.000000');
INSERT INTO "sync_log" VALUES(5,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-2','C-1','updated','713fb300edcf017346092ed4',NULL,NULL,'2030-03-17 17:46:42.000000');
INSERT INTO "sync_log" VALUES(6,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-2','C-2','invalid','713fb300edcf017346092ed5','email is not an e-mail address','invalid','2030-03-17 17:46:42.000000');
INSERT INTO "sync_log" VALUES(7,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-3','p0@example.com','updated','713fb300edcf017346092ed3',NULL,NULL,'2030-03-17 17:46:43.000000');
INSERT INTO "sync_log" VALUES(8,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-3','p1@example.com','updated','713fb300edcf017346092ed4',NULL,NULL,'2030-03-17 17:46:43.000000');
CREATE TABLE sync_rows (
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	fingerprint BIGINT, 
	status TEXT NOT NULL, 
	kustomer_id TEXT, 
	owned BOOLEAN NOT NULL, 
	sent_lists TEXT, 
	reason TEXT, 
	reason_code TEXT, 
	run_id TEXT NOT NULL, 
	updated_at DATETIME NOT NULL, 
	lost_at DATETIME, 
	filed SMALLINT, 
	PRIMARY KEY (org_id, sync, scope, "key")
)
 WITHOUT ROWID

;
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','','C-0',6847681312192543891,'accepted','713fb300edcf017346092ed3',0,'{"emails": ["32ca0b73b430944f0b11f6395823c438"]}',NULL,NULL,'run-2','2030-03-17 17:46:42.000000',NULL,NULL);
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','','C-1',5514283440581073259,'accepted','713fb300edcf017346092ed4',0,'{"emails": ["88c0f7cf8fe82c04224050e9dec35b48"]}',NULL,NULL,'run-2','2030-03-17 17:46:42.000000',NULL,NULL);
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','','C-2',-7028913392149968467,'invalid','713fb300edcf017346092ed5',0,'{"emails": ["463aa97162960478127abd2011c82ca9"]}','email is not an e-mail address','invalid','run-2','2030-03-17 17:46:42.000000',NULL,NULL);
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','vip','713fb302edcf017346092ed8','p0@example.com',-4596535427142792004,'accepted','713fb300edcf017346092ed3',1,NULL,NULL,NULL,'run-3','2030-03-17 17:46:43.000000',NULL,NULL);
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','vip','713fb302edcf017346092ed8','p1@example.com',2537281342681414759,'accepted','713fb300edcf017346092ed4',1,NULL,NULL,NULL,'run-3','2030-03-17 17:46:43.000000',NULL,NULL);
CREATE TABLE sync_runs (
	id INTEGER NOT NULL, 
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	finished_at DATETIME NOT NULL, 
	read INTEGER NOT NULL, 
	created INTEGER NOT NULL, 
	updated INTEGER NOT NULL, 
	unchanged INTEGER NOT NULL, 
	skipped INTEGER NOT NULL, 
	invalid INTEGER NOT NULL, 
	rejected INTEGER NOT NULL, 
	"deferred" INTEGER NOT NULL, 
	removed INTEGER NOT NULL, 
	removals_held INTEGER NOT NULL, 
	removals_refused INTEGER NOT NULL, 
	removals_waiting INTEGER NOT NULL, 
	changes_held INTEGER NOT NULL, 
	requests INTEGER NOT NULL, 
	seconds FLOAT, 
	interrupted TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "sync_runs" VALUES(1,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-1','2030-03-17 17:46:40.000000','2030-03-17 17:46:41.000000',3,3,0,0,0,0,0,0,0,0,0,0,0,4,1.00000000700000013509e+00,NULL);
INSERT INTO "sync_runs" VALUES(2,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-2','2030-03-17 17:46:41.000000','2030-03-17 17:46:42.000000',3,0,2,0,0,1,0,0,0,0,0,0,0,5,1.00000001400000071427e+00,NULL);
INSERT INTO "sync_runs" VALUES(3,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-3','2030-03-17 17:46:42.000000','2030-03-17 17:46:43.000000',2,0,2,0,0,0,0,0,0,0,0,0,0,7,1.00000001600000087975e+00,NULL);
CREATE INDEX sync_rows_not_filed ON sync_rows (org_id, sync, scope, "key") WHERE filed != 1;
CREATE INDEX sync_rows_filed ON sync_rows (org_id, sync, scope, kustomer_id) WHERE filed = 1;
CREATE INDEX ix_bulk_jobs_org_id ON bulk_jobs (org_id);
CREATE INDEX ix_sync_log_run_id ON sync_log (run_id);
CREATE INDEX ix_sync_changes_run_id ON sync_changes (run_id);
CREATE INDEX ix_sync_changes_at ON sync_changes (at);
COMMIT;
