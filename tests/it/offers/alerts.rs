//! What may be done to alerts and silences, for whom it is said to be, and what is refused.

use crate::pages::alerts::{alert, pairs, reading, silence};
use crate::pages::world::{FIRST, Offers, Stage, fact, gap, secs, target};
use stacktop::core::action::{Action, Preview};
use stacktop::core::alertmanager::{
    AlertGroup, AlertmanagerAct, AlertmanagerReading, AlertmanagerRow, End, HeldBy, Matcher, Silence, Status,
};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::prometheus::{
    AlertingRule, Alertmanagers, PrometheusReading, PrometheusRow, RulesReading,
};
use stacktop::core::row::RowKey;

fn row(row: AlertmanagerRow) -> RowKey {
    RowKey::Alertmanager(target("am"), row)
}

fn of_alert(fingerprint: &str) -> RowKey {
    row(AlertmanagerRow::Alert(fingerprint.to_owned()))
}

fn of_silence() -> RowKey {
    row(AlertmanagerRow::Silence("s1".to_owned()))
}

fn offers(reading: AlertmanagerReading, key: &RowKey) -> Offers {
    Stage::of(reading).offers(Screen::Alerts, key)
}

/// Alerts by fingerprint and labels, all of them of one group.
fn holding(alerts: &[(&str, &str)]) -> AlertmanagerReading {
    let group = AlertGroup {
        receiver: "night".to_owned(),
        labels: pairs("job=api"),
        alerts: alerts.iter().map(|(fingerprint, labels)| alert(fingerprint, labels, vec![])).collect(),
    };
    AlertmanagerReading { groups: Part::Ready(vec![group]), silences: Part::Ready(vec![]), ..reading() }
}

fn act(action: &Action) -> &AlertmanagerAct {
    match action {
        Action::Alertmanager { act, .. } => act,
        Action::Postgres { .. } | Action::Redis { .. } | Action::Search { .. } => {
            panic!("it is an action on an Alertmanager")
        }
    }
}

/// The matchers that a letter stands for.
#[track_caller]
fn matchers(offers: &Offers, letter: char) -> String {
    fact(&offers.choice(letter).1, "alerts with")
}

/// What comes of a text that is typed for a letter, on the alert `f1`.
fn typed(reading: AlertmanagerReading, letter: char, text: &str) -> Result<(Action, Preview), String> {
    let answer = Stage::of(reading).answer_on(Screen::Alerts, &of_alert("f1"), (letter, text));
    answer.map_err(|refusal| refusal.sentence())
}

#[track_caller]
fn refused(reading: AlertmanagerReading, letter: char, text: &str, sentence: &str) {
    match typed(reading, letter, text) {
        Ok((_, preview)) => panic!("`{text}` is not refused: {}", preview.title),
        Err(why) => assert_eq!(why, sentence),
    }
}

#[test]
fn an_alert_is_silenced_narrowly_or_widely() {
    let offers = offers(reading(), &of_alert("f1"));
    assert_eq!(offers.open(), "sgnm");
    assert_eq!(matchers(&offers, 's'), r#"{alertname="DiskFull", severity="critical", host="a"}"#);
    assert_eq!(matchers(&offers, 'g'), r#"{alertname="DiskFull", job="api"}"#);
    assert_eq!(matchers(&offers, 'n'), r#"{alertname="DiskFull"}"#);
    let asks = offers.offer('m').asks.as_ref().expect("it is typed");
    let initial =
        r#"{alertname="DiskFull", severity="critical", host="a"} 1h DiskFull host=a: the disk is full"#;
    assert_eq!(asks.initial, initial);
}

#[test]
fn the_preview_names_what_is_muted_one_by_one_and_what_is_not_done() {
    let (action, preview) = offers(reading(), &of_alert("f1")).choice('n');
    assert_eq!(preview.title, "Silence 2 alerts, all of them critical");
    assert_eq!(fact(&preview, "mutes"), "2 alerts, all of them critical");
    let named: Vec<&str> =
        preview.facts.iter().filter(|(label, _)| label == "alert").map(|(_, words)| words.as_str()).collect();
    assert_eq!(
        named,
        [
            "DiskFull host=a (critical, for 1m30s, told to night)",
            "DiskFull host=b (critical, for 1m30s, told to night, silenced already)"
        ]
    );
    assert_eq!(fact(&preview, "until"), "2026-09-21 15:15 (in 1h00m)");
    assert_eq!(fact(&preview, "by"), "ana");
    assert_eq!(fact(&preview, "why"), "DiskFull: the disk is full");
    assert!(fact(&preview, "not").starts_with("it mends nothing"));
    assert_eq!(preview.confirm_key, 'n');
    let AlertmanagerAct::Silence { end, author, quiet, .. } = act(&action) else { panic!("a silence") };
    assert_eq!((*end, author.as_str()), (End::After(secs(3600)), "ana"));
    assert_eq!(quiet, &["f1", "f2"]);
}

#[test]
fn matchers_are_tried_on_what_is_there() {
    let there = || {
        holding(&[
            ("f1", "alertname=Full severity=critical host=db1"),
            ("f2", "alertname=Full severity=warning host=db2"),
            ("f3", "alertname=Slow host=web1"),
        ])
    };
    for (text, mutes) in [
        (r#"{alertname="Full"} 1h why"#, "2 alerts, 1 of them critical"),
        (r#"{host=~"db.*", severity!="critical"} 1h why"#, "1 alert"),
        (
            r#"{host=~"b"} 1h why"#,
            "no alert that is there now: look whether the matchers are as they should be",
        ),
        (r#"{host!~"db.*", alertname=~".+"} 1h why"#, "1 alert"),
        (r#"{severity="", alertname=~"S.*"} 1h why"#, "1 alert"),
    ] {
        let (_, preview) = typed(there(), 'm', text).expect("matchers");
        assert_eq!(fact(&preview, "mutes"), mutes, "{text}");
    }
    let (action, _) = typed(there(), 'm', r#"{host=~"db.*"} until 18:00 a "quoted" why"#).expect("matchers");
    let AlertmanagerAct::Silence { matchers, comment, quiet, .. } = act(&action) else { panic!("a silence") };
    assert_eq!(matchers, &[Matcher { regex: true, ..Matcher::is("host", "db.*") }]);
    assert_eq!((comment.as_str(), quiet.len()), ("a \"quoted\" why", 2));
}

#[test]
fn what_would_mute_everything_or_has_no_reason_is_refused() {
    let wide = "; name what it is for: an alert, a host, a service";
    let each = "each of these matchers holds for an alert without the label, too: it would keep nearly everything quiet, and the Alertmanager refuses it";
    refused(reading(), 'm', r#"{host=~".*"} 1h why"#, &format!("{each}{wide}"));
    let any = "these matchers hold for whatever the labels say: it would keep every alert quiet";
    refused(reading(), 'm', r#"{alertname=~".+"} 1h why"#, &format!("{any}{wide}"));
    let none = "no matcher is given: it would keep every alert quiet";
    refused(reading(), 'm', "{} 1h why", &format!("{none}{wide}"));
    let reason = "others must know why; write the reason behind the end, as `1h the disk is being replaced`";
    refused(reading(), 's', "1h", reason);
    refused(reading(), 'm', r#"{host="x"} 1h  "#, reason);
    let end = "it begins with its end; write it as 30m, 1h, 1h30m, 2d, until 18:30 or until 2026-01-31 18:30";
    refused(reading(), 's', "a deploy", end);
    let form = "matchers stand in braces: {alertname=\"Full\", host=~\"db.*\"}; write it as {alertname=\"Full\", host=~\"db.*\"} 1h why";
    refused(reading(), 'm', "host=x 1h why", form);
    // Only its own alerts are muted by the same matchers: who made the first is told.
    refused(
        reading(),
        'm',
        r#"{host="b"} 1h why"#,
        "ana silences the same for 1h00m more; extend that silence",
    );
}

#[test]
fn an_old_version_would_take_what_must_not_be_for_its_opposite() {
    let of = |version: &str| {
        let status = Status { version: version.to_owned(), ..Status::default() };
        AlertmanagerReading { status: Part::Ready(status), ..reading() }
    };
    let text = r#"{alertname="DiskFull", host!="a"} 1h why"#;
    let sentence = "this version of Alertmanager knows no != and !~, and would take them for their opposites; 0.22 and later know them";
    refused(of("0.21.0"), 'm', text, sentence);
    assert!(typed(of("0.22.0"), 'm', text).is_ok() && typed(of("1.0.0"), 'm', text).is_ok());
    assert!(typed(of("0.21.0"), 'm', r#"{alertname="DiskFull"} 1h why"#).is_ok());
}

#[test]
fn what_is_much_or_long_or_must_always_fire_asks_for_a_word() {
    let many: Vec<(String, String)> =
        (0..11).map(|number| (format!("f{number}"), format!("alertname=Full host=h{number}"))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let severe = |reading, letter, text| typed(reading, letter, text).expect("a choice").1.severe;
    assert!(severe(holding(&many), 'n', "1h why"));
    assert!(!severe(holding(&many[..10]), 'n', "1h why"));
    assert!(severe(holding(&many[..3]), 's', "8d why"));
    let always = holding(&[("f1", "alertname=Watchdog severity=none")]);
    let (_, preview) = typed(always, 's', "1h why").expect("a choice");
    assert!(preview.severe && fact(&preview, "but").starts_with("Watchdog must always fire"));
}

#[test]
fn marked_alerts_are_silenced_by_what_they_have_in_common() {
    let there = holding(&[
        ("f1", "alertname=Full severity=warning host=db1 disk=a"),
        ("f2", "alertname=Full severity=warning host=db2"),
        ("f3", "alertname=Full severity=warning host=db3"),
    ]);
    let marked = [of_alert("f1"), of_alert("f2")];
    let offers = Stage::of(there).offers_of(Screen::Alerts, &marked[0], &marked);
    assert_eq!(offers.letters(), "sm");
    assert_eq!(matchers(&offers, 's'), r#"{alertname="Full", severity="warning", host=~"db1|db2"}"#);
    assert_eq!(offers.fact('s', "mutes"), "2 alerts");
}

/// The words under these labels of a preview, in order.
fn told_under(preview: &Preview, labels: &[&str]) -> Vec<String> {
    let facts = preview.facts.iter().filter(|(label, _)| labels.contains(&label.as_str()));
    facts.map(|(label, value)| format!("{label}: {}", value.split(" (").next().unwrap_or_default())).collect()
}

#[test]
fn what_labels_in_common_hit_beside_is_set_apart() {
    let there = holding(&[
        ("f1", "alertname=Full host=db1 disk=a"),
        ("f2", "alertname=Full host=db2 disk=b"),
        ("f3", "alertname=Full host=db1 disk=b"),
        ("f4", "alertname=Full host=db2 disk=a"),
        ("f5", "alertname=Full host=db3 disk=a"),
    ]);
    let marked = [of_alert("f1"), of_alert("f2")];
    let offers = Stage::of(there.clone()).offers_of(Screen::Alerts, &marked[0], &marked);
    let (action, preview) = offers.choice('s');
    let words = [
        "also: silences 2 that are not marked:",
        "not marked: Full host=db1 disk=b",
        "not marked: Full host=db2 disk=a",
        "alert: Full host=db1 disk=a",
        "alert: Full host=db2 disk=b",
    ];
    assert_eq!(told_under(&preview, &["also", "not marked", "alert"]), words);
    assert!(preview.severe, "nobody confirms it unseen");
    // What is confirmed is pinned to those that were shown.
    let AlertmanagerAct::Silence { quiet, .. } = act(&action) else { panic!("a silence") };
    assert_eq!(quiet.len(), 4);
    // An alert with the labels of this one, and more.
    let more = holding(&[("f1", "alertname=Full host=db1"), ("f2", "alertname=Full host=db1 disk=b")]);
    let (_, preview) = Stage::of(more).offers(Screen::Alerts, &marked[0]).choice('s');
    assert_eq!(told_under(&preview, &["also"]), ["also: silences 1 that is not this one:"]);
    // Its name everywhere is wide by its words.
    let (_, preview) = Stage::of(there).offers(Screen::Alerts, &marked[0]).choice('n');
    assert_eq!((told_under(&preview, &["also"]), preview.severe), (vec![], false));
}

#[test]
fn marks_that_are_left_out_are_counted() {
    let there = holding(&[("f1", "alertname=Full host=db1"), ("f2", "alertname=Full host=db2")]);
    let other = RowKey::Alertmanager(target("am-2"), AlertmanagerRow::Alert("f9".to_owned()));
    let marked = [of_alert("f1"), of_alert("gone"), other, of_silence()];
    let (_, preview) = Stage::of(there.clone()).offers_of(Screen::Alerts, &marked[0], &marked).choice('s');
    let words = [
        "left out: 1 mark: what was marked is over",
        "left out: 2 marks: no alert, or none of this Alertmanager",
    ];
    assert_eq!(told_under(&preview, &["left out"]), words);
    // Whoever types other matchers leaves marked ones out.
    let both = [of_alert("f1"), of_alert("f2")];
    let typed = ('m', r#"{alertname="Full", host="db1"} 1h why"#);
    let answer = Stage::of(there.clone()).answer_of(Screen::Alerts, &both[0], &both, typed);
    let (_, preview) = answer.expect("a silence");
    assert_eq!(told_under(&preview, &["left out"]), ["left out: Full host=db2, which is marked: it goes on"]);
    let gone = [of_alert("gone"), of_alert("too")];
    let offers = Stage::of(there).offers_of(Screen::Alerts, &gone[0], &gone);
    offers.refuses('s', "the marked alerts are over; take the marks away");
}

#[test]
fn more_others_than_are_named_are_refused() {
    let labels: Vec<(String, String)> = (0..60)
        .map(|number| {
            (format!("f{number}"), format!("alertname=Full host=db{} disk=d{}", number % 8, number / 8))
        })
        .collect();
    let there: Vec<(&str, &str)> = labels.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    // One of each host, and each disk: the product is everything.
    let marked: Vec<RowKey> =
        [0, 9, 18, 27, 36, 45, 54, 7, 57].map(|number| of_alert(&format!("f{number}"))).to_vec();
    let offers = Stage::of(holding(&there)).offers_of(Screen::Alerts, &marked[0], &marked);
    offers.refuses(
        's',
        "it would also silence 51 alerts that are not marked; silence fewer at once, or type matchers",
    );
}

/// A Prometheus that tells of an alert with these labels, beside an Alertmanager.
fn told_by_prometheus(labels: &str) -> Offers {
    told_beside(labels, &[("am", &[])])
}

/// The same beside Alertmanagers that name these members.
fn told_beside(labels: &str, managers: &[(&str, &[&str])]) -> Offers {
    told_to(labels, Part::NotAsked, managers)
}

/// The same of a Prometheus that names whom it tells.
fn told_to(labels: &str, alertmanagers: Part<Alertmanagers>, managers: &[(&str, &[&str])]) -> Offers {
    let mut all = vec![("prom", SystemKind::Prometheus)];
    all.extend(managers.iter().map(|(name, _)| (*name, SystemKind::Alertmanager)));
    let rule = AlertingRule {
        group: "disks".to_owned(),
        name: "DiskFull".to_owned(),
        state: "firing".to_owned(),
        all_labels: pairs(labels),
        ..AlertingRule::default()
    };
    let rules = Part::Ready(RulesReading { total: 1, notable: vec![rule], ..RulesReading::default() });
    let prometheus = PrometheusReading { rules, alertmanagers, ..PrometheusReading::default() };
    let mut stage = Stage::with(&all).then(FIRST, "prom", prometheus);
    for (name, members) in managers {
        let names: Vec<String> = members.iter().map(|name| (*name).to_owned()).collect();
        let status = Part::Ready(Status { peers: names.len(), names, ..Status::default() });
        stage = stage.then(FIRST, name, AlertmanagerReading { status, ..reading() });
    }
    let row = PrometheusRow::Rule { group: "disks".into(), name: "DiskFull".into(), labels: String::new() };
    stage.offers(Screen::Metrics, &RowKey::Prometheus(target("prom"), row))
}

#[test]
fn an_alert_that_a_prometheus_tells_of_is_silenced_where_it_is_held() {
    let offers = told_by_prometheus("alertname=DiskFull host=a");
    assert_eq!(offers.open(), "sgnm");
    assert_eq!(matchers(&offers, 's'), r#"{alertname="DiskFull", severity="critical", host="a"}"#);
    assert_eq!(offers.choice('s').0.target(), &target("am"));
    let none = "no Alertmanager that is watched has this alert, or it has several that may be it; name the one that this Prometheus tells as [[alertmanager]]";
    told_by_prometheus("alertname=DiskFull host=c").refuses('s', none);
    told_by_prometheus("alertname=DiskFull").refuses('s', none);
}

#[test]
fn of_several_that_have_an_alert_none_is_picked_silently() {
    let labels = "alertname=DiskFull host=a";
    let apart = "2 Alertmanagers that know nothing of each other have this alert: am, am-2; silence it on the alerts screen, in each that is meant";
    told_beside(labels, &[("am", &[]), ("am-2", &[])]).refuses('s', apart);
    told_beside(labels, &[("am", &["a", "b"]), ("am-2", &["c", "d"])]).refuses('s', apart);
    let members = told_beside(labels, &[("am", &["a", "b"]), ("am-2", &["a", "b"])]);
    assert_eq!(members.choice('s').0.target(), &target("am"));
}

#[test]
fn of_several_that_have_an_alert_the_one_that_the_prometheus_names_is_taken() {
    let labels = "alertname=DiskFull host=a";
    let two: [(&str, &[&str]); 2] = [("am", &[]), ("am-2", &[])];
    let named = |told: &[&str], managers: &[(&str, &[&str])]| {
        let told = told.iter().map(|url| (*url).to_owned()).collect();
        told_to(labels, Part::Ready(Alertmanagers { told, dropped: 0 }), managers)
    };
    for (told, expected) in [("http://am.example:1", "am"), ("http://am-2.example:1/prefix", "am-2")] {
        assert_eq!(named(&[told], &two).choice('s').0.target(), &target(expected));
    }
    // Both are told: neither is picked.
    named(&["http://am.example:1", "http://am-2.example:1"], &two)
        .refuses('s', "2 Alertmanagers that know nothing of each other have this alert: am, am-2; silence it on the alerts screen, in each that is meant");
    // The same labels in one that is not told are another alert, also where the one that is told does not have it.
    named(&[], &two[..1]).refuses('s', "no Alertmanager that is watched has this alert, or it has several that may be it; name the one that this Prometheus tells as [[alertmanager]]");
}

#[test]
fn a_group_is_silenced_by_its_labels() {
    let key = |labels: &str| row(AlertmanagerRow::Group { receiver: "night".into(), labels: labels.into() });
    let offers_of = offers(reading(), &key("job=api"));
    assert_eq!(offers_of.letters(), "gm");
    // Neither of its alerts has that label here: the preview says so before anything is done.
    assert!(offers_of.fact('g', "mutes").starts_with("no alert that is there now"));
    let mut all = reading();
    if let Part::Ready(groups) = &mut all.groups {
        groups[0].labels.clear();
    }
    let sentence = "no matcher is given: it would keep every alert quiet; name what it is for: an alert, a host, a service";
    offers(all.clone(), &key("(all)")).refuses('g', sentence);
    // What its alerts have in common can be typed on from.
    assert_eq!(
        matchers(&offers(all.clone(), &key("(all)")), 'm'),
        r#"{alertname="DiskFull", severity="critical", host=~"a|b"}"#
    );
    let sentence = "its group is made by no label; type matchers instead";
    offers(all, &of_alert("f1")).refuses('g', sentence);
}

#[test]
fn a_silence_is_extended_and_expired() {
    let offers = offers(reading(), &of_silence());
    assert_eq!(offers.open(), "ed");
    assert_eq!(offers.title('e'), "Extend the silence by ana of 1 alert, which is critical");
    assert_eq!(offers.fact('e', "would end"), "2026-09-21 15:15 (in 1h00m)");
    assert_eq!(offers.fact('e', "ends then"), "2026-09-21 16:15 (in 2h00m)");
    assert_eq!(offers.title('d'), "Expire the silence by ana of 1 alert, which is critical");
    assert_eq!(
        offers.fact('d', "then"),
        "people are told of them again, as the intervals of their groups permit"
    );
    let AlertmanagerAct::Expire { silence, quiet } = act(&offers.choice('d').0).clone() else {
        panic!("expired")
    };
    assert_eq!((silence.id.as_str(), silence.ends_at.as_str()), ("s1", "2026-09-21T15:15:00.000Z"));
    assert_eq!((silence.comment.as_str(), quiet), ("a deploy", vec!["f2".to_owned()]));
}

#[test]
fn what_another_one_changed_is_looked_at_again() {
    let chosen = offers(reading(), &of_silence()).choice('d').0;
    let changed = |silence: Silence| {
        let reading = AlertmanagerReading { silences: Part::Ready(vec![silence]), ..reading() };
        offers(reading, &of_silence()).choice('d').0
    };
    assert!(chosen.is_still(&changed(Silence { ends_in: secs(1800), ..silence() })));
    assert!(!chosen.is_still(&changed(Silence { ends_at: "later".to_owned(), ..silence() })));
    assert!(!chosen.is_still(&changed(Silence { comment: "another".to_owned(), ..silence() })));
    // One more alert that it keeps quiet was not shown.
    let mut more = reading();
    if let Part::Ready(groups) = &mut more.groups {
        groups[0].alerts[0].held = vec![HeldBy::Silence("s1".to_owned())];
    }
    assert!(!chosen.is_still(&offers(more, &of_silence()).choice('d').0));
}

#[test]
fn what_is_kept_back_by_another_one_stays_so() {
    let mut held = reading();
    if let Part::Ready(groups) = &mut held.groups {
        groups[0].alerts[1].held.push(HeldBy::Alert("f1".to_owned()));
    }
    let then = offers(held, &of_silence()).fact('d', "then");
    assert_eq!(then, "people are told of 0 again; 1 are kept back by others, too");
}

#[test]
fn an_end_before_the_end_is_no_extension() {
    let stage = Stage::of(reading());
    let answer = |text: &str| {
        stage.answer_on(Screen::Alerts, &of_silence(), ('e', text)).map_err(|refusal| refusal.sentence())
    };
    assert_eq!(
        answer("until 14:30").expect_err("before"),
        "that is before its end, which is in 1h00m; expire it, or make a shorter one"
    );
    let reason = "`and why` has no place here; only the end is changed; the reason stays as it is";
    assert_eq!(answer("1h and why").expect_err("a reason"), reason);
    assert!(answer("until 18:00").is_ok());
}

#[test]
fn what_is_over_not_known_or_old_is_not_acted_on() {
    let over = Silence { over_for: Some(secs(60)), ends_in: secs(0), ..silence() };
    let gone = AlertmanagerReading { silences: Part::Ready(vec![over]), ..reading() };
    let sentence = "this silence is over; make a new one from the alert that it was for";
    let found = offers(gone, &of_silence());
    found.refuses('e', sentence);
    found.refuses('d', sentence);
    offers(reading(), &of_alert("gone")).refuses('s', "this alert is over");
    let blind = AlertmanagerReading { groups: gap("forbidden"), ..reading() };
    offers(blind, &of_silence()).refuses('d', "what it would keep quiet is not known: forbidden");
    let late = Stage::of(reading()).at(FIRST + 20).offers(Screen::Alerts, &of_alert("f1"));
    late.refuses('s', "its source is late, and this was so 20 s ago: it may be otherwise now; wait until the source answers again");
    let old = Stage::of(reading()).at(FIRST + 600).offers(Screen::Alerts, &of_alert("f1"));
    old.refuses('s', "the data is too old to act on; wait until the source answers again");
    let waiting = Stage::waiting(SystemKind::Alertmanager).offers(Screen::Alerts, &of_alert("f1"));
    waiting.refuses('s', "nothing was read of this Alertmanager yet");
    let two = [of_silence(), row(AlertmanagerRow::Silence("s2".to_owned()))];
    let marked = Stage::of(reading()).offers_of(Screen::Alerts, &two[0], &two);
    marked.refuses('d', "silences are changed one by one; take the marks away");
}

/// What users of other tools reported: matchers whose preview named other alerts than were muted then.
#[test]
fn reports_of_users_of_other_tools() {
    let there = || {
        holding(&[
            ("f1", "alertname=MyAlert pod=a,b note=x"),
            ("f2", "alertname=MyAlertToo pod=c"),
            ("f3", "alertname=Other pod=c"),
        ])
    };
    for (report, matchers, mutes) in [
        ("alertmanager#1841: a comma in a value", r#"{pod="a,b"}"#, 1),
        ("alertmanager#2321: quotes in a value", r#"{alertname="\"MyAlert\""}"#, 0),
        ("alertmanager#3279: a regular expression with a quote", r#"{alertname=~"My\"Alert"}"#, 0),
        ("alertmanager#2354: a blank behind a name", r#"{ alertname ="Other"}"#, 1),
        ("alertmanager#2354: a blank in a quoted name", r#"{"alertname "="Other"}"#, 0),
        ("grafana#52676: a label that no alert has", r#"{gone!="x", pod="c"}"#, 2),
        ("grafana#52676: a flag inside", r#"{alertname=~"^(?i:(myalert)).*"}"#, 2),
        ("an alternative is for all of a value", r#"{alertname=~"MyAlert|Other"}"#, 2),
    ] {
        let (action, _) = typed(there(), 'm', &format!("{matchers} 1h why")).expect(report);
        let AlertmanagerAct::Silence { quiet, .. } = act(&action) else { panic!("a silence") };
        assert_eq!(quiet.len(), mutes, "{report}");
    }
    // alertmanager#1240: labels without a value broke the form that a click on the alert filled in.
    let empty = holding(&[("f1", "alertname=Full channel= host=a")]);
    assert_eq!(matchers(&offers(empty, &of_alert("f1")), 's'), r#"{alertname="Full", host="a"}"#);
    // karma#3909 and karma#625: of two alike each tells what it keeps quiet, and one that keeps nothing quiet is listed, too.
    let mut twice = reading();
    if let Part::Ready(groups) = &mut twice.groups {
        groups[0].alerts[1].held.push(HeldBy::Silence("s2".to_owned()));
    }
    let other = |id: &str| Silence { id: id.to_owned(), author: id.to_owned(), ..silence() };
    twice.silences = Part::Ready(vec![silence(), other("s2"), other("s3")]);
    let page = Stage::of(twice).page(Screen::Alerts);
    assert_eq!(
        [page.cell("ana", "alerts"), page.cell("s2", "alerts"), page.cell("s3", "alerts")],
        ["1", "1", "0"]
    );
}
