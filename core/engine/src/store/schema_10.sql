-- Schema 10. What becomes of each revision that a target refused.
CREATE TABLE rejection (
    grp INTEGER NOT NULL,
    measure INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    attempt INTEGER NOT NULL, -- in which it was refused last
    at INTEGER NOT NULL,      -- when
    state INTEGER NOT NULL,
    basis TEXT NOT NULL,      -- digest of the mapping behind it then; empty where nobody knows
    ended_at INTEGER,         -- none while somebody may have to act
    who TEXT NOT NULL,        -- who ended it, where a person did
    why TEXT NOT NULL,        -- why it ended
    PRIMARY KEY (grp, measure, rev)
) WITHOUT ROWID;
CREATE INDEX rejection_ended ON rejection (scope, ended_at);
INSERT INTO rejection
    SELECT c.grp, c.measure, c.rev, g.scope, c.last_attempt, COALESCE(a.closed_at, c.made_at), 0,
        '', NULL, '', ''
    FROM cell c JOIN cell_group g ON g.id = c.grp LEFT JOIN attempt a ON a.id = c.last_attempt
    WHERE c.state = 5;
-- A refused revision that was replaced is no cell that waits: 5 rejected, 7 overtaken.
INSERT INTO tally
    SELECT g.scope, 7, COUNT(*) FROM past_revision p JOIN cell_group g ON g.id = p.grp
    WHERE p.state = 5 GROUP BY g.scope
    ON CONFLICT (scope, state) DO UPDATE SET n = n + excluded.n;
UPDATE tally SET n = n - (
    SELECT COUNT(*) FROM past_revision p JOIN cell_group g ON g.id = p.grp
    WHERE p.state = 5 AND g.scope = tally.scope
) WHERE state = 5;
UPDATE past_revision SET state = 7 WHERE state = 5;
