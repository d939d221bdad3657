//! What was learned of a tenant, over deaths of the process and steps of its clock.

use super::*;

/// How many hours a rate is kept without being in force.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

fn key() -> TenantKey {
    TenantKey::of("host", "user")
}

/// The quota of a process that takes over `kept`.
fn next(
    clock: Arc<dyn Clock>,
    config: &QuotaConfig,
    kept: Option<KeptRate>,
) -> (QuotaBook, Arc<Quota>) {
    let book = QuotaBook::new(clock);
    book.remember_rates(kept.map(|rate| (key().to_string(), rate)));
    let quota = book.for_tenant(key(), config.clone()).unwrap();
    (book, quota)
}

/// What happens; times are in milliseconds.
#[derive(Debug, Clone)]
enum Event {
    Requests(u8),
    Refused(u64),
    Passes(i64),
    SetBack(i64),
    Restart {
        /// One that is killed keeps nothing: what was kept before stands.
        kept: bool,
    },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..60_u8).prop_map(Event::Requests),
        3 => (1..5_000_u64).prop_map(Event::Refused),
        2 => (0..10_000_i64).prop_map(Event::Passes),
        1 => (1..30_i64).prop_map(|hours| Event::Passes(hours * 3_600_000)),
        1 => (0..100_000_000_i64).prop_map(Event::SetBack),
        3 => any::<bool>().prop_map(|kept| Event::Restart { kept }),
    ]
}

/// A process on a wall clock, and what it leaves behind.
struct World {
    wall: Arc<SetBack>,
    config: QuotaConfig,
    book: QuotaBook,
    quota: Arc<Quota>,
    disk: Option<KeptRate>,
}

impl World {
    fn new(config: QuotaConfig) -> Self {
        let wall = Arc::new(SetBack(Mutex::new(Timestamp::UNIX_EPOCH)));
        let (book, quota) = next(Arc::clone(&wall) as _, &config, None);
        Self { wall, config, book, quota, disk: None }
    }

    fn request(&self) {
        while let Err(wait) = self.quota.ask(Lane::Routine) {
            self.wall.step(i64::try_from(wait.as_nanos()).unwrap().max(1_000));
        }
        self.quota.started();
        self.wall.step(5_000_000);
    }

    /// Another process begins, and goes on with what was kept: its first request
    /// included, and unless that is of long ago.
    fn restart(&mut self, kept: bool) {
        if kept && let Some(rate) = self.book.rates().remove(&key().to_string()) {
            assert_eq!(rate.map(|rate| rate.every), self.quota.standing().learned_every);
            self.disk = rate;
        }
        (self.book, self.quota) = next(Arc::clone(&self.wall) as _, &self.config, self.disk);
        let now = self.wall.now();
        let holds = self.disk.filter(|rate| now.duration_since(rate.at) <= KEPT);
        let every = self.quota.standing().learned_every;
        assert_eq!(every.is_some(), holds.is_some());
        let apart = |rate: KeptRate| every.unwrap().abs_diff(rate.every);
        assert!(holds.is_none_or(|rate| apart(rate) <= Duration::from_nanos(2)));
        assert!(self.book.rates().is_empty(), "nobody was asked: nothing was taught");
        let first = self.quota.ask(Lane::Routine);
        assert_eq!(first.is_err(), holds.is_some(), "another one may have asked just now");
    }

    fn happens(&mut self, event: &Event) {
        match *event {
            Event::Requests(n) => (0..n).for_each(|_| self.request()),
            Event::Refused(millis) => self.quota.refused(Duration::from_millis(millis)),
            Event::Passes(millis) => self.wall.step(millis * 1_000_000),
            Event::SetBack(millis) => self.wall.step(-millis * 1_000_000),
            Event::Restart { kept } => self.restart(kept),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_learned_holds_in_the_next_process_for_a_day(
        events in proptest::collection::vec(event(), 1..60), told in any::<bool>(),
    ) {
        let config = if told { config(6_000, "1", 1) } else { QuotaConfig::default() };
        let mut world = World::new(config);
        events.iter().for_each(|event| world.happens(event));
        prop_assert_eq!(world.quota.counters().inside_pause, 0);
    }
}

/// Refusals of a tenant that takes 10 requests a second, of 6,000 requests of
/// processes of 100 each.
fn refused(keeps: bool) -> u32 {
    let clock = clock();
    let (pause, known) = (Duration::from_secs(1), clock.now());
    let mut tenant = Tenant { rate: 10.0, burst: 10.0, pause, left: 10.0, known };
    let (mut disk, mut refused) = (None, 0);
    for _ in 0..60 {
        let (book, quota) = next(Arc::new(clock.clone()), &QuotaConfig::default(), disk);
        for _ in 0..100 {
            clock.block_on(quota.acquire(Lane::Routine, LONG)).unwrap();
            quota.started();
            let taken = tenant.takes(clock.now());
            clock.advance(Duration::from_millis(5));
            if !taken {
                quota.refused(tenant.pause);
                refused += 1;
            }
        }
        disk = if keeps { book.rates().remove(&key().to_string()).flatten() } else { None };
    }
    refused
}

#[test]
fn a_program_that_is_started_again_and_again_hardly_exceeds_an_untold_rate() {
    let (kept, forgotten) = (refused(true), refused(false));
    assert!(kept <= 60, "{kept} of 6000");
    assert!(forgotten > 2 * kept, "{forgotten} where each start learns anew, {kept} here");
}
