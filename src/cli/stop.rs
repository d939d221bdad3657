//! Being asked to stop: by a person (ctrl-c), or by the system (SIGTERM).

use std::future::Future;

use tokio::sync::watch;

use crate::failure::Exit;

/// Completes when somebody asks the process to stop. Who asks a second time
/// does not wait for anything: the process ends at once, and the next start
/// settles the rest. Where no handler can be set there is only the hard way to
/// stop, and it never completes.
///
/// It listens from the moment it is called, on a thread of its own: a verb that
/// computes for long is stopped all the same.
pub(super) fn asked_to_stop() -> impl Future<Output = ()> {
    let (asked, mut told) = watch::channel(false);
    // Before anything is said: who reads that it runs may ask it to stop.
    let signals = Signals::listen();
    tokio::spawn(async move {
        let Some(mut signals) = signals else {
            return std::future::pending().await;
        };
        signals.next().await;
        // Nobody may wait for it any more.
        let _ = asked.send(true);
        signals.next().await;
        std::process::exit(i32::from(Exit::Transient.code()));
    });
    async move {
        if told.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt()).ok()?;
        Some(Self { interrupt, terminate: signal(SignalKind::terminate()).ok()? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
