//! Quotas under the virtual clock.

mod restarts;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::*;
use crate::{BoxFuture, VirtualClock, testing::clock};

const LONG: Duration = Duration::from_hours(99);

fn config(published: u32, share: &str, burst: u32) -> QuotaConfig {
    let share = share.parse().unwrap();
    QuotaConfig { published_per_minute: Some(published), share, burst, ..QuotaConfig::default() }
}

fn quota(clock: &VirtualClock, config: QuotaConfig) -> Quota {
    Quota::new(config, Arc::new(clock.clone())).unwrap()
}

#[test]
fn a_pause_is_taken_over_by_the_next_process_and_never_longer_than_believed() {
    let clock = clock();
    let key = || TenantKey::of("host", "user");
    let book = QuotaBook::new(Arc::new(clock.clone()));
    let asked = book.for_tenant(key(), QuotaConfig::default()).unwrap();
    assert!(book.pauses().is_empty());
    asked.pause(Duration::from_mins(10));
    let kept = book.pauses();
    assert_eq!(kept["host/user"], clock.now() + SignedDuration::from_mins(10));
    clock.advance(Duration::from_mins(4));
    let next = QuotaBook::new(Arc::new(clock.clone()));
    next.remember(kept);
    let quota = next.for_tenant(key(), QuotaConfig::default()).unwrap();
    assert_eq!(quota.ask(Lane::Routine), Err(Duration::from_mins(6)));
    assert_eq!(quota.counters().refusals, 0, "nobody refused this one");
    let year = QuotaBook::new(Arc::new(clock.clone()));
    year.remember([("host/user".to_owned(), clock.now() + SignedDuration::from_hours(8_766))]);
    let quota = year.for_tenant(key(), QuotaConfig::default()).unwrap();
    assert_eq!(quota.paused_for(), Some(Duration::from_hours(24)));
}

/// Lets users of `lanes` ask again and again; returns who went when.
fn serve(
    clock: &VirtualClock,
    quota: &Quota,
    lanes: &[(Lane, u64)],
    each: usize,
) -> Vec<(Lane, Timestamp)> {
    let log = Mutex::new(Vec::new());
    let users = lanes.iter().map(|&(lane, gap)| {
        let log = &log;
        async move {
            for _ in 0..each {
                clock.sleep(Duration::from_millis(gap)).await;
                // The slowest rate that is drawn gives 200 requests in 14 days.
                quota.acquire(lane, LONG * 10).await.unwrap();
                log.lock().unwrap().push((lane, clock.now()));
            }
        }
    });
    clock.block_on(join_all(users));
    log.into_inner().unwrap()
}

fn lane() -> impl Strategy<Value = Lane> {
    prop::sample::select(vec![Lane::Risk, Lane::Verify, Lane::Routine, Lane::Sweep])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sliding_minute_holds_more_than_our_share_and_the_burst(
        published in 1_u32..400,
        share in 1_u32..=100,
        burst in 1_u32..20,
        users in prop::collection::vec((lane(), 0_u64..40_000), 1..6),
    ) {
        let clock = clock();
        let share = Decimal::new(share.into(), 2);
        let ours = (share * Decimal::from(published)).to_f64().unwrap();
        let quota = quota(&clock, QuotaConfig { share, ..config(published, "1", burst) });
        let went = serve(&clock, &quota, &users, 40);
        let mut times: Vec<Timestamp> = went.into_iter().map(|(_, at)| at).collect();
        times.sort();
        for (i, start) in times.iter().enumerate() {
            let end = *start + SignedDuration::from_mins(1);
            let count = times[i..].iter().take_while(|at| **at < end).count();
            prop_assert!(count as f64 <= ours + f64::from(burst), "{count} > {ours} + {burst}");
        }
    }
}

#[test]
fn the_share_is_used_and_not_only_kept() {
    let clock = clock();
    let quota = quota(&clock, config(120, "0.5", 1));
    let started = clock.now();
    let went = serve(&clock, &quota, &[(Lane::Routine, 0), (Lane::Routine, 0)], 60);
    assert_eq!(went.len(), 120);
    let took = clock.now().duration_since(started).as_secs();
    assert!((119..=121).contains(&took), "60 a minute: {took} s");
    assert!(quota.counters().waits >= 118, "{:?}", quota.counters());
}

#[test]
fn under_pressure_risk_goes_first_and_verify_gets_a_fifth() {
    let clock = clock();
    let quota = quota(&clock, config(60, "1", 1));
    let lanes =
        [(Lane::Sweep, 0), (Lane::Verify, 0), (Lane::Risk, 0), (Lane::Risk, 0), (Lane::Risk, 0)];
    let went = serve(&clock, &quota, &lanes, 60);
    // Afterwards some users are done; while all want, the order must hold.
    let busy = &went[5..105];
    let count = |wanted: Lane| busy.iter().filter(|(lane, _)| *lane == wanted).count();
    assert!(count(Lane::Verify) >= 20, "{}", count(Lane::Verify));
    assert_eq!(count(Lane::Risk), 100 - count(Lane::Verify));
    assert_eq!(went.len(), 300, "nobody waits for ever");
}

#[test]
fn a_pause_holds_every_lane_and_is_never_shortened() {
    let clock = clock();
    let quota = Quota::unlimited(Arc::new(clock.clone()));
    quota.pause(Duration::from_secs(60));
    quota.pause(Duration::from_secs(5));
    assert_eq!(quota.closed_for(), Some(Duration::from_secs(60)));
    for lane in [Lane::Risk, Lane::Verify, Lane::Routine, Lane::Sweep] {
        assert_eq!(quota.ask(lane), Err(Duration::from_secs(60)));
    }
    let left = clock.block_on(quota.acquire(Lane::Risk, Duration::from_secs(59)));
    assert_eq!(left, Err(Duration::from_secs(60)), "beyond patience: told, not waited for");
    let waited = clock.block_on(quota.acquire(Lane::Risk, Duration::from_secs(60)));
    assert_eq!(waited, Ok(Duration::from_secs(60)));
    assert_eq!(quota.counters().waited_ms, 60_000);
}

#[test]
fn an_endless_pause_is_no_overflow() {
    let quota = Quota::unlimited(Arc::new(clock()));
    quota.pause(Duration::MAX);
    assert!(quota.ask(Lane::Risk).unwrap_err() > LONG);
}

#[test]
fn nothing_goes_out_in_a_blackout() {
    let clock = clock();
    let blackouts = vec![Blackout {
        from: "11:30".parse().unwrap(),
        to: "12:15".parse().unwrap(),
        zone: "Europe/Berlin".to_owned(),
    }];
    let quota = quota(&clock, QuotaConfig { blackouts, ..QuotaConfig::default() });
    quota.ask(Lane::Routine).unwrap();
    clock.advance(Duration::from_mins(45));
    assert_eq!(quota.ask(Lane::Risk), Err(Duration::from_mins(30)));
    clock.block_on(quota.acquire(Lane::Risk, LONG)).unwrap();
    assert_eq!(clock.now().to_string(), "2026-11-22T11:15:00Z");
}

#[test]
fn who_gives_up_waiting_leaves_the_queue() {
    let clock = clock();
    let quota = quota(&clock, config(60, "1", 1));
    quota.ask(Lane::Risk).unwrap();
    let gone = clock.block_on(quota.acquire(Lane::Risk, Duration::ZERO));
    assert!(gone.is_err());
    clock.advance(Duration::from_secs(1));
    assert_eq!(quota.ask(Lane::Sweep), Ok(()));
}

#[test]
fn a_tenant_has_one_quota() {
    let book = QuotaBook::new(Arc::new(clock()));
    let key = || TenantKey::of("H.example", "planthread");
    let one = book.for_tenant(key(), config(60, "0.5", 5)).unwrap();
    let two = book.for_tenant(TenantKey::of("h.example", "planthread"), config(60, "0.5", 5));
    assert!(Arc::ptr_eq(&one, &two.unwrap()));
    let odd = book.for_tenant(key(), config(61, "0.5", 5)).unwrap_err();
    assert_eq!(odd, QuotaError::Conflict(key()));
    one.started();
    assert_eq!(book.standing()[&key()].counters.requests, 1);
}

#[test]
fn nonsense_is_refused() {
    let book = QuotaBook::new(Arc::new(clock()));
    let error = |config| book.for_tenant(TenantKey::named("x"), config).unwrap_err();
    assert_eq!(error(config(0, "0.5", 1)), QuotaError::NoRate);
    assert_eq!(error(config(60, "0.5", 0)), QuotaError::NoBurst);
    for share in ["0", "-0.1", "1.01"] {
        assert!(matches!(error(config(60, share, 1)), QuotaError::Share(_)), "{share}");
    }
}

/// A wall clock that somebody sets back.
#[derive(Debug)]
struct SetBack(Mutex<Timestamp>);

impl SetBack {
    fn step(&self, nanos: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_nanos(nanos);
    }
}

impl Clock for SetBack {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn random(&self) -> u64 {
        0
    }
}

#[test]
fn a_clock_that_is_set_back_neither_ends_nor_stretches_a_pause() {
    let wall = Arc::new(SetBack(Mutex::new(Timestamp::UNIX_EPOCH)));
    let quota = Quota::unlimited(Arc::clone(&wall) as Arc<dyn Clock>);
    let step = |seconds: i64| wall.step(seconds * 1_000_000_000);
    quota.pause(Duration::from_secs(60));
    step(20);
    assert_eq!(quota.closed_for(), Some(Duration::from_secs(40)));
    step(-3_600);
    assert_eq!(quota.closed_for(), Some(Duration::from_secs(40)));
    step(40);
    assert_eq!(quota.closed_for(), None);
}

/// A tenant that takes `rate` requests a second and `burst` at once, and asks for
/// `pause` when there is one too many.
struct Tenant {
    rate: f64,
    burst: f64,
    pause: Duration,
    left: f64,
    known: Timestamp,
}

impl Tenant {
    fn takes(&mut self, at: Timestamp) -> bool {
        let passed = at.duration_since(self.known).as_secs_f64();
        let left = (self.left + passed * self.rate).min(self.burst);
        let taken = left >= 1.0 - 1e-6;
        (self.left, self.known) = (if taken { left - 1.0 } else { left }, at);
        taken
    }
}

/// What became of requests of the later part of `time`, of one user who always has
/// another one: those that were taken, and those that were refused.
fn later(quota: &Quota, clock: &VirtualClock, tenant: &mut Tenant, time: Duration) -> [u32; 2] {
    let (began, mut counted) = (clock.now(), [0, 0]);
    loop {
        clock.block_on(quota.acquire(Lane::Routine, LONG)).unwrap();
        let passed = clock.now().duration_since(began).unsigned_abs();
        if passed > time + Duration::from_secs(60) {
            return counted;
        }
        quota.started();
        let taken = tenant.takes(clock.now());
        clock.advance(Duration::from_millis(5));
        if !taken {
            quota.refused(tenant.pause);
        }
        if passed >= Duration::from_secs(60) {
            counted[usize::from(!taken)] += 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn after_a_minute_an_untold_rate_is_used_and_hardly_exceeded(
        rate in 2_u32..100, burst in 50_u32..200,
    ) {
        let clock = clock();
        let quota = Quota::unlimited(Arc::new(clock.clone()));
        // The burst is what the tenant takes in half a second, up to two.
        let (rate, burst) = (f64::from(rate), f64::from(rate * burst) / 100.0);
        let known = clock.now();
        let mut tenant = Tenant { rate, burst, pause: Duration::from_secs(1), left: burst, known };
        let seconds = 20_000.0 / rate;
        let time = Duration::from_secs_f64(seconds);
        let [taken, refused] = later(&quota, &clock, &mut tenant, time);
        prop_assert!(f64::from(taken) >= 0.9 * rate * seconds, "{taken} of {}", rate * seconds);
        prop_assert!(f64::from(refused) <= 0.01 * f64::from(taken), "{refused} of {taken}");
        prop_assert_eq!(quota.counters().inside_pause, 0);
    }
}

#[test]
fn a_rate_that_falls_or_rises_is_found_again() {
    let clock = clock();
    let quota = Quota::unlimited(Arc::new(clock.clone()));
    let pause = Duration::from_secs(1);
    let mut tenant = Tenant { rate: 20.0, burst: 10.0, pause, left: 10.0, known: clock.now() };
    for rate in [20.0, 5.0, 15.0] {
        tenant.rate = rate;
        later(&quota, &clock, &mut tenant, Duration::from_mins(10));
        let [taken, refused] = later(&quota, &clock, &mut tenant, Duration::from_mins(5));
        assert!(f64::from(taken) >= 0.9 * rate * 300.0, "{rate}/s: {taken}");
        assert!(f64::from(refused) <= 0.01 * f64::from(taken), "{rate}/s: {refused} of {taken}");
    }
}

#[test]
fn a_quiet_time_and_a_closed_day_teach_no_rate() {
    let clock = clock();
    let quota = Quota::unlimited(Arc::new(clock.clone()));
    for _ in 0..20 {
        quota.ask(Lane::Routine).unwrap();
        clock.advance(Duration::from_millis(100));
    }
    quota.refused(Duration::from_hours(6));
    assert_eq!(quota.standing().learned_every, None);
    clock.advance(Duration::from_hours(6));
    for _ in 0..20 {
        quota.ask(Lane::Routine).unwrap();
        clock.advance(Duration::from_millis(100));
    }
    quota.refused(Duration::from_secs(1));
    let every = quota.standing().learned_every.unwrap();
    assert!(every < Duration::from_millis(160), "{every:?}: the six hours count for nothing");
}

#[test]
fn what_trickles_before_a_rush_says_nothing_about_the_rush() {
    for gap in [2, 4, 60, 3_600] {
        let clock = clock();
        let quota = Quota::unlimited(Arc::new(clock.clone()));
        let pause = Duration::from_secs(1);
        for _ in 0..500 {
            quota.ask(Lane::Routine).unwrap();
            clock.advance(Duration::from_secs(gap));
        }
        let known = clock.now();
        let mut tenant = Tenant { rate: 20.0, burst: 10.0, pause, left: 10.0, known };
        let [taken, _] = later(&quota, &clock, &mut tenant, Duration::from_mins(5));
        assert!(taken >= 5_400, "every {gap} s: {taken} of 6000");
    }
}

#[test]
fn a_quota_that_somebody_else_used_up_teaches_no_rate() {
    let clock = clock();
    let quota = Quota::unlimited(Arc::new(clock.clone()));
    for _ in 0..3 {
        clock.block_on(quota.acquire(Lane::Routine, LONG)).unwrap();
        clock.advance(Duration::from_millis(5));
        quota.refused(Duration::from_secs(60));
        quota.refused(Duration::from_secs(60));
    }
    assert_eq!(quota.standing().learned_every, None);
    let began = clock.now();
    for _ in 0..100 {
        clock.block_on(quota.acquire(Lane::Routine, LONG)).unwrap();
    }
    assert_eq!(clock.now().duration_since(began).as_secs(), 60, "the pause, and nothing else");
}

#[test]
fn a_published_rate_is_never_exceeded_and_a_lower_one_is_learned() {
    let clock = clock();
    let quota = quota(&clock, config(1_200, "1", 1));
    let pause = Duration::from_secs(1);
    let mut tenant = Tenant { rate: 10.0, burst: 10.0, pause, left: 10.0, known: clock.now() };
    let [taken, refused] = later(&quota, &clock, &mut tenant, Duration::from_mins(5));
    assert!(taken >= 2_700 && refused <= 27, "{taken}, {refused}");
    tenant.rate = 1_000.0;
    later(&quota, &clock, &mut tenant, Duration::from_mins(15));
    let [taken, refused] = later(&quota, &clock, &mut tenant, Duration::from_mins(5));
    assert!((5_900..=6_001).contains(&taken) && refused == 0, "{taken}, {refused}");
    assert_eq!(quota.standing().learned_every, None, "our whole share is taken again");
}
