PRAGMA application_id=0x4B42444B;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'kb_service.desk','the_desk_s_record','2026-03-01T00:00:00+00:00');
CREATE TABLE attachments (
  id INTEGER PRIMARY KEY, number TEXT NOT NULL COLLATE NOCASE, article TEXT NOT NULL, revision TEXT NOT NULL,
  relation TEXT NOT NULL, at TEXT NOT NULL
);
INSERT INTO "attachments" VALUES(1,'INC0000001','runbooks/vpn','abc123','resolved_by','2026-03-02T09:00:00.000000+00:00');
CREATE TABLE clicks (
  id INTEGER PRIMARY KEY, search_id INTEGER NOT NULL, article TEXT NOT NULL, revision TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE erased (number TEXT PRIMARY KEY COLLATE NOCASE, change INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "erased" VALUES('INC0000002',5);
CREATE TABLE feedback (
  id INTEGER PRIMARY KEY, article TEXT NOT NULL, revision TEXT NOT NULL, verdict TEXT NOT NULL, comment TEXT NOT NULL,
  anchor TEXT NOT NULL, number TEXT COLLATE NOCASE, at TEXT NOT NULL
);
INSERT INTO "feedback" VALUES(1,'runbooks/vpn','abc123','helped','','','INC0000001','2026-03-02T09:00:00.000000+00:00');
CREATE TABLE incidents (
  number TEXT PRIMARY KEY COLLATE NOCASE, kind TEXT NOT NULL, short_description TEXT NOT NULL,
  description TEXT NOT NULL, service TEXT, cmdb_ci TEXT, category TEXT, impact TEXT, urgency TEXT, priority TEXT,
  state TEXT NOT NULL, assignment_group TEXT, opened_at TEXT NOT NULL, resolved_at TEXT, close_code TEXT,
  close_notes TEXT NOT NULL, parent_incident TEXT COLLATE NOCASE, problem_id TEXT COLLATE NOCASE,
  users_affected INTEGER, known_error INTEGER NOT NULL, workaround TEXT NOT NULL, extra TEXT NOT NULL,
  version INTEGER NOT NULL, change INTEGER NOT NULL, updated_at TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "incidents" VALUES('INC0000001','incident','VPN drops','Every hour, since Monday.','network',NULL,NULL,'low','high','P3','resolved',NULL,'2026-03-02T08:00:00Z','2026-03-02T09:00:00Z',NULL,'Lease renewed.',NULL,'PRB0000001',NULL,0,'','{"u_floor": 3}',2,3,'2026-03-02T09:00:00Z');
INSERT INTO "incidents" VALUES('PRB0000001','problem','The VPN client drops every hour','',NULL,NULL,NULL,NULL,NULL,NULL,'new',NULL,'2026-03-01T08:00:00Z',NULL,NULL,'',NULL,NULL,NULL,1,'Renew the lease.','{}',1,1,'2026-03-02T09:00:00Z');
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('change',5);
INSERT INTO "meta" VALUES('line','0123456789abcdef0123456789abcdef');
CREATE TABLE searches (
  id INTEGER PRIMARY KEY, channel TEXT NOT NULL, text TEXT NOT NULL, number TEXT COLLATE NOCASE,
  articles TEXT NOT NULL, at TEXT NOT NULL
);
INSERT INTO "searches" VALUES(1,'search','vpn drops',NULL,'["runbooks/vpn"]','2026-03-02T09:00:00.000000+00:00');
CREATE TABLE suggestion_events (
  id INTEGER PRIMARY KEY, suggestion_id TEXT NOT NULL, event TEXT NOT NULL, article TEXT, revision TEXT,
  number TEXT COLLATE NOCASE, at TEXT NOT NULL
);
INSERT INTO "suggestion_events" VALUES(1,'fedcba9876543210fedcba9876543210','opened','runbooks/vpn','abc123',NULL,'2026-03-02T09:00:00.000000+00:00');
CREATE TABLE suggestions (
  id TEXT PRIMARY KEY, text TEXT NOT NULL, articles TEXT NOT NULL, at TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "suggestions" VALUES('fedcba9876543210fedcba9876543210','vpn drops','["runbooks/vpn"]','2026-03-02T09:00:00.000000+00:00');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE UNIQUE INDEX incidents_change ON incidents (change);
CREATE INDEX incidents_opened ON incidents (opened_at);
CREATE INDEX incidents_parent ON incidents (parent_incident) WHERE parent_incident IS NOT NULL;
CREATE INDEX incidents_problem ON incidents (problem_id) WHERE problem_id IS NOT NULL;
CREATE INDEX attachments_number ON attachments (number);
CREATE INDEX attachments_article ON attachments (article);
CREATE INDEX feedback_article ON feedback (article);
CREATE INDEX feedback_number ON feedback (number) WHERE number IS NOT NULL;
CREATE INDEX searches_number ON searches (number) WHERE number IS NOT NULL;
CREATE INDEX clicks_search ON clicks (search_id);
CREATE INDEX suggestion_events_suggestion ON suggestion_events (suggestion_id)
;
COMMIT;
