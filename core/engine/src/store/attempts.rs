//! Rows of attempts: what was sent, and what became of each cell.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{Receipt, Rejection, RevisionState, Scope};
use planthread_kit::{AttemptId, AttemptRecord, CellWrite, RecordedBatch};
use rusqlite::{Row, params};
use rust_decimal::Decimal;

use super::{
    codec,
    codes::{self, AttemptWord, PartWord},
    db::{Db, Sql, Tx},
    names::{self, CellId},
    told,
};
use crate::{
    EngineError,
    error::Result,
    ledger::{AttemptSummary, AttemptTrace, OpenAttempt},
    plan::pace::Tried,
};

/// One cell of an attempt.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) attempt: i64,
    /// Its place in the batch: with the attempt, the key of its row.
    pub(crate) place: usize,
    pub(crate) id: CellId,
    pub(crate) rev: u64,
    /// Whether it only travelled with its group.
    pub(crate) carried: bool,
    /// What was read before it, when something was.
    pub(crate) before: Option<Option<Decimal>>,
}

/// How an attempt ended.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) word: AttemptWord,
    pub(crate) receipt: Option<&'a Receipt>,
    pub(crate) error: Option<String>,
}

/// Why the target refused a cell, and in which attempt.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) rejection: Rejection,
    pub(crate) attempt: String,
}

impl Db {
    /// Number, scope and cells of an attempt that is open.
    pub(crate) fn open_attempt(&self, id: &AttemptId) -> Result<Option<(i64, i64, usize)>> {
        let sql =
            Sql::seeks("SELECT id, scope, cells FROM attempt WHERE hex = ?1 AND closed_at IS NULL");
        self.find(sql, [id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    }

    /// Every open attempt of a target, oldest first.
    pub(crate) fn open_attempts(&self, target: &str) -> Result<Vec<OpenAttempt>> {
        let sql = Sql::walks(
            "SELECT a.hex, s.target, s.name, a.opened_at, a.cells
             FROM attempt a JOIN scope s ON s.id = a.scope
             WHERE a.closed_at IS NULL AND s.target = ?1 ORDER BY a.id",
            "the open attempts: as many as batches under way",
        );
        self.all(sql, [target], |row| {
            let hex: String = row.get(0)?;
            let id = AttemptId::parse(&hex)
                .ok_or_else(|| EngineError::Stored(format!("`{hex}` as an attempt")))?;
            Ok(OpenAttempt {
                record: AttemptRecord { notes: self.notes(&id)?, id },
                target: row.get(1)?,
                scope: row.get(2)?,
                opened_at: codec::at(row, 3)?,
                cells: row.get(4)?,
            })
        })
    }

    /// How many attempts of a scope are open.
    pub(crate) fn open_attempt_count(&self, scope: i64) -> Result<u64> {
        let sql = Sql::walks(
            "SELECT COUNT(*) FROM attempt WHERE scope = ?1 AND closed_at IS NULL",
            "the open attempts: as many as batches under way",
        );
        self.number(sql, [scope])
    }

    /// The newest attempt's number; 0 before the first.
    pub(crate) fn newest_attempt(&self) -> Result<i64> {
        let sql = Sql::walks(
            "SELECT COALESCE(MAX(id), 0) FROM attempt",
            "one row: the greatest key is the last of the tree",
        );
        self.number(sql, [])
    }

    /// What the last attempts of a target took, the newest first.
    pub(crate) fn tried(&self, target: &str, now: Timestamp) -> Result<Vec<Tried>> {
        let sql = Sql::walks(
            "SELECT a.cells, a.opened_at, a.closed_at, a.end
             FROM (SELECT * FROM attempt ORDER BY id DESC LIMIT 200) a
             JOIN scope s ON s.id = a.scope WHERE s.target = ?1 ORDER BY a.id DESC LIMIT 8",
            "at most 200 rows, from the end of the tree",
        );
        self.all(sql, [target], |row| {
            let opened = codec::at(row, 1)?;
            let closed = codec::maybe_at(row, 2)?.unwrap_or(now);
            let done = codes::attempt_word(AttemptWord::Done);
            Ok(Tried {
                cells: row.get(0)?,
                took: closed.duration_since(opened).unsigned_abs(),
                done: codec::maybe_text(row, 3)? == Some(done),
            })
        })
    }

    /// Id and receipt's handle of an attempt; empty when it has no receipt.
    pub(crate) fn attempt_names(&self, attempt: i64) -> Result<Option<(String, String)>> {
        let sql = Sql::seeks("SELECT hex, COALESCE(handle, '') FROM attempt WHERE id = ?1");
        self.find(sql, [attempt], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The notes of an attempt.
    pub(crate) fn notes(&self, id: &AttemptId) -> Result<BTreeMap<String, String>> {
        let sql = Sql::seeks(
            "SELECT n.key, n.value FROM attempt a JOIN note n ON n.attempt = a.id
             WHERE a.hex = ?1",
        );
        self.all(sql, [id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The cells of an attempt in the order of its batch, which is that of keys.
    pub(crate) fn parts(&self, attempt: i64) -> Result<Vec<Part>> {
        let sql = Sql::seeks(
            "SELECT attempt, place, grp, measure, rev, carried, before_known, before
             FROM attempt_cell WHERE attempt = ?1 ORDER BY place",
        );
        self.all(sql, [attempt], part)
    }

    /// What an attempt carried, in the order of its batch: each cell with the
    /// revision and the value that went out, also where a newer one is wanted
    /// since.
    pub(crate) fn batch(&self, id: &AttemptId) -> Result<RecordedBatch> {
        let sql = Sql::seeks(
            "SELECT g.id, g.scope, s.target, s.name, p.resource, p.location, p.product, g.period,
                m.name, ac.rev, COALESCE(
                (SELECT c.value FROM cell c
                 WHERE c.grp = ac.grp AND c.measure = ac.measure AND c.rev = ac.rev),
                (SELECT pr.value FROM past_revision pr
                 WHERE pr.grp = ac.grp AND pr.measure = ac.measure AND pr.rev = ac.rev))
             FROM attempt a JOIN attempt_cell ac ON ac.attempt = a.id
             JOIN cell_group g ON g.id = ac.grp JOIN scope s ON s.id = g.scope
             JOIN place p ON p.id = g.place JOIN measure m ON m.id = ac.measure
             WHERE a.hex = ?1 ORDER BY ac.place",
        );
        let mut scope = Scope::base();
        let cells = self.all(sql, [id.as_str()], |row| {
            let group = names::group(row, 0)?;
            let (measure, revision): (String, u64) = (row.get(8)?, row.get(9)?);
            let value = codec::maybe_number(row, 10)?.ok_or_else(|| {
                EngineError::Stored(format!(
                    "attempt {id} carried revision {revision}, which is gone"
                ))
            })?;
            scope = Scope::named(&group.key.scope);
            Ok(CellWrite { key: group.cell(&measure), revision, value })
        })?;
        Ok(RecordedBatch::new(scope, cells))
    }

    /// What became of a cell in an attempt, once that is closed.
    pub(crate) fn part_end(&self, attempt: i64, id: CellId) -> Result<Option<PartWord>> {
        let sql = Sql::seeks(
            "SELECT outcome FROM attempt_cell
             WHERE grp = ?1 AND measure = ?2 AND attempt = ?3",
        );
        let word = self.find(sql, params![id.grp, id.measure, attempt], |row| {
            codec::maybe_text(row, 0)?.map(codes::part).transpose()
        })?;
        Ok(word.flatten())
    }

    /// The target's own word for an attempt; empty when it gave none.
    pub(crate) fn verdict(&self, attempt: i64) -> Result<String> {
        let sql = Sql::seeks("SELECT COALESCE(verdict, '') FROM attempt WHERE id = ?1");
        self.number(sql, [attempt])
    }

    /// The cells of the closed attempts of a target that may have taken effect
    /// and have this id, or this handle of a receipt.
    pub(crate) fn parts_of_receipt(&self, target: &str, receipt: &str) -> Result<Vec<Part>> {
        let by_id = Sql::seeks(
            "SELECT a.id FROM attempt a JOIN scope s ON s.id = a.scope
             WHERE a.hex = ?1 AND s.target = ?2 AND a.closed_at IS NOT NULL
             AND a.end <> 'not_taken'",
        );
        let by_handle = Sql::seeks(
            "SELECT a.id FROM attempt a JOIN scope s ON s.id = a.scope
             WHERE a.handle = ?1 AND s.target = ?2 AND a.closed_at IS NOT NULL
             AND a.end <> 'not_taken' ORDER BY a.id",
        );
        let id = |row: &Row<'_>| Ok(row.get::<_, i64>(0)?);
        let mut attempts: Vec<i64> = self.all(by_id, [receipt, target], id)?;
        attempts.extend(self.all::<_, Vec<i64>>(by_handle, [receipt, target], id)?);
        attempts.sort_unstable();
        attempts.dedup();
        let mut parts = Vec::new();
        for attempt in attempts {
            parts.extend(self.parts(attempt)?);
        }
        Ok(parts)
    }

    /// Why the target refused a cell in an attempt.
    pub(crate) fn refusal(&self, attempt: i64, id: CellId) -> Result<Option<Refusal>> {
        let sql = Sql::seeks(
            "SELECT c.reason, c.vendor_code, c.cure, a.hex
             FROM attempt_cell c JOIN attempt a ON a.id = c.attempt
             WHERE c.grp = ?1 AND c.measure = ?2 AND c.attempt = ?3",
        );
        self.find(sql, params![id.grp, id.measure, attempt], |row| {
            let nothing =
                || Rejection { reason: String::new(), vendor_code: None, cure: String::new() };
            let rejection = rejection(row, 0)?.unwrap_or_else(nothing);
            Ok(Refusal { rejection, attempt: row.get(3)? })
        })
    }

    /// When the first attempt in a scope ended that the target answered.
    pub(crate) fn first_landing(&self, scope: i64) -> Result<Option<Timestamp>> {
        let sql = Sql::walks(
            "SELECT closed_at FROM attempt WHERE scope = ?1 AND closed_at IS NOT NULL
             AND end = 'done' ORDER BY id LIMIT 1",
            "from the begin of the tree to the first push of the scope",
        );
        self.find(sql, [scope], |row| codec::at(row, 0))
    }

    /// The last `most` attempts, the newest first.
    pub(crate) fn receipts(&self, most: u64) -> Result<Vec<AttemptSummary>> {
        let sql = Sql::walks(
            "SELECT a.hex, s.target, s.name, a.plan, a.cells, a.opened_at, a.closed_at, a.end,
                a.handle, a.verdict, a.receipt_at, a.error
             FROM attempt a JOIN scope s ON s.id = a.scope ORDER BY a.id DESC LIMIT ?1",
            "as many rows as were asked for, from the end of the tree",
        );
        self.all(sql, [most], |row| {
            Ok(AttemptSummary {
                id: row.get(0)?,
                target: row.get(1)?,
                scope: row.get(2)?,
                plan: row.get(3)?,
                cells: row.get(4)?,
                opened_at: codec::at(row, 5)?,
                closed_at: codec::maybe_at(row, 6)?,
                end: row.get(7)?,
                receipt: receipt(row, 8)?,
                error: row.get(11)?,
            })
        })
    }

    /// The attempts that carried a cell, oldest first.
    pub(crate) fn attempts_of(&self, id: CellId) -> Result<Vec<AttemptTrace>> {
        let sql = Sql::seeks(
            "SELECT a.hex, c.rev, a.plan, c.carried, c.before_known, c.before, a.opened_at,
                a.closed_at, a.end, c.outcome, c.reason, c.vendor_code, c.cure, a.handle,
                a.verdict, a.receipt_at, a.error
             FROM attempt_cell c JOIN attempt a ON a.id = c.attempt
             WHERE c.grp = ?1 AND c.measure = ?2 ORDER BY c.attempt",
        );
        self.all(sql, [id.grp, id.measure], |row| {
            let hex: String = row.get(0)?;
            let notes = AttemptId::parse(&hex).map(|id| self.notes(&id)).transpose()?;
            Ok(AttemptTrace {
                id: hex,
                revision: row.get(1)?,
                plan: row.get(2)?,
                carried: row.get(3)?,
                before: before(row, 4)?,
                opened_at: codec::at(row, 6)?,
                closed_at: codec::maybe_at(row, 7)?,
                end: row.get(8)?,
                outcome: row.get(9)?,
                rejection: rejection(row, 10)?,
                receipt: receipt(row, 13)?,
                error: row.get(16)?,
                notes: notes.unwrap_or_default().into_iter().collect(),
            })
        })
    }
}

impl Tx<'_> {
    /// Opens an attempt; its number.
    pub(crate) fn insert_attempt(
        &self,
        id: &AttemptId,
        scope: i64,
        plan: &str,
        cells: usize,
        now: Timestamp,
    ) -> Result<i64> {
        let sql = Sql::seeks(
            "INSERT INTO attempt (hex, scope, plan, cells, opened_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        );
        self.insert(sql, params![id.as_str(), scope, plan, cells, codec::micros(now)])
    }

    /// Notes that a cell is part of an open attempt.
    pub(crate) fn insert_part(&self, part: &Part) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO attempt_cell
             (attempt, place, grp, measure, rev, before_known, before, carried)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        );
        let (id, known) = (part.id, part.before.is_some());
        let before = part.before.flatten().map(codec::decimal_text);
        let (place, rev, carried) = (part.place, part.rev, part.carried);
        let row = params![part.attempt, place, id.grp, id.measure, rev, known, before, carried];
        self.run(sql, row)?;
        Ok(())
    }

    /// Notes what became of all cells of an attempt.
    pub(crate) fn end_parts(&self, attempt: i64, word: PartWord) -> Result<()> {
        let sql = Sql::seeks("UPDATE attempt_cell SET outcome = ?2 WHERE attempt = ?1");
        self.run(sql, params![attempt, codes::part_word(word)])?;
        Ok(())
    }

    /// Notes that the cells of an attempt wait for a read-back, where what was sent of
    /// them is still what is wanted; how many these were. `accepted` says whether the
    /// target took them.
    pub(crate) fn settle_parts(&self, attempt: i64, accepted: bool) -> Result<usize> {
        let sql = Sql::seeks(
            "UPDATE cell SET state = ?3, hold = NULL, open_attempt = 0, unclear = 0,
             accepted_rev = CASE WHEN ?4 THEN part.rev ELSE accepted_rev END,
             accepted_by = CASE WHEN ?4 THEN part.attempt ELSE accepted_by END
             FROM attempt_cell part
             WHERE part.attempt = ?1 AND cell.grp = part.grp AND cell.measure = part.measure
             AND cell.rev = part.rev AND cell.state = ?2",
        );
        let states = [RevisionState::InFlight, RevisionState::Unproven].map(codes::state_code);
        self.run(sql, params![attempt, states[0], states[1], accepted])
    }

    /// Notes what became of a cell of an attempt.
    pub(crate) fn end_part(
        &self,
        part: &Part,
        word: PartWord,
        rejection: Option<&Rejection>,
    ) -> Result<()> {
        let sql = Sql::seeks(
            "UPDATE attempt_cell SET outcome = ?3, reason = ?4, vendor_code = ?5, cure = ?6
             WHERE attempt = ?1 AND place = ?2",
        );
        let reason = rejection.map(|r| told(&r.reason));
        let code = rejection.and_then(|r| r.vendor_code.as_deref().map(told));
        let cure = rejection.map(|r| told(&r.cure));
        let word = codes::part_word(word);
        self.run(sql, params![part.attempt, part.place, word, reason, code, cure])?;
        Ok(())
    }

    /// Notes that a cell of a closed attempt was refused after all.
    pub(crate) fn refuse_part(&self, attempt: i64, id: CellId, why: &Rejection) -> Result<()> {
        let sql = Sql::seeks(
            "UPDATE attempt_cell SET outcome = ?4, reason = ?5, cure = ?6
             WHERE grp = ?1 AND measure = ?2 AND attempt = ?3",
        );
        let word = codes::part_word(PartWord::Rejected);
        self.run(sql, params![id.grp, id.measure, attempt, word, why.reason, why.cure])?;
        Ok(())
    }

    /// Closes an attempt.
    pub(crate) fn end_attempt(&self, attempt: i64, end: &Ended<'_>, now: Timestamp) -> Result<()> {
        let sql = Sql::seeks(
            "UPDATE attempt SET closed_at = ?2, end = ?3, handle = ?4, verdict = ?5,
             receipt_at = ?6, error = ?7 WHERE id = ?1",
        );
        let (word, closed_at) = (codes::attempt_word(end.word), codec::micros(now));
        let receipt = end.receipt;
        let handle = receipt.map(|r| told(&r.handle));
        let verdict = receipt.map(|r| told(&r.verdict));
        let at = receipt.map(|r| codec::micros(r.at));
        let error = end.error.as_deref().map(told);
        self.run(sql, params![attempt, closed_at, word, handle, verdict, at, error])?;
        Ok(())
    }

    /// Keeps a vendor handle of an open attempt; false when it is not open.
    pub(crate) fn put_note(&self, id: &AttemptId, key: &str, value: &str) -> Result<bool> {
        let sql = Sql::seeks(
            "INSERT OR REPLACE INTO note
             SELECT id, ?2, ?3 FROM attempt WHERE hex = ?1 AND closed_at IS NULL",
        );
        Ok(self.run(sql, params![id.as_str(), key, told(value)])? == 1)
    }
}

fn part(row: &Row<'_>) -> Result<Part> {
    Ok(Part {
        attempt: row.get(0)?,
        place: row.get(1)?,
        id: CellId { grp: row.get(2)?, measure: row.get(3)? },
        rev: row.get(4)?,
        carried: row.get(5)?,
        before: before(row, 6)?,
    })
}

/// What was read before: whether anything was, and what, from column `at` on.
fn before(row: &Row<'_>, at: usize) -> Result<Option<Option<Decimal>>> {
    let known: bool = row.get(at)?;
    Ok(if known { Some(codec::maybe_number(row, at + 1)?) } else { None })
}

/// A rejection: reason, vendor's code and cure, from column `at` on.
fn rejection(row: &Row<'_>, at: usize) -> Result<Option<Rejection>> {
    let (reason, cure): (Option<String>, Option<String>) = (row.get(at)?, row.get(at + 2)?);
    let vendor_code = row.get(at + 1)?;
    let cure = cure.unwrap_or_default();
    Ok(reason.map(|reason| Rejection { reason, vendor_code, cure }))
}

/// A receipt: handle, verdict and instant, from column `at` on.
fn receipt(row: &Row<'_>, at: usize) -> Result<Option<Receipt>> {
    let (handle, verdict): (Option<String>, Option<String>) = (row.get(at)?, row.get(at + 1)?);
    let at = codec::maybe_at(row, at + 2)?;
    Ok(handle.zip(verdict).zip(at).map(|((handle, verdict), at)| Receipt { handle, verdict, at }))
}
