-- Rows of a state that a program of schema 1 left behind: at least one in each
-- table, with every optional column once. Never edited, like the schema itself.

UPDATE counter SET value = 7 WHERE name = 'ledger';
UPDATE counter SET value = 3 WHERE name = 'revisions';
INSERT INTO counter VALUES ('identity', 424242);

INSERT INTO record VALUES (1, 'line-sim', '1', 'text/csv', X'31302c4d312c3630', X'820c36f3d5da1cb4bb9388133f6ab88de483777e4b1b0182e06bad9f6b65e798', 1795384800000000, 'counts.csv', 2);
INSERT INTO record VALUES (2, 'line-sim', '2', 'text/csv', X'32302c4d312c3537', X'7b1ea048b915f9cba1150d45300c1dbd7338b8bd2e316222633d046cda08f28f', 1795384800000001, 'counts.csv', 3);
INSERT INTO record_conflict VALUES (1, 1, X'5b68cb00f936721449ddbe12ffb20fa9bb989e3304a4d7563b82f0a54e130022', X'31302c4d312c3631', 1795384800000002, 'again.csv', 2);
INSERT INTO record_rejected VALUES (1, 'counts.csv', 4, 'parts_total', 'no number', 'correct the row', X'33302c4d312c78', X'4e90bc6d122c607a752b2fc443cbb2b49b5c3a077d1fa1fcbb36316f9ff6c98e', 1795384800000000);
INSERT INTO record_quarantine VALUES (1, 'line-sim', '9', 'text/csv', X'39392c4d312c31', X'7ba42645602ccc161dd8975e42b42a04d34311bbf27419a0bad4d9a34d162cce', 1795384800000000, 'counts.csv', 9, 'from the future');
INSERT INTO checkpoint VALUES ('line-sim', '4');
INSERT INTO sealed VALUES (1, 'plant-a', 1, 1, 'aa');
INSERT INTO sealed VALUES (2, 'plant-a', 2, 2, NULL);
INSERT INTO admitted VALUES ('plant-b', 1, 'bb', 1795384800000000);

INSERT INTO scope VALUES (1, 'ibp', '');
INSERT INTO binding VALUES (1, '', 'host/PTDEMO');
INSERT INTO pause VALUES ('host/user', 1795384800000000);
INSERT INTO measure VALUES (1, 'live');
INSERT INTO recipe VALUES (1, 'cafe');
INSERT INTO place VALUES (1, 'LINE-1', '1010', '');
INSERT INTO place VALUES (2, 'LINE-2', '1020', '=P-7');
-- The week that begins on 2026-11-23: day 20780, kind 1.
INSERT INTO cell_group VALUES (1, 1, 83121, 1);
INSERT INTO cell_group VALUES (2, 1, 83121, 2);
-- Seen, its second revision.
INSERT INTO cell VALUES (1, 1, 2, 4, NULL, 1, '101.5', '101.4987', 1, 1795384800000000, 1795388400000000, 1, 1795384800000000, 2, 2, 2, 1795384800000000, 2, 0, 0, 1, '99', 1795384800000000, '101.5', 2, 1, 1795384800000000, 0);
-- Held by a person's lock; another value stands there.
INSERT INTO cell VALUES (2, 1, 1, 1, 'lock', 5, '80', '80', 4, 1795384800000000, 1795388400000000, 1, 1795384800000000, 1, 1, 1, 1795384800000000, 1, 0, 0, 1, NULL, 1795384800000000, '77', 1, 0, NULL, 1);
INSERT INTO past_revision VALUES (1, 1, 1, 7, '99', '99.01', 2, 1795384799999999, 1795384800000000, 1, 1795384799999999);
INSERT INTO tally VALUES (1, 4, 1);
INSERT INTO tally VALUES (1, 1, 1);
INSERT INTO tally VALUES (1, 7, 1);
INSERT INTO cycle VALUES (3, 'ibp', 1795384800000000, 1795384800000000, 2, 3);
INSERT INTO attempt VALUES (1, '000000000000000000000000000000a1', 1, 'plan-1', 2, 1795384799999999, 1795384800000000, 'done', 'job-1', 'PROCESSED', 1795384800000000, NULL);
INSERT INTO attempt VALUES (2, '000000000000000000000000000000a2', 1, 'plan-2', 1, 1795384800000000, 1795384800000000, 'unknown', NULL, NULL, NULL, 'no answer');
INSERT INTO note VALUES (2, 'transaction', 'T-77');
INSERT INTO attempt_cell VALUES (1, 0, 1, 1, 1, 0, NULL, 0, 'accepted', NULL, NULL, NULL);
INSERT INTO attempt_cell VALUES (1, 1, 2, 1, 1, 1, NULL, 0, 'rejected', 'no such resource', 'E1', 'create it');
INSERT INTO attempt_cell VALUES (2, 0, 1, 1, 2, 1, '99', 1, 'unclear', NULL, NULL, NULL);
INSERT INTO cell_lock VALUES (2, 1, 'send', 'a planner', 'strike', 1795384800000000, 4000000000000000);
INSERT INTO case_file VALUES (1, 1, 'mass', 'planning lead', '9 cells', 'one of them', 9, 1, 1795384800000000, 1795384800000000, NULL, NULL);
INSERT INTO case_file VALUES (2, 1, 'job', 'owner of the load', '4 cells', 'another', 4, 0, 1795384800000000, 1795384800000000, 1795384800000000, 'a planner');
