//! Apply, recover, undo and pack, composed: what goes out, and what is left
//! behind for the day when nothing can go out.

use std::{
    io::{BufRead, Read as _, Seek},
    path::Path,
};

use jiff::Timestamp;
use planthread_engine::{
    audit_trail,
    fallback::{self, Manifest, PackRequest},
    ledger::{self, PolicyHolds},
    plan::{PlanHeader, Prediction},
    push::{self, Applied, Delivery, Ending, Recovered},
    undo::{self, UndoRequest, Undone},
    verify::Which,
};
use planthread_kit::{PushPolicy, SecretRef, agreement::SigningKey};

use super::{Bridge, OpenTarget, agreement, attempts, policy, reporting::Reporting};
use crate::{config::Loaded, failure::Failure};

/// Who may load a pack by hand, where the configuration names nobody.
const PACK_READER: &str = "the planner in charge of the target, while the bridge is down";

impl Bridge {
    /// Sends exactly what a plan says, or nothing (law 1).
    ///
    /// # Errors
    /// When the plan can't be trusted, or the state can't be written. What the
    /// target says stands in the answer.
    pub async fn apply<R: BufRead + Seek + Send>(
        &self,
        target: &OpenTarget,
        plan: &mut R,
        only_unmoved: bool,
    ) -> Result<Applied, Failure> {
        self.bind(target)?;
        self.believe_clock()?;
        let doing = self.board.doing(&target.name, "sending");
        let (cells, expected) = expected(plan);
        let watched = Reporting::sending(target, doing, expected);
        // Nothing goes out of which the trail does not say who sent it.
        let about = [("target", target.name.clone()), ("cells", cells.to_string())];
        self.note("send", about)?;
        let policy = policy::policy(&self.loaded, target, self.clock.now())?;
        let push = target.config.delivery.push_policy();
        let delivery = self.delivery(target, &watched, &push);
        self.note_written(target)?;
        self.count_run(target)?;
        self.wants.forget(&target.name);
        let applied = push::apply(&delivery, plan, &policy, only_unmoved).await;
        self.keep_quotas()?;
        let applied = applied?;
        agreement::met(target, &applied, self.clock.now())?;
        self.note("sent", sent(target, &applied))?;
        Ok(applied)
    }

    fn note<const N: usize>(&self, act: &str, about: [(&str, String); N]) -> Result<(), Failure> {
        self.actor.does(self.state.dir(), self.clock.now(), act, about).map(drop)
    }

    /// Settles what a crash left open, and reads back what is unproven.
    ///
    /// # Errors
    /// When the state can't be read or written.
    pub async fn recover(&self, target: &OpenTarget) -> Result<Recovered, Failure> {
        self.settle(target, None).await
    }

    /// Ends one open attempt that a person waits for no longer, and reads back.
    ///
    /// # Errors
    /// When it is not open, not over its wait limit, or the state can't be read or
    /// written.
    pub async fn end_attempt(
        &self,
        target: &OpenTarget,
        ending: &Ending,
    ) -> Result<Recovered, Failure> {
        self.settle(target, Some(ending)).await
    }

    async fn settle(
        &self,
        target: &OpenTarget,
        ending: Option<&Ending>,
    ) -> Result<Recovered, Failure> {
        self.bind(target)?;
        let doing = self.board.doing(&target.name, "asking what became of earlier pushes");
        let watched = Reporting::new(target, doing);
        let sweep = self.sweep_policy(target, Which::Unproven)?;
        let push = target.config.delivery.push_policy();
        let delivery = self.delivery(target, &watched, &push);
        let recovered = match ending {
            Some(ending) => push::end_attempt(&delivery, &sweep, ending).await,
            None => {
                let endings = attempts::endings(&self.loaded.config.state, &target.name)?;
                push::recover(&delivery, &sweep, &endings).await
            }
        };
        if recovered.as_ref().map_or(true, Recovered::moved) {
            self.wants.forget(&target.name);
        }
        self.keep_quotas()?;
        let recovered = recovered?;
        agreement::weigh(target, &recovered.read_back, self.clock.now())?;
        Ok(recovered)
    }

    fn delivery<'a>(
        &'a self,
        target: &'a OpenTarget,
        connector: &'a Reporting<'_>,
        push: &'a PushPolicy,
    ) -> Delivery<'a> {
        Delivery {
            state: &self.state,
            connector,
            clock: &self.clock,
            push,
            breakers: &target.breakers,
        }
    }

    /// Writes down which cells a policy holds, so that `status` shows it.
    ///
    /// # Errors
    /// When the state can't be read or written.
    pub fn hold_by_policy(
        &self,
        target: &OpenTarget,
        at: Timestamp,
    ) -> Result<PolicyHolds, Failure> {
        Ok(ledger::hold_by_policy(&self.state, &policy::policy(&self.loaded, target, at)?)?)
    }

    /// Wants what stood there before a receipt; the next plan carries it.
    ///
    /// # Errors
    /// When the receipt is not known, nobody answers for the undo, or it would
    /// have ended already.
    pub fn undo(&self, request: UndoRequest) -> Result<Undone, Failure> {
        let now = self.clock.now();
        if request.until <= now {
            let until = request.until;
            return Err(Failure::usage(format!(
                "the undo would have ended at {until}, and it is {now}"
            ))
            .cure("name a later instant with --until, or leave it out: it then holds two weeks"));
        }
        self.wants.forget(&request.target);
        Ok(undo::undo(&self.state, request, now)?)
    }

    /// Writes the pack for the manual route, where one is configured.
    ///
    /// # Errors
    /// When the folder can't be written. The pack that was there stays.
    pub fn pack(&self, target: &OpenTarget, as_of: Timestamp) -> Result<Option<Manifest>, Failure> {
        let Some(pack) = &target.config.pack else { return Ok(None) };
        let _doing = self.board.doing(&target.name, "writing the pack");
        let policy = policy::policy(&self.loaded, target, as_of)?;
        let now = self.clock.now();
        let who = pack.loaded_by.as_deref().unwrap_or(PACK_READER);
        let field = format!("targets.{}.pack.sign_with", target.name);
        let key = signing_key(&self.loaded, &field, pack.sign_with.as_ref())?;
        let (key, audit) = (key.as_ref(), audit_trail::head(self.state.dir())?);
        let request = PackRequest { policy: &policy, as_of, now, who, key, audit };
        let folder = pack.folder.join(&target.name);
        // Somebody may load it by hand.
        self.note_written(target)?;
        let reader = self.reader()?;
        Ok(Some(fallback::write_pack(&reader, &*target.connector, &request, &folder)?))
    }
}

/// The key of `reference`, which stands in `field` of the configuration; none where
/// nothing is signed.
///
/// # Errors
/// When it can't be read, or is no key.
pub fn signing_key(
    loaded: &Loaded,
    field: &str,
    reference: Option<&SecretRef>,
) -> Result<Option<SigningKey>, Failure> {
    let Some(reference) = reference else { return Ok(None) };
    let base = loaded.file.parent().unwrap_or(Path::new("."));
    let fault = |why: String| {
        Failure::usage(format!("{field}: {why}"))
            .cure("make a key with `planthread agreement key FILE`, and name that file")
    };
    let seed = reference.resolve(base).map_err(|error| fault(error.to_string()))?;
    match SigningKey::read(seed.expose()) {
        Some(key) => Ok(Some(key)),
        None => Err(fault(format!("{reference} holds no key"))),
    }
}

/// What the audit trail says of a plan that was sent.
fn sent(target: &OpenTarget, applied: &Applied) -> [(&'static str, String); 7] {
    [
        ("target", target.name.clone()),
        ("plan", applied.sha256.clone()),
        ("sent", applied.sent.to_string()),
        ("accepted", applied.accepted.to_string()),
        ("rejected", applied.rejected.to_string()),
        ("unproven", applied.unproven.to_string()),
        ("refused", applied.refused.to_string()),
    ]
}

/// What the first line of a plan counts and foretells, for whoever watches; whether it is a
/// plan at all is for the engine to say.
fn expected(plan: &mut impl BufRead) -> (u64, Prediction) {
    let mut first = String::new();
    let read = plan.by_ref().take(HEADER_MAX).read_line(&mut first);
    let header = read.ok().and_then(|_| serde_json::from_str::<PlanHeader>(&first).ok());
    header.map(|header| (header.counts.cells, header.prediction)).unwrap_or_default()
}

/// More bytes than the first line of any plan has.
const HEADER_MAX: u64 = 1 << 20;
