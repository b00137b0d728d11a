//! The tests of what follows from several readings of a PostgreSQL server.

use super::*;

fn reading(commits: f64, hit: f64, read: f64) -> PostgresReading {
    let database =
        DatabaseCounters { commits, blocks_hit: hit, blocks_read: read, ..DatabaseCounters::default() };
    PostgresReading { databases: Part::Ready(vec![database]), ..PostgresReading::default() }
}

#[test]
fn rates_over_measured_time_and_no_ratio_of_nothing() {
    let mut state = PostgresState::default();
    state.absorb(reading(100.0, 0.0, 0.0), Now::example(0));
    assert_eq!(state.rates, Rates::default());
    state.absorb(reading(130.0, 900.0, 50.0), Now::example(3));
    assert_eq!(state.rates.transactions, Some(10.0));
    assert_eq!(state.rates.hit_ratio, None, "950 blocks say nothing");
    state.absorb(reading(130.0, 1800.0, 200.0), Now::example(4));
    assert_eq!(state.rates.hit_ratio, Some(0.9));
}

#[test]
fn polls_that_come_too_soon_change_no_rate() {
    let mut state = PostgresState::default();
    let tens = |millis: u64| Now::example(0).plus(Duration::from_millis(millis * 10));
    state.absorb(reading(100.0, 0.0, 0.0), tens(0));
    state.absorb(reading(113.0, 0.0, 0.0), tens(200));
    assert_eq!(state.rates.transactions, Some(6.5));
    // The statistics of the server do not move within a second.
    for at in [210, 220, 230, 240, 250, 260] {
        state.absorb(reading(113.0, 0.0, 0.0), tens(at));
        assert_eq!(state.rates.transactions, Some(6.5), "{at}");
    }
    state.absorb(reading(126.0, 0.0, 0.0), tens(400));
    assert_eq!(state.rates.transactions, Some(6.5), "counted from the sample that was held");
    state.interrupt();
    state.absorb(reading(9000.0, 0.0, 0.0), Now::example(30_000));
    assert_eq!(state.rates.transactions, None, "a mean over a sleep is no rate");
}

#[test]
fn counters_that_fall_are_announced_and_never_a_negative_rate() {
    let mut state = PostgresState::default();
    state.absorb(reading(1000.0, 5000.0, 0.0), Now::example(0));
    state.absorb(reading(10.0, 20.0, 0.0), Now::example(2));
    assert_eq!(state.rates.transactions, None);
    assert_eq!(state.setback, Some((Now::example(2), Setback::Reset)));
    state.absorb(reading(14.0, 20.0, 0.0), Now::example(4));
    assert_eq!(state.rates.transactions, Some(2.0));
    assert_eq!(state.histories.transactions.columns(9, Duration::from_secs(2)), vec![None, None, Some(2.0)]);
}

#[test]
fn bytes_on_the_way_of_a_quiet_primary_are_no_minutes() {
    let standby = |behind: f64, receiver: Option<&str>| PostgresReading {
        standby: Part::Ready(super::super::Standby {
            receiver: receiver.map(str::to_owned),
            behind_bytes: Some(behind),
            staleness_seconds: Some(300.0),
            ..super::super::Standby::default()
        }),
        ..PostgresReading::default()
    };
    let mut state = PostgresState::default();
    state.absorb(standby(900.0, Some("streaming")), Now::example(0));
    assert_eq!(state.standby_lag(), Some(300.0), "never seen caught up: it can be all of it");
    state.absorb(standby(0.0, Some("streaming")), Now::example(2));
    assert_eq!(state.standby_lag(), Some(0.0));
    state.absorb(standby(900.0, Some("streaming")), Now::example(6));
    assert_eq!(state.standby_lag(), Some(4.0));
    state.absorb(standby(0.0, None), Now::example(8));
    assert_eq!(state.standby_lag(), Some(6.0), "nothing arrives: it was caught up six seconds ago");
    state.absorb(standby(0.0, None), Now::example(20));
    assert_eq!(state.standby_lag(), Some(18.0));
    let mut blind = PostgresState::default();
    blind.absorb(standby(0.0, None), Now::example(8));
    assert_eq!(blind.standby_lag(), Some(300.0), "never seen caught up: its data is that old");
}

#[test]
fn a_dropped_database_is_no_reset() {
    let named = |name: &str, commits: f64| DatabaseCounters {
        name: name.to_owned(),
        commits,
        ..DatabaseCounters::default()
    };
    let reading =
        |databases| PostgresReading { databases: Part::Ready(databases), ..PostgresReading::default() };
    let mut state = PostgresState::default();
    state.absorb(reading(vec![named("a", 500.0), named("b", 10.0)]), Now::example(0));
    state.absorb(reading(vec![named("b", 20.0)]), Now::example(2));
    assert_eq!((state.setback, state.rates.transactions), (None, None));
    state.absorb(reading(vec![named("b", 24.0)]), Now::example(4));
    assert_eq!(state.rates.transactions, Some(2.0));
}

#[test]
fn a_server_that_does_not_tell_what_it_is_has_not_become_another() {
    use crate::core::part::{Gap, GapKind};
    use crate::core::postgres::Untold;
    let of = |standby: bool, told: bool| {
        let mut reading = reading(1.0, 0.0, 0.0);
        reading.server.in_recovery = standby;
        let gap = Gap::new(GapKind::NotPermitted, "permission denied");
        reading.server.untold = if told { Vec::new() } else { vec![Untold { fact: Fact::Recovery, gap }] };
        reading
    };
    let (standby, untold, primary) = (of(true, true), of(false, false), of(false, true));
    assert_eq!(setback(&standby, &untold), None);
    assert_eq!(setback(&untold, &standby), None);
    assert_eq!(setback(&standby, &primary), Some(Setback::Promoted));
    assert!(primary.server.is_primary() && !untold.server.is_primary() && !standby.server.is_primary());
}

#[test]
fn a_restart_begins_anew() {
    let mut state = PostgresState::default();
    let began = |at, commits| {
        let mut reading = reading(commits, 0.0, 0.0);
        reading.server.started_micros = at;
        reading
    };
    state.absorb(began(7, 10.0), Now::example(0));
    // That it is not told any more when it started is no restart.
    state.absorb(began(0, 20.0), Now::example(1));
    assert_eq!(state.setback, None);
    state.absorb(began(7, 30.0), Now::example(2));
    assert_eq!(state.setback, None);
    state.absorb(began(77, 40.0), Now::example(4));
    assert_eq!(state.rates.transactions, None);
    assert_eq!(state.setback, Some((Now::example(4), Setback::Restarted)));
    state.gap(Now::example(6));
    assert_eq!(state.histories.connections.last(), None);
}
