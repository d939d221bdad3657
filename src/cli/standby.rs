//! Waiting for the lease: as long as it takes (`run --standby`), or until somebody else
//! is seen to hold it (every other verb that writes the state).

use std::{sync::Arc, time::Duration};

use planthread_engine::lease::{Keeper, Record, Standing};

use super::{Context, stop::asked_to_stop};
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    operate::Aside,
    pipeline::{Bridge, Stop, lease},
    serve::operations::OperationsDoor,
};

/// From one look at how the lease stands to the next.
const LOOK: Duration = Duration::from_millis(100);

/// Who holds the lease, in words.
pub(super) fn holder(seen: Option<&(u64, Option<Record>)>) -> String {
    match seen {
        None => "nobody that was seen".to_owned(),
        Some((term, None)) => format!("somebody, as term {term}"),
        Some((term, Some(record))) => {
            format!("process {} on {}, as term {term}", record.pid, record.machine)
        }
    }
}

/// The lease that is configured, held; whoever else is seen to hold it is named.
pub(super) fn held(context: &Context, loaded: &Loaded) -> Result<Option<Arc<Keeper>>, Failure> {
    let Some(keeper) = lease(loaded, &context.clock)? else { return Ok(None) };
    let _doing = context.board.doing("", "waiting for the lease");
    context.block_on(async {
        loop {
            match keeper.standing() {
                Standing::Holding { .. } => return Ok(()),
                Standing::Waiting { seen, alive: true, .. } => {
                    return Err(Failure::new(
                        Exit::Transient,
                        format!(
                            "the lease in {} is held by {}",
                            keeper.folder().display(),
                            holder(seen.as_ref())
                        ),
                    )
                    .cure("stop it there, or wait for it with `planthread run --standby`")
                    .explain(Failure::WRITER));
                }
                Standing::Waiting { fault: Some(fault), .. } => return Err(unusable(&fault)),
                Standing::Lost { .. } => return Err(lost()),
                Standing::Waiting { .. } => context.clock.sleep(LOOK).await,
            }
        }
    })?;
    Ok(Some(keeper))
}

fn unusable(fault: &str) -> Failure {
    Failure::new(Exit::Transient, format!("run.lease.folder: {fault}"))
        .cure("nothing is sent without the lease: see that the shared volume is there")
}

/// Another one has the lease now.
pub(super) fn lost() -> Failure {
    Failure::new(
        Exit::Transient,
        "another bridge has taken the lease: this one sends nothing any more",
    )
    .cure("start it again with `planthread run --standby`: it waits for its turn")
    .explain("standby")
}

/// Completes when another one has the lease; never without one.
pub(super) async fn until_lost(context: &Context, keeper: Option<&Arc<Keeper>>) {
    let Some(keeper) = keeper else { return std::future::pending().await };
    while !matches!(keeper.standing(), Standing::Lost { .. }) {
        context.clock.sleep(LOOK).await;
    }
}

/// The bridge, once it is this one's turn; nothing where somebody asked it to stop before.
pub(super) async fn turn(context: &Context) -> Result<Option<Bridge>, Failure> {
    let loaded = context.config()?;
    let Some(keeper) = lease(&loaded, &context.clock)? else {
        return Err(Failure::usage("--standby waits for a lease, and none is configured")
            .cure("name a folder on a shared volume: `run: { lease: { folder: PATH } }`")
            .explain("standby"));
    };
    let interrupted = asked_to_stop();
    let (ask, stop) = Stop::new();
    let door = open(context, &loaded, &keeper, stop).await?;
    let bridge = tokio::select! {
        biased;
        bridge = waited(context, &loaded, &keeper) => bridge.map(Some),
        () = interrupted => Ok(None),
    };
    ask.send_replace(true);
    if let Some(door) = door {
        // The bridge itself answers at the same address from here on.
        let _ = door.await;
    }
    bridge
}

type Open = tokio::task::JoinHandle<Result<(), Failure>>;

/// The door for whoever operates it: one that stands by is healthy, and not ready.
async fn open(
    context: &Context,
    loaded: &Loaded,
    keeper: &Arc<Keeper>,
    mut stop: Stop,
) -> Result<Option<Open>, Failure> {
    let Some(config) = &loaded.config.run.operations else { return Ok(None) };
    let door = OperationsDoor::bind(config).await?;
    context.screen.say(&format!(
        "Telling operators on http://{}/healthz, /readyz, /metrics",
        door.address()
    ))?;
    let aside = Arc::new(Aside::new(Arc::clone(keeper), Arc::clone(&context.clock)));
    let stop = async move { stop.asked().await };
    Ok(Some(tokio::spawn(door.serve(aside, Arc::clone(&context.clock), stop))))
}

/// Waits for the lease, and then for the state.
async fn waited(
    context: &Context,
    loaded: &Loaded,
    keeper: &Arc<Keeper>,
) -> Result<Bridge, Failure> {
    let folder = keeper.folder().display();
    context.screen.say(&format!("Standing by for the lease in {folder}. Stop with ctrl-c."))?;
    let mut told = None;
    loop {
        match keeper.standing() {
            Standing::Holding { term } => match context.bridge_of(loaded, Some(keeper)) {
                Ok(bridge) => {
                    context.screen.say(&format!("Taking over: this is term {term}."))?;
                    return Ok(bridge);
                }
                // Whoever had the lease is suspended, or ends: nobody writes beside it.
                Err(failure) if failure.explain == Some(Failure::WRITER) => {
                    let text = format!("holds the lease and waits for the state: {failure}");
                    tell(context, &mut told, text);
                }
                Err(failure) => return Err(failure),
            },
            Standing::Waiting { fault: Some(fault), .. } => {
                tell(context, &mut told, unusable(&fault).to_string());
            }
            Standing::Waiting { seen: Some(seen), .. } => {
                tell(context, &mut told, format!("the lease is held by {}", holder(Some(&seen))));
            }
            Standing::Waiting { .. } => {}
            Standing::Lost { .. } => return Err(lost()),
        }
        context.clock.sleep(LOOK).await;
    }
}

/// Says it once.
fn tell(context: &Context, told: &mut Option<String>, text: String) {
    if told.as_ref() != Some(&text) {
        context.screen.note(&text);
        *told = Some(text);
    }
}
