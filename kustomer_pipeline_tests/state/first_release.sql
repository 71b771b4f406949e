-- The state of the first release (layout 1), as Connection.iterdump wrote it; made by that release's own modules.
-- Runs of companies, customers and the audience vip; then, by hand, what killed runs leave behind.
BEGIN TRANSACTION;
CREATE TABLE bulk_jobs (
	job_id TEXT NOT NULL, 
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	bulk_id TEXT, 
	items TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (job_id)
);
INSERT INTO "bulk_jobs" VALUES('11111111111111111111111111111111','5f0c0ffee5f0c0ffee5f0c0f','load of companies','load','create',NULL,'[{"ref": "11111111111111111111111111111111-0", "key": "A-11", "fingerprint": 11, "kustomer_id": null, "owned": false, "effect": "accept", "changes": [], "sent_lists": {}, "young": false}, {"ref": "11111111111111111111111111111111-1", "key": "A-12", "fingerprint": 12, "kustomer_id": null, "owned": false, "effect": "accept", "changes": [], "sent_lists": {}, "young": false}]','2026-11-24 10:43:27.119671');
INSERT INTO "bulk_jobs" VALUES('22222222222222222222222222222222','5f0c0ffee5f0c0ffee5f0c0f','people','left','update','bulk-of-people','[{"ref": "22222222222222222222222222222222-0", "key": "P-1", "fingerprint": 6, "kustomer_id": "5f0000000000000000000001", "owned": false, "effect": "accept", "changes": [["name", "Before", "After"], ["phones", ["+1"], ["+1", "+2"]]], "sent_lists": {"phones": ["0123", "4567"]}, "young": false}]','2026-11-24 10:43:27.122358');
INSERT INTO "bulk_jobs" VALUES('33333333333333333333333333333333','5f0c0ffee5f0c0ffee5f0c0f','people','left','update',NULL,'[{"ref": "33333333333333333333333333333333-0", "key": "P-3", "fingerprint": null, "kustomer_id": "5f0000000000000000000003", "owned": false, "effect": "accept", "changes": [], "sent_lists": {}, "young": true}]','2026-11-24 10:43:27.123951');
INSERT INTO "bulk_jobs" VALUES('44444444444444444444444444444444','5f0c0ffee5f0c0ffee5f0c0f','gold','left','update',NULL,'[{"ref": "44444444444444444444444444444444-0", "key": "g2@example.com", "fingerprint": 0, "kustomer_id": "5f0000000000000000000012", "owned": true, "effect": "untag", "changes": [], "sent_lists": {}, "young": false}, {"ref": "44444444444444444444444444444444-1", "key": "g3@example.com", "fingerprint": 0, "kustomer_id": "5f0000000000000000000013", "owned": true, "effect": "accept", "changes": [], "sent_lists": {}, "young": false}]','2026-11-24 10:43:27.126836');
INSERT INTO "bulk_jobs" VALUES('55555555555555555555555555555555','5f0c0ffee5f0c0ffee5f0c0f','undo_run','undo','update',NULL,'[{"ref": "55555555555555555555555555555555-0", "key": "people/P-1", "fingerprint": null, "kustomer_id": "5f0000000000000000000001", "owned": false, "effect": "undo", "changes": [["name", "After", "Before"]], "sent_lists": {}, "young": false}]','2026-11-24 10:43:27.127806');
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
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','companies','externalId','440430e17956f22b14254d5ee653d869','5f00000000000000000000a1');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','companies','externalId','5d39e9e03694ca4bbb4cef9e509b7a8b','713fb3026556f6c473050c03');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','companies','externalId','9cb342e8837aeb6c7a6903a020644bd0','713fb3026556f6c473050c05');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','companies','externalId','b61eaa70cc7514c6e3f962a562a0d144','713fb3026556f6c473050c04');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','email','014272a82d74977937e4eee47e7fea18','713fb3076556f6c473050c0f');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','email','058ea45f1a231758cb43d2bfa94bd439','713fb3076556f6c473050c0a');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','email','413e631acc683370c09d6c1f1644ce20','713fb3076556f6c473050c0c');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','email','43249f42f419378a7bec52ea17507501','713fb3076556f6c473050c0b');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','email','72bbf39f7b7e5c5910f40528ac7d4d09','713fb3076556f6c473050c0e');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','email','bdd4cc8f96d1637c6a69b27d92b04485','713fb3076556f6c473050c0d');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','externalId','05fdf68006a145e215fa9e3a0dc82134','713fb3076556f6c473050c0b');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','externalId','3661435efdd8122a0402a068780b0a0f','713fb3076556f6c473050c0f');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','externalId','b9a724d1dbe786659e4c63befd846266','713fb3076556f6c473050c0d');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','externalId','bf1e780daa0339ad99f306c121a26c87','713fb3076556f6c473050c0c');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','externalId','dfc504acdfa51c0ed83b6479cebc6e33','713fb3076556f6c473050c0e');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','externalId','eb5266b9c4e47d6c1343a7426e583d4d','713fb3076556f6c473050c0a');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','phone','114958e4a7b956c532953cf96e0e6860','713fb3076556f6c473050c0d');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','phone','6cf8538583e330a4e6bcac0c3df026f4','713fb3076556f6c473050c0f');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','phone','92bf00e035c19144b3049fb267f97d7b','713fb3076556f6c473050c0b');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','phone','b61a4aa267dae37d6aa2f92cd2570254','713fb3076556f6c473050c0e');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','phone','e459c67c2990a4f5dfb432c5bfb83b22','713fb3076556f6c473050c0a');
INSERT INTO "identities" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','phone','f8715d1bbc61d7e49121f7f3b7fc7472','713fb3076556f6c473050c0c');
CREATE TABLE schema_version (
	version INTEGER NOT NULL
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE sync_changes (
	id INTEGER NOT NULL, 
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	object TEXT NOT NULL, 
	kustomer_id TEXT NOT NULL, 
	changes TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "sync_changes" VALUES(1,'5f0c0ffee5f0c0ffee5f0c0f','companies','run-2','A-2','companies','713fb3026556f6c473050c05','[["name", "Company 2", "Company 2 Ltd"]]','2026-11-24 10:43:26.775632');
INSERT INTO "sync_changes" VALUES(2,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-4','C-0','customers','713fb3076556f6c473050c0a','[["name", "Person 0", "Person Nought"], ["custom.planStr", "free", "pro"]]','2026-11-24 10:43:26.911375');
INSERT INTO "sync_changes" VALUES(3,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','p0@example.com','customers','713fb3076556f6c473050c0a','[["tags", [], ["5f7a65f7a65f7a65f7a65f7a"]]]','2026-11-24 10:43:27.038577');
INSERT INTO "sync_changes" VALUES(4,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','p1@example.com','customers','713fb3076556f6c473050c0b','[["tags", [], ["5f7a65f7a65f7a65f7a65f7a"]]]','2026-11-24 10:43:27.038577');
INSERT INTO "sync_changes" VALUES(5,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','p2@example.com','customers','713fb3076556f6c473050c0c','[["tags", [], ["5f7a65f7a65f7a65f7a65f7a"]]]','2026-11-24 10:43:27.038577');
INSERT INTO "sync_changes" VALUES(6,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','p3@example.com','customers','713fb3076556f6c473050c0d','[["tags", [], ["5f7a65f7a65f7a65f7a65f7a"]]]','2026-11-24 10:43:27.038577');
INSERT INTO "sync_changes" VALUES(7,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-7','p3@example.com','customers','713fb3076556f6c473050c0d','[["tags", ["5f7a65f7a65f7a65f7a65f7a"], []]]','2026-11-24 10:43:27.100652');
CREATE TABLE sync_facts (
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (org_id, sync, name)
)
 WITHOUT ROWID

;
INSERT INTO "sync_facts" VALUES('5f0c0ffee5f0c0ffee5f0c0f','gold','tag_id','5f601d5f601d5f601d5f601d');
INSERT INTO "sync_facts" VALUES('5f0c0ffee5f0c0ffee5f0c0f','vip','tag_id','5f7a65f7a65f7a65f7a65f7a');
CREATE TABLE sync_log (
	id INTEGER NOT NULL, 
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	kustomer_id TEXT, 
	reason TEXT, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "sync_log" VALUES(1,'5f0c0ffee5f0c0ffee5f0c0f','companies','run-1','A-0','created','713fb3026556f6c473050c03',NULL,'2026-11-24 10:43:26.708219');
INSERT INTO "sync_log" VALUES(2,'5f0c0ffee5f0c0ffee5f0c0f','companies','run-1','A-1','created','713fb3026556f6c473050c04',NULL,'2026-11-24 10:43:26.708219');
INSERT INTO "sync_log" VALUES(3,'5f0c0ffee5f0c0ffee5f0c0f','companies','run-1','A-2','created','713fb3026556f6c473050c05',NULL,'2026-11-24 10:43:26.708219');
INSERT INTO "sync_log" VALUES(4,'5f0c0ffee5f0c0ffee5f0c0f','companies','run-2','A-2','updated','713fb3026556f6c473050c05',NULL,'2026-11-24 10:43:26.778098');
INSERT INTO "sync_log" VALUES(5,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-3','C-0','created','713fb3076556f6c473050c0a',NULL,'2026-11-24 10:43:26.850291');
INSERT INTO "sync_log" VALUES(6,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-3','C-1','created','713fb3076556f6c473050c0b',NULL,'2026-11-24 10:43:26.850291');
INSERT INTO "sync_log" VALUES(7,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-3','C-2','created','713fb3076556f6c473050c0c',NULL,'2026-11-24 10:43:26.850291');
INSERT INTO "sync_log" VALUES(8,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-3','C-3','created','713fb3076556f6c473050c0d',NULL,'2026-11-24 10:43:26.850291');
INSERT INTO "sync_log" VALUES(9,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-3','C-4','created','713fb3076556f6c473050c0e',NULL,'2026-11-24 10:43:26.850291');
INSERT INTO "sync_log" VALUES(10,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-3','C-5','created','713fb3076556f6c473050c0f',NULL,'2026-11-24 10:43:26.850291');
INSERT INTO "sync_log" VALUES(11,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-4','C-0','updated','713fb3076556f6c473050c0a',NULL,'2026-11-24 10:43:26.913774');
INSERT INTO "sync_log" VALUES(12,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-5','C-6','invalid',NULL,'email is not an e-mail address','2026-11-24 10:43:26.965577');
INSERT INTO "sync_log" VALUES(13,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','stranger@example.com','skipped',NULL,'not in Kustomer','2026-11-24 10:43:27.028651');
INSERT INTO "sync_log" VALUES(14,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','p0@example.com','updated','713fb3076556f6c473050c0a',NULL,'2026-11-24 10:43:27.039801');
INSERT INTO "sync_log" VALUES(15,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','p1@example.com','updated','713fb3076556f6c473050c0b',NULL,'2026-11-24 10:43:27.039801');
INSERT INTO "sync_log" VALUES(16,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','p2@example.com','updated','713fb3076556f6c473050c0c',NULL,'2026-11-24 10:43:27.039801');
INSERT INTO "sync_log" VALUES(17,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','p3@example.com','updated','713fb3076556f6c473050c0d',NULL,'2026-11-24 10:43:27.039801');
INSERT INTO "sync_log" VALUES(18,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-7','p3@example.com','removed','713fb3076556f6c473050c0d',NULL,'2026-11-24 10:43:27.101779');
CREATE TABLE sync_rows (
	org_id TEXT NOT NULL, 
	sync TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	fingerprint BIGINT, 
	status TEXT NOT NULL, 
	kustomer_id TEXT, 
	owned BOOLEAN NOT NULL, 
	sent_lists TEXT, 
	reason TEXT, 
	run_id TEXT NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (org_id, sync, "key")
)
 WITHOUT ROWID

;
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','companies','A-0',-2034676635712876600,'accepted','713fb3026556f6c473050c03',0,NULL,NULL,'run-1','2026-11-24 10:43:26.706328');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','companies','A-1',-4974854336135856427,'accepted','713fb3026556f6c473050c04',0,NULL,NULL,'run-1','2026-11-24 10:43:26.706328');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','companies','A-2',4842884686791380908,'accepted','713fb3026556f6c473050c05',0,NULL,NULL,'run-2','2026-11-24 10:43:26.776383');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','C-0',4166374602576531152,'accepted','713fb3076556f6c473050c0a',0,NULL,NULL,'run-4','2026-11-24 10:43:26.912045');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','C-1',-7461674339630179962,'accepted','713fb3076556f6c473050c0b',0,NULL,NULL,'run-3','2026-11-24 10:43:26.848606');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','C-2',-2161924176571733075,'accepted','713fb3076556f6c473050c0c',0,NULL,NULL,'run-3','2026-11-24 10:43:26.848606');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','C-3',5018515336455214628,'accepted','713fb3076556f6c473050c0d',0,NULL,NULL,'run-3','2026-11-24 10:43:26.848606');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','C-4',5403980468731949797,'accepted','713fb3076556f6c473050c0e',0,NULL,NULL,'run-3','2026-11-24 10:43:26.848606');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','C-5',7140709102780094527,'accepted','713fb3076556f6c473050c0f',0,NULL,NULL,'run-3','2026-11-24 10:43:26.848606');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','customers','C-6',-2741640658625071492,'invalid',NULL,0,NULL,'email is not an e-mail address','run-5','2026-11-24 10:43:26.964268');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','gold','g1@example.com',0,'accepted','5f0000000000000000000011',1,NULL,NULL,'left','2026-11-24 10:43:27.125297');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','gold','g2@example.com',NULL,'accepted','5f0000000000000000000012',1,NULL,NULL,'left','2026-11-24 10:43:27.125297');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','gold','g3@example.com',NULL,'sent','5f0000000000000000000013',1,NULL,NULL,'left','2026-11-24 10:43:27.126341');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','gold','g4@example.com',0,'skipped',NULL,0,NULL,NULL,'left','2026-11-24 10:43:27.125297');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','load of companies','A-10',10,'accepted','5f00000000000000000000a1',0,NULL,NULL,'load','2026-11-24 10:43:27.116490');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','people','P-1',NULL,'accepted','5f0000000000000000000001',0,'{"phones": ["0123"]}',NULL,'left','2026-11-24 10:43:27.120842');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','people','P-2',2,'skipped',NULL,0,NULL,NULL,'left','2026-11-24 10:43:27.120842');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','people','P-3',NULL,'rejected','5f0000000000000000000003',0,NULL,'Kustomer refused it: too long','left','2026-11-24 10:43:27.120842');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','people','P-4',4,'invalid',NULL,0,NULL,'email ''x'' is no e-mail address','left','2026-11-24 10:43:27.120842');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','people','P-5',NULL,'unsettled',NULL,0,NULL,NULL,'left','2026-11-24 10:43:27.120842');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','vip','p0@example.com',-4596535427142792004,'accepted','713fb3076556f6c473050c0a',1,NULL,NULL,'run-6','2026-11-24 10:43:27.039189');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','vip','p1@example.com',2537281342681414759,'accepted','713fb3076556f6c473050c0b',1,NULL,NULL,'run-6','2026-11-24 10:43:27.039189');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','vip','p2@example.com',6610786577011367280,'accepted','713fb3076556f6c473050c0c',1,NULL,NULL,'run-6','2026-11-24 10:43:27.039189');
INSERT INTO "sync_rows" VALUES('5f0c0ffee5f0c0ffee5f0c0f','vip','stranger@example.com',2299409661368026596,'skipped',NULL,0,NULL,NULL,'run-6','2026-11-24 10:43:27.027001');
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
	requests INTEGER NOT NULL, 
	interrupted TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "sync_runs" VALUES(1,'5f0c0ffee5f0c0ffee5f0c0f','companies','run-1','2026-11-24 10:43:26.686002','2026-11-24 10:43:26.719425',3,3,0,0,0,0,0,0,0,0,10,NULL);
INSERT INTO "sync_runs" VALUES(2,'5f0c0ffee5f0c0ffee5f0c0f','companies','run-2','2026-11-24 10:43:26.754754','2026-11-24 10:43:26.785635',3,0,1,2,0,0,0,0,0,0,7,NULL);
INSERT INTO "sync_runs" VALUES(3,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-3','2026-11-24 10:43:26.824110','2026-11-24 10:43:26.857509',6,6,0,0,0,0,0,0,0,0,10,NULL);
INSERT INTO "sync_runs" VALUES(4,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-4','2026-11-24 10:43:26.894756','2026-11-24 10:43:26.920061',6,0,1,5,0,0,0,0,0,0,7,NULL);
INSERT INTO "sync_runs" VALUES(5,'5f0c0ffee5f0c0ffee5f0c0f','customers','run-5','2026-11-24 10:43:26.956709','2026-11-24 10:43:26.969380',7,0,0,6,0,1,0,0,0,0,1,NULL);
INSERT INTO "sync_runs" VALUES(6,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-6','2026-11-24 10:43:27.011652','2026-11-24 10:43:27.045863',5,0,4,0,1,0,0,0,0,0,10,NULL);
INSERT INTO "sync_runs" VALUES(7,'5f0c0ffee5f0c0ffee5f0c0f','vip','run-7','2026-11-24 10:43:27.080099','2026-11-24 10:43:27.107334',4,0,0,3,1,0,0,0,1,0,8,NULL);
CREATE INDEX ix_bulk_jobs_org_id ON bulk_jobs (org_id);
CREATE INDEX ix_sync_log_run_id ON sync_log (run_id);
CREATE INDEX ix_sync_changes_at ON sync_changes (at);
CREATE INDEX ix_sync_changes_run_id ON sync_changes (run_id);
COMMIT;
