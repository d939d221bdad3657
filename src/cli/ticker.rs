//! Shows what is under way, on standard error: a line that moves on a terminal,
//! lines of a log elsewhere.

use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use planthread_kit::Clock;

use super::screen;
use crate::{pipeline::Board, report::progress};

/// How often the board is looked at: nobody sits before a silent terminal for
/// three seconds.
const EVERY: Duration = Duration::from_secs(1);
/// How often a log is told of what still goes on.
const LOG_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// Most characters of the moving line: a wrapped one could not be wiped off.
const WIDTH: usize = 79;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// One line that moves.
    Terminal,
    /// A line now and then.
    Log,
    /// Not at all: a program reads.
    Silent,
}

/// Looks at the board on a thread of its own, so that a verb that computes shows
/// something, too. It ends when it is dropped, and wipes its line off.
#[derive(Debug)]
pub(super) struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Begins to show `board`.
    pub(super) fn start(board: Arc<Board>, clock: Arc<dyn Clock>, manner: Manner) -> Self {
        if manner == Manner::Silent {
            return Self { stop: None, thread: None };
        }
        let (stop, stopped) = channel();
        let show = move || {
            let mut told = clock.now();
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                match manner {
                    Manner::Terminal => {
                        screen::moving(&progress::line(&board.now(), clock.now(), WIDTH));
                    }
                    Manner::Log => log(&board, clock.now(), &mut told),
                    Manner::Silent => {}
                }
            }
            if manner == Manner::Terminal {
                screen::moving("");
            }
        };
        // Without a thread nothing is shown, and everything else goes on.
        let thread = std::thread::Builder::new().name("progress".into()).spawn(show).ok();
        Self { stop: Some(stop), thread }
    }
}

/// Tells a log what goes on for long, now and then.
fn log(board: &Board, now: Timestamp, told: &mut Timestamp) {
    if now.duration_since(*told).abs() < LOG_EVERY {
        return;
    }
    *told = now;
    for doing in board.now() {
        if now.duration_since(doing.since) >= LOG_EVERY {
            screen::remark(&format!(
                "{} {}",
                crate::report::text_table::instant(now),
                progress::part(&doing, now)
            ));
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It shows, and decides nothing: a panic in it is its own.
            let _ = thread.join();
        }
    }
}
