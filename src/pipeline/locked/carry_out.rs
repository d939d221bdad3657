//! Carrying out what a sheet answers: all of it or nothing, by the same records and changes
//! as the verbs for a single cell or question, each in the audit trail before it is done.

use jiff::{SignedDuration, Timestamp};
use planthread_domain::decode::SheetRow;
use planthread_engine::{
    ledger::{self, Lock, LockKind, PersonsAnswers},
    plan::plausible,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    QuestionAbout, TakenAs,
    answers::{self, About, Given, RowFault, Word},
    locked,
};
use crate::{
    failure::Failure,
    pipeline::{Actor, Bridge, OpenTarget, adopt, answer},
};

/// How long an answer holds when nobody says: until the plan has gone round.
pub const HOLDS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What became of a sheet that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Answered {
    /// Who answers for it.
    pub who: String,
    /// Whether it was carried out.
    pub taken: bool,
    /// The answers, each as it was carried out, or would have been.
    pub answers: Vec<AnsweredRow>,
    /// Rows whose answer holds already.
    pub held: usize,
    /// Faults of the sheet: with one of them nothing of it is taken.
    pub faults: Vec<RowFault>,
    /// Rows of which something has changed since the sheet was made; none of them is taken.
    pub moved: Vec<RowFault>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AnsweredRow {
    /// The sheet; empty for a CSV file.
    pub sheet: String,
    /// The row, from 1.
    pub row: u64,
    /// What it is about.
    pub what: String,
    /// The answer.
    pub answer: Word,
    /// Until when, where it has an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why; empty where nobody wrote it.
    pub why: String,
}

impl Bridge {
    /// Carries out what `sheets` answer, for which `who` answers: all of it or nothing; with
    /// `only_unmoved` the rows that nothing has changed of since the sheet was made.
    ///
    /// # Errors
    /// When the state or a record can't be read or written.
    pub fn answer_locks(
        &self,
        targets: &[OpenTarget],
        sheets: &[(String, Vec<SheetRow>)],
        who: &str,
        only_unmoved: bool,
    ) -> Result<Answered, Failure> {
        let now = self.clock.now();
        let waits = locked(&self.loaded, &self.reader()?, targets, now)?;
        let (written, mut faults) = answers::rows(sheets);
        let meant = answers::meant(&written, &waits, who);
        faults.extend(meant.faults);
        let taken = faults.is_empty() && (meant.moved.is_empty() || only_unmoved);
        if taken {
            let actor = Actor { who: who.to_owned(), account: self.actor.account.clone() };
            for given in &meant.given {
                self.told(&actor, given, now)?;
            }
            self.carry_out(targets, &meant.given, who, now)?;
        }
        let answers = meant.given.iter().map(|given| given.row(now)).collect();
        let (held, moved) = (meant.held, meant.moved);
        Ok(Answered { who: who.to_owned(), taken, answers, held, faults, moved })
    }

    /// Appends one answer to the audit trail, as the verb that does the same.
    fn told(&self, actor: &Actor, given: &Given<'_>, now: Timestamp) -> Result<(), Failure> {
        let (sheet, row) = given.place;
        let about = [
            ("line", given.line()),
            ("sheet", sheet.to_owned()),
            ("row", row.to_string()),
            ("until", given.ends(now).map(|until| until.to_string()).unwrap_or_default()),
            ("why", given.why.to_owned()),
        ];
        actor.does(&self.loaded.config.state, now, given.act(), about).map(drop)
    }

    fn carry_out(
        &self,
        targets: &[OpenTarget],
        all: &[Given<'_>],
        who: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut said = PersonsAnswers { who: who.to_owned(), ..PersonsAnswers::default() };
        for given in all {
            match (given.about, given.word) {
                (About::Lock(row), Word::Keep) => said.keep.push(Lock {
                    key: row.key.clone(),
                    kind: match row.taken {
                        TakenAs::Typed => LockKind::Send,
                        TakenAs::PutBack => LockKind::Pin,
                    },
                    owner: who.to_owned(),
                    reason: given.why.to_owned(),
                    since: row.since,
                    until: given.until.unwrap_or(row.until),
                }),
                (About::Lock(row), Word::Accept) => said.let_go.push(row.key.clone()),
                (About::Question(one), Word::Accept) => said.close.extend(one.number),
                (About::Question(_), Word::Keep) => {}
            }
        }
        ledger::answer(&self.state, said, now)?;
        for given in all {
            self.keep_record(targets, given, who, now)?;
        }
        Ok(())
    }

    /// Keeps the record of an accepted question that is none of the ledger.
    fn keep_record(
        &self,
        targets: &[OpenTarget],
        given: &Given<'_>,
        who: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (About::Question(one), Word::Accept) = (given.about, given.word) else {
            return Ok(());
        };
        let state = &self.loaded.config.state;
        let measure = one.measure.clone().unwrap_or_default();
        match (one.about, one.fault) {
            (QuestionAbout::Proportion, Some(fault)) => {
                let record = plausible::Answer {
                    who: who.to_owned(),
                    why: given.why.to_owned(),
                    until: given.ends(now).unwrap_or(now),
                    scope: one.scope.clone(),
                    measure,
                    fault,
                    mapping: one.mapping.clone(),
                };
                answer(state, &one.target, &record, now).map(drop)
            }
            (QuestionAbout::Adoption, _) => {
                let scope = targets.iter().find(|target| target.name == one.target);
                let scope = scope.map_or(one.scope.as_str(), |target| target.scope.name());
                let record = serde_json::json!({ "who": who, "why": given.why, "scope": scope,
                    "measures": { measure: one.surface } });
                adopt(state, &one.target, &record.to_string(), now).map(drop)
            }
            (QuestionAbout::Case | QuestionAbout::Proportion, _) => Ok(()),
        }
    }
}

impl Given<'_> {
    fn row(&self, now: Timestamp) -> AnsweredRow {
        let what = match self.about {
            About::Lock(row) => format!(
                "{} at {}, {}, {}",
                row.line_and_product(),
                row.line.plant,
                row.period,
                row.surface
            ),
            About::Question(one) => match &one.surface {
                Some(surface) => format!("{surface}: {}", one.text),
                None => one.text.clone(),
            },
        };
        let (sheet, row) = self.place;
        let (answer, why) = (self.word, self.why.to_owned());
        AnsweredRow { sheet: sheet.to_owned(), row, what, answer, until: self.ends(now), why }
    }

    /// Until when what it decides holds, where it has an end.
    fn ends(&self, now: Timestamp) -> Option<Timestamp> {
        match (self.about, self.word) {
            (About::Lock(row), Word::Keep) => Some(self.until.unwrap_or(row.until)),
            (About::Question(one), Word::Accept) if one.about == QuestionAbout::Proportion => {
                Some(self.until.unwrap_or(now.saturating_add(HOLDS).unwrap_or(Timestamp::MAX)))
            }
            _ => None,
        }
    }

    /// The act in the audit trail: that of the verb which does the same.
    const fn act(&self) -> &'static str {
        match (self.about, self.word) {
            (About::Lock(_), Word::Keep) => "keep cell",
            (About::Lock(_), Word::Accept) => "release cell",
            (About::Question(_), Word::Keep) => "keep question",
            (About::Question(one), Word::Accept) => match one.about {
                QuestionAbout::Case => "release case",
                QuestionAbout::Proportion => "release question",
                QuestionAbout::Adoption => "adopt",
            },
        }
    }

    /// The command line that would do the same, where there is one.
    fn line(&self) -> String {
        let of = match self.about {
            About::Lock(row) => row.key.to_string(),
            About::Question(one) => match (one.number, &one.measure, one.fault) {
                (Some(number), ..) => number.to_string(),
                (None, Some(measure), Some(fault)) => {
                    format!("{measure} {} --target {}", fault.word(), one.target)
                }
                (None, measure, _) => {
                    let measure = measure.as_deref().unwrap_or_default();
                    format!("--target {} --measure {measure}", one.target)
                }
            },
        };
        format!("{} {of}", self.act())
    }
}
