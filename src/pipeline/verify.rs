//! Verify, composed: which cells are read back, and how they are judged.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{Carries, MeasureDecl};
use planthread_engine::{
    continuity::Written,
    verify::{self, InUse, SweepPolicy, SweepReport, Which},
};
use planthread_kit::Together;

use super::{Bridge, OpenTarget, agreement, policy, reporting::Reporting, second_place};
use crate::{config::Wiring, failure::Failure};

impl Bridge {
    /// Reads the cells of `target` back and writes down what they hold.
    ///
    /// # Errors
    /// When the state can't be read or written. An error of the target ends
    /// the sweep early and stands in the report.
    pub async fn verify(&self, target: &OpenTarget, which: Which) -> Result<SweepReport, Failure> {
        self.verify_after(target, which, None).await
    }

    /// The same in a walk that reads since an instant, where it does.
    pub(super) async fn verify_after(
        &self,
        target: &OpenTarget,
        which: Which,
        follows: Option<Timestamp>,
    ) -> Result<SweepReport, Failure> {
        self.bind(target)?;
        let doing = self.board.doing(
            &target.name,
            match which {
                Which::Unread => "reading what stands there",
                _ => "reading back",
            },
        );
        let watched = Reporting::new(target, doing);
        let policy = SweepPolicy { follows, ..self.sweep_policy(target, which)? };
        let swept =
            verify::sweep(&self.state, &watched, &target.breakers, &*self.clock, &policy).await;
        if swept.as_ref().map_or(true, |swept| swept.read > 0) {
            self.wants.forget(&target.name);
        }
        self.keep_quotas()?;
        let swept = swept?;
        agreement::weigh(target, &swept, self.clock.now())?;
        Ok(swept)
    }

    pub(super) fn sweep_policy(
        &self,
        target: &OpenTarget,
        which: Which,
    ) -> Result<SweepPolicy, Failure> {
        let today = policy::today(&self.loaded, self.clock.now())?;
        let measures = policy::ours(&self.loaded, target, self.clock.now())?;
        let scope = target.scope.clone();
        let mut policy = SweepPolicy::new(&target.name, scope, measures, which, today);
        let carriage = &target.connector.info().capabilities.carriage;
        policy.by_place = carriage.together == Together::Place;
        policy.settle_window =
            SignedDuration::from_mins(i64::from(target.config.policy.settle_minutes));
        policy.in_use = in_use(target);
        let outside = second_place(&target.name, &target.config);
        policy.written = outside.map(|folder| Arc::new(Written::new(folder)));
        let measures = target.config.measures.iter();
        // A load is no capacity: what is to be sent is not compared with it.
        let load = target.config.load().map(|load| load.name.as_str());
        let capacity =
            |m: &&MeasureDecl| m.carries == Carries::Observed && Some(m.name.as_str()) != load;
        policy.observed = measures.filter(capacity).cloned().collect();
        Ok(policy)
    }
}

/// What drives the plan, when the configuration says it.
fn in_use(target: &OpenTarget) -> Option<InUse> {
    let said = &target.config.in_use;
    let wiring = match said.wiring {
        Wiring::None => return None,
        Wiring::Job => verify::Wiring::Job,
        Wiring::Calculation => verify::Wiring::Calculation,
        Wiring::Direct => verify::Wiring::Direct,
    };
    let (drives, by) = (said.driver.clone()?, said.measure.clone()?);
    Some(InUse { drives, by, wiring })
}
