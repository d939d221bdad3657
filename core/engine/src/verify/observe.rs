//! Observe: writes what was read into the ledger, one selection a commit.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{Carries, CellKey, MeasureDecl, RevisionState, SeenCell};
use planthread_kit::Selection;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    InUse, Wiring,
    classify::{Known, Meaning, another_writer, classify},
    in_use,
    pattern::{Foreign, Levels},
    report::{LostCell, NAMED, SweepReport},
};
use crate::{
    continuity::Written,
    error::Result,
    ledger::{
        LockKind, Why,
        doubt::{self, Doubt},
        rejections,
        revision_tally::RevisionTally,
        settles,
    },
    plan::scan,
    store::{
        Db, Tx,
        cells::Cell,
        groups::Groups,
        names::{GroupRef, Interner},
    },
};

/// One selection with what was read for it.
pub(super) struct Observation {
    pub(super) selection: Selection,
    pub(super) read: Vec<SeenCell>,
    /// The newest attempt when the read began: what was sent later is not
    /// judged by it.
    pub(super) read_after: i64,
    /// What was read since was counted by an earlier reading of this walk.
    pub(super) follows: Option<Timestamp>,
    pub(super) measures: Vec<MeasureDecl>,
    /// Measures of others that may have been read beside them.
    pub(super) observed: Vec<MeasureDecl>,
    pub(super) settle_window: SignedDuration,
    pub(super) in_use: Option<InUse>,
    /// What we may have written, by what is noted outside of the state.
    pub(super) written: Option<Arc<Written>>,
}

/// What one observation adds to the sweep.
#[derive(Default)]
pub(super) struct Observed {
    pub(super) report: SweepReport,
    pub(super) foreign: Vec<Foreign>,
    pub(super) levels: Levels,
    /// One of the cells in which what we sent took effect more than once.
    pub(super) doubled: Option<String>,
    /// Whether what was seen before is not there any more.
    pub(super) gone: bool,
}

/// Judges every cell that the ledger knows inside the selection.
pub(super) fn run(tx: &Tx<'_>, seen: &Observation, now: Timestamp) -> Result<Observed> {
    let selection = &seen.selection;
    let mut done = Observed::default();
    let Some(scope) = tx.scope(&selection.target, selection.scope.name())? else {
        return Ok(done);
    };
    let read: HashMap<&CellKey, Option<Decimal>> =
        seen.read.iter().map(|cell| (&cell.key, cell.value)).collect();
    let (measures, restored) = (tx.measures()?, tx.restored_after()?);
    let (mut tally, mut names) = (RevisionTally::default(), Interner::default());
    let places: HashSet<(&str, &str)> =
        selection.resources.iter().map(|(r, l)| (r.as_str(), l.as_str())).collect();
    // A zero that was never sent is judged when it is known what else was found there.
    let (mut zeros, mut brought) = (Vec::new(), HashSet::new());
    Groups::of(tx, scope)?.between((selection.from, selection.to), |group| {
        let place = (group.key.resource.as_str(), group.key.location.as_str());
        // A sweep of one machine must not load the cells of all others.
        if !places.is_empty() && !places.contains(&place) {
            return Ok(());
        }
        let cells = scan::cells(tx, group.id, &measures)?;
        if cells.iter().any(|(_, cell)| cell.sent_rev == 0) {
            beside(tx, &mut names, seen, &group, &read)?;
        }
        for (measure, mut cell) in cells {
            let key = group.cell(measure);
            let ours = key.period.kind() == selection.from.kind()
                && selection.measures.iter().any(|name| *name == key.measure);
            let busy = cell.open_attempt != 0 || cell.last_attempt > seen.read_after;
            if !ours || busy || cell.state == RevisionState::Withdrawn {
                continue;
            }
            let value = read.get(&key).copied().flatten();
            if cell.sent_rev == 0 && cell.value.is_zero() {
                zeros.push((group.clone(), key, cell));
                continue;
            }
            if cell.sent_rev == 0 && value == Some(cell.value) {
                brought.insert((key.resource.clone(), key.location.clone()));
            }
            let (tally, brought) = (&mut tally, false);
            let mut judge =
                Judge { tx, tally, seen, group: &group, brought, restored, now, done: &mut done };
            judge.all(&key, &mut cell, value, &read)?;
        }
        Ok(())
    })?;
    for (group, key, mut cell) in zeros {
        let brought = brought.contains(&(key.resource.clone(), key.location.clone()));
        let (tally, group) = (&mut tally, &group);
        let mut judge = Judge { tx, tally, seen, group, brought, restored, now, done: &mut done };
        let value = read.get(&key).copied().flatten();
        judge.all(&key, &mut cell, value, &read)?;
    }
    tally.flush(tx)?;
    Ok(done)
}

/// Keeps what the target itself says of a group, where it was read.
fn beside(
    tx: &Tx<'_>,
    names: &mut Interner,
    seen: &Observation,
    group: &GroupRef,
    read: &HashMap<&CellKey, Option<Decimal>>,
) -> Result<()> {
    let asked = |decl: &&MeasureDecl| {
        decl.level == group.key.period.kind() && seen.selection.measures.contains(&decl.name)
    };
    for decl in seen.observed.iter().filter(asked) {
        let key = group.cell(&decl.name);
        let measure = names.measure(tx, &key.measure)?;
        tx.put_observed(group.id, measure, read.get(&key).copied().flatten())?;
    }
    Ok(())
}

struct Judge<'a> {
    tx: &'a Tx<'a>,
    tally: &'a mut RevisionTally,
    seen: &'a Observation,
    group: &'a GroupRef,
    /// Whether somebody else brought what stands at its place.
    brought: bool,
    /// The newest attempt of the copy from which the state was put back, where it was.
    restored: Option<i64>,
    now: Timestamp,
    done: &'a mut Observed,
}

impl<'a> Judge<'a> {
    fn decl(&self, measure: &str) -> Option<&'a MeasureDecl> {
        self.seen.measures.iter().find(|decl| decl.name == measure)
    }

    /// Judges one cell, and saves what that changes.
    fn all(
        &mut self,
        key: &CellKey,
        cell: &mut Cell,
        value: Option<Decimal>,
        read: &HashMap<&CellKey, Option<Decimal>>,
    ) -> Result<()> {
        self.count_again(cell)?;
        if self.cell(key, cell, value)? {
            self.in_use(key, cell, read);
            self.tx.put_facts(cell)?;
        }
        Ok(())
    }

    /// Judges one cell; true when it must be saved.
    fn cell(&mut self, key: &CellKey, cell: &mut Cell, read: Option<Decimal>) -> Result<bool> {
        self.done.report.read += 1;
        if let Some(decl) = self.decl(&key.measure) {
            self.done.levels.add(key, cell.value, decl);
        }
        let older = self.older_values(key, cell, read)?;
        let known = Known {
            state: cell.state,
            value: cell.value,
            sent_at: cell.sent_at,
            unclear_until: cell.unclear,
            doubt: left_in_doubt(self.tx, cell, read)?,
            before: cell.before,
            doubled: cell.why == Why::Doubled,
            seen: cell.seen_at.map(|_| cell.seen),
            sent: cell.sent_rev > 0,
            brought: self.brought,
            older: &older,
            forgotten: self.forgotten(cell, read)?,
            taken: self.taken(cell, read)?,
            absent_is_zero: self.decl(&key.measure).is_some_and(|decl| decl.absent_is_zero),
        };
        let heartbeat = self.decl(&key.measure).is_some_and(|d| d.carries == Carries::Heartbeat)
            && another_writer(&known, read);
        let meaning = self.meaning(&known, read, heartbeat);
        if matches!(meaning, Meaning::Foreign | Meaning::Redoubled) {
            self.done.foreign.push(Foreign {
                id: cell.id,
                scope: self.group.scope,
                key: key.clone(),
                wanted: cell.value,
                read,
                read_after: self.seen.read_after,
                heartbeat,
                redoubled: meaning == Meaning::Redoubled,
            });
            return Ok(false);
        }
        cell.seen = read;
        cell.seen_at = Some(self.now);
        cell.seen_attempt = self.seen.read_after.max(cell.last_attempt);
        match meaning {
            Meaning::Landed => self.landed(cell)?,
            Meaning::NotYet => self.not_yet(&known),
            Meaning::Waiting | Meaning::Foreign | Meaning::Redoubled => {
                self.waiting(cell)?;
            }
            Meaning::Unlanded => {
                self.done.report.waiting += 1;
                self.unlanded(key, cell)?;
            }
            Meaning::Lost => {
                self.done.gone |= cell.state == RevisionState::Seen;
                self.lost(key, cell, read)?;
                self.again(cell, Why::Lost)?;
            }
            Meaning::Failed => self.failed(cell)?,
            Meaning::Refused => self.refused(cell)?,
            Meaning::StaleOwn => {
                self.done.report.stale_own += 1;
                self.again(cell, Why::StaleOwn)?;
            }
            Meaning::Doubled => {
                self.done.report.doubled += 1;
                self.done.doubled.get_or_insert_with(|| format!("{key}: wanted {}", cell.value));
                self.again(cell, Why::Doubled)?;
            }
        }
        Ok(true)
    }

    fn meaning(&self, known: &Known<'_>, read: Option<Decimal>, heartbeat: bool) -> Meaning {
        let told = || classify(known, read, self.now, self.seen.settle_window);
        if heartbeat { Meaning::Foreign } else { told() }
    }

    /// Values of earlier revisions, asked for only when the read is not the current
    /// value: that is rare. One that was noted outside is one of them, of a time that a
    /// state which was put back does not remember.
    fn older_values(
        &self,
        key: &CellKey,
        cell: &Cell,
        read: Option<Decimal>,
    ) -> Result<Vec<Decimal>> {
        if read == Some(cell.value) {
            return Ok(Vec::new());
        }
        let past = if cell.rev == 1 { Vec::new() } else { self.tx.past_revisions(cell.id)? };
        let mut older: Vec<Decimal> = past.into_iter().map(|past| past.value).collect();
        // Who writes a heartbeat is told by its number alone: one that was ours before is
        // none of another writer, also where the state does not know that it wrote it.
        let beats = self.decl(&key.measure).is_some_and(|d| d.carries == Carries::Heartbeat);
        let number = read.filter(|_| beats).and_then(|beat| beat.to_u32());
        if let (Some(number), Some(beat)) = (number, read)
            && self.tx.is_us(number)?
        {
            older.push(beat);
        }
        let unread = self.restored.is_some() && cell.seen_at.is_none() && !beats;
        if let (Some(read), Some(written), true) = (read, &self.seen.written, unread)
            && written.holds(key, read)
        {
            older.push(read);
        }
        Ok(older)
    }

    /// Whether the state, put back from a copy, does not know what became of the cell
    /// since, and what we wrote meanwhile is noted outside. What a person was asked
    /// about, or has locked, is known.
    fn forgotten(&self, cell: &Cell, read: Option<Decimal>) -> Result<bool> {
        let before = self.restored.is_some_and(|newest| cell.last_attempt <= newest);
        // What was never taken may still be the nothing from before us.
        let strange = cell.accepted_rev > 0 || read.is_some_and(|read| !read.is_zero());
        let unread = before && cell.seen_at.is_none() && cell.sent_rev > 0 && strange;
        let noted = || self.seen.written.as_ref().is_some_and(|written| written.is_there());
        if !unread || cell.in_case != 0 || !noted() {
            return Ok(false);
        }
        Ok(!self.locked(cell)?)
    }

    /// Whether a person has taken the cell, asked for only where another value than the
    /// last one stands there: that is rare.
    fn taken(&self, cell: &Cell, read: Option<Decimal>) -> Result<bool> {
        let waits = !matches!(cell.state, RevisionState::Seen | RevisionState::Unproven);
        let changed = cell.seen_at.is_some() && cell.seen != read;
        Ok(waits && changed && self.locked(cell)?)
    }

    fn locked(&self, cell: &Cell) -> Result<bool> {
        let lock = self.tx.lock_of(cell.id)?;
        Ok(lock.is_some_and(|(kind, hold)| kind == LockKind::Send && hold.until > self.now))
    }

    /// Counts a cell that an earlier reading of this walk has counted, as it did.
    fn count_again(&mut self, cell: &Cell) -> Result<()> {
        let read_since = |since: &Timestamp| cell.seen_at.is_some_and(|at| *since <= at);
        let Some(since) = self.seen.follows.filter(read_since) else { return Ok(()) };
        let again = &mut self.done.report.again;
        again.read += 1;
        let found = matches!(cell.why, Why::Lost | Why::StaleOwn | Why::Doubled | Why::Overwritten);
        let sent = cell.sent_at.is_some_and(|at| since <= at);
        // What travelled with its group held the same before.
        let carried = sent && cell.before == Some(Some(cell.value));
        match cell.state {
            state if carried || state == RevisionState::Seen => again.landed += 1,
            // What was not there yet is counted by the last reading alone.
            RevisionState::Unproven if !sent => {}
            _ => {
                let refused = !sent && rejections::waits(self.tx, cell)?;
                again.waiting += u64::from(!found);
                again.refused_before += u64::from(!found && refused);
            }
        }
        Ok(())
    }

    fn waiting(&mut self, cell: &mut Cell) -> Result<()> {
        self.done.report.waiting += 1;
        self.done.report.refused_before += u64::from(rejections::waits(self.tx, cell)?);
        self.again(cell, Why::New)
    }

    fn not_yet(&mut self, known: &Known<'_>) {
        let report = &mut self.done.report;
        report.not_yet += 1;
        let sent = (known.sent_at, known.unclear_until);
        let until = settles(sent, self.seen.settle_window, self.now);
        report.not_yet_until = report.not_yet_until.max(until);
        report.not_yet_unnamed += u64::from(known.doubt == Doubt::Unnamed);
    }

    fn landed(&mut self, cell: &mut Cell) -> Result<()> {
        self.done.report.landed += 1;
        if cell.state != RevisionState::Seen {
            cell.step(self.tally, self.group.scope, RevisionState::Seen)?;
        }
        cell.credit(self.tx)?;
        cell.unclear = None;
        cell.in_case = 0;
        Ok(())
    }

    /// It is wanted for the reason that it was wanted for before.
    fn failed(&mut self, cell: &mut Cell) -> Result<()> {
        let report = &mut self.done.report;
        report.failed += 1;
        if report.failures.len() < NAMED {
            report.failures.insert(self.tx.verdict(cell.last_attempt)?);
        }
        let why = cell.why;
        self.again(cell, why)
    }

    fn refused(&mut self, cell: &mut Cell) -> Result<()> {
        self.done.report.refused += 1;
        cell.unclear = None;
        doubt::refuse_unnamed(self.tx, cell)?;
        let (scope, refused) = (self.group.scope, [(cell.id, cell.rev)]);
        rejections::note(self.tx, scope, cell.last_attempt, &refused, self.now)?;
        cell.step(self.tally, self.group.scope, RevisionState::Rejected)
    }

    /// Notes whose measure it is about: it waits for a person.
    fn unlanded(&self, key: &CellKey, cell: &Cell) -> Result<()> {
        let read = cell.seen.unwrap_or_default().normalize();
        let example = format!("{key}: wanted {}, read {read}", cell.value);
        self.tx.note_unadopted(self.group.scope, cell.id.measure, &example, self.now)
    }

    fn again(&mut self, cell: &mut Cell, why: Why) -> Result<()> {
        cell.unclear = None;
        if matches!(cell.state, RevisionState::Seen | RevisionState::Unproven) {
            cell.step(self.tally, self.group.scope, RevisionState::Pending)?;
            cell.why = why;
        }
        Ok(())
    }

    fn lost(&mut self, key: &CellKey, cell: &Cell, read: Option<Decimal>) -> Result<()> {
        self.done.report.lost += 1;
        let accepted = cell.accepted_rev == cell.rev;
        if accepted {
            self.done.report.dropped += 1;
        }
        if self.done.report.lost_cells.len() < NAMED {
            let (attempt, receipt) = self.tx.attempt_names(cell.last_attempt)?.unwrap_or_default();
            self.done.report.lost_cells.push(LostCell {
                key: key.clone(),
                revision: cell.rev,
                wanted: cell.value,
                read,
                accepted,
                attempt,
                receipt,
            });
        }
        Ok(())
    }

    fn in_use(
        &mut self,
        key: &CellKey,
        cell: &mut Cell,
        read: &HashMap<&CellKey, Option<Decimal>>,
    ) {
        let Some(wiring) = &self.seen.in_use else { return };
        if wiring.by != key.measure || wiring.wiring == Wiring::None {
            return;
        }
        let driving = self.group.cell(&wiring.drives);
        let value = read.get(&driving).copied().flatten();
        self.done.report.compared_in_use += 1;
        let used = in_use::note(cell, value, self.now);
        self.done.report.in_use += u64::from(used);
    }
}

/// What the last attempt left in doubt, asked for only when the read is not the
/// current value.
fn left_in_doubt(db: &Db, cell: &Cell, read: Option<Decimal>) -> Result<Doubt> {
    let decided = cell.state != RevisionState::Unproven || read == Some(cell.value);
    if decided { Ok(Doubt::Effect) } else { doubt::doubt(db, cell) }
}
