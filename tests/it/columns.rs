//! Columns that the configuration chooses: every table of every page is known by its name and its columns, they are shown as it is
//! written, and a mistake is told with its place.

use crate::made::{Turns, made};
use crate::screens::Drive;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stacktop::app::columns;
use stacktop::app::key::Key;
use stacktop::core::ids::{SystemKind, TargetId};
use stacktop::core::place::Screen;
use stacktop::core::reading::Reading;
use stacktop::core::redis::RedisReading;
use stacktop::core::report::PollReport;
use stacktop::core::row::RowKey;
use stacktop::core::time::Now;
use stacktop::core::world::{TargetState, World};
use stacktop::panels::{PanelContext, opened};
use stacktop::ui::select::{View, name};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SECOND: u64 = 45;

fn report(target: TargetId, reading: Reading) -> PollReport {
    PollReport::example(target, Ok(reading), Now::example(SECOND))
}

/// The same with numbers as servers have them: only what is there matters here.
fn tame<T: Serialize + DeserializeOwned>(
    kind: SystemKind,
    made: T,
    of: impl Fn(Box<T>) -> Reading,
) -> Option<(SystemKind, Reading)> {
    fn small(value: &mut Value) {
        match value {
            Value::Number(number) if number.as_f64().is_some_and(|it| it.abs() > 1e6) => *value = 7.into(),
            Value::Array(list) => list.iter_mut().for_each(small),
            Value::Object(map) => map.values_mut().for_each(small),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut value = serde_json::to_value(made).ok()?;
    small(&mut value);
    Some((kind, of(Box::new(serde_json::from_value(value).ok()?))))
}

/// What was read of an opened queue is about one that is in the list.
fn opened_queue(mut reading: RedisReading) -> RedisReading {
    let Some(queue) = reading.queues.ready().and_then(|all| Some(all.first()?.queue.clone())) else {
        return reading;
    };
    reading.failed.iter_mut().for_each(|page| page.queue = queue.clone());
    reading.lists.iter_mut().for_each(|list| list.queue = queue.clone());
    reading
}

/// Every table of the demo, and of servers of every kind whose answers are made up.
async fn everything() -> BTreeMap<String, Vec<String>> {
    let mut drive = Drive::demo();
    drive.run_to(SECOND).await;
    let mut found = BTreeMap::new();
    let walk = |drive: &Drive, found: &mut BTreeMap<String, Vec<String>>| {
        for screen in Screen::ALL {
            gather(drive.model.seen(), (*screen, &[]), found);
        }
    };
    walk(&drive, &mut found);
    let turns = &mut Turns::default();
    for seed in 0..300 {
        let all = [
            tame(SystemKind::Postgres, made(seed, turns), Reading::Postgres),
            tame(SystemKind::Redis, opened_queue(made(seed, turns)), Reading::Redis),
            tame(SystemKind::Search, made(seed, turns), Reading::Search),
            tame(SystemKind::Prometheus, made(seed, turns), Reading::Prometheus),
            tame(SystemKind::Metrics, made(seed, turns), Reading::Metrics),
            tame(SystemKind::Alertmanager, made(seed, turns), Reading::Alertmanager),
            tame(SystemKind::Loki, made(seed, turns), Reading::Loki),
            tame(SystemKind::Health, made(seed, turns), Reading::Health),
            tame(SystemKind::Probe, made(seed, turns), Reading::Probe),
        ];
        for (kind, reading) in all.into_iter().flatten() {
            let (id, now) = (TargetId::new(kind.name()), Now::example(SECOND));
            let state = TargetState::new(id.clone(), kind, String::new(), Duration::from_secs(1), now);
            drive.model.world = World::new(vec![state], drive.model.world.rules.clone());
            // Some of them hold numbers that no server has, and that cannot be added up.
            let one = catch_unwind(AssertUnwindSafe(|| {
                let mut found = found.clone();
                drive.model.world.apply(report(id, reading));
                drive.model.world.evaluate(now);
                walk(&drive, &mut found);
                found
            }));
            found = one.unwrap_or(found);
        }
    }
    found
}

/// Every table of a page, and of what its rows open, by its name.
fn gather(
    seen: PanelContext<'_>,
    (screen, path): (Screen, &[RowKey]),
    found: &mut BTreeMap<String, Vec<String>>,
) {
    let content = opened(screen, path).content(seen, path);
    for section in &content.sections {
        let Some(table) = &section.table else { continue };
        let known = found.entry(name(section, table)).or_default();
        for column in &table.columns {
            let title = column.title.to_string();
            if !title.is_empty() && !known.contains(&title) {
                known.push(title);
            }
        }
        let mut kinds: Vec<(&RowKey, usize)> = Vec::new();
        for row in table.rows.iter().filter(|row| row.opens && path.len() < 2) {
            let at = kinds.iter().position(|(other, _)| other.is_like(&row.key)).unwrap_or(kinds.len());
            if at == kinds.len() {
                kinds.push((&row.key, 0));
            }
            kinds[at].1 += 1;
            if kinds[at].1 <= 8 {
                gather(seen, (screen, &[path, std::slice::from_ref(&row.key)].concat()), found);
            }
        }
    }
}

/// The text of every panel: what is no word of it is data of a server.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            text += &sources(&entry.path());
        } else {
            text += &std::fs::read_to_string(entry.path()).expect("a file");
        }
    }
    text
}

#[tokio::test]
async fn every_table_is_known_by_its_name_and_columns() {
    let found = everything().await;
    let ours = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/panels"));
    let is_word = |text: &str| ours.contains(&format!("\"{text}\""));
    let mut rendered = String::new();
    for (name, columns) in found {
        let heading = name.rsplit_once('/').map_or("", |(heading, _)| heading);
        let columns: Vec<String> = columns.into_iter().filter(|title| is_word(title)).collect();
        // A heading that is the name of something of a server is none of ours, whatever it reads like.
        let named = heading.is_empty() || heading.starts_with(char::is_uppercase);
        let named = named && heading.parse::<f64>().is_err() && name != "/";
        if named && ours.contains(&format!("\"{heading}")) && columns.len() > 1 {
            let _ = writeln!(rendered, "{name}: {}", columns.join(" | "));
        }
    }
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app/columns.txt");
    if std::env::var_os("STACKTOP_UPDATE_SAMPLE").is_some() {
        std::fs::write(place, rendered).expect("written");
        return;
    }
    let known = std::fs::read_to_string(place).expect("the list");
    assert_eq!(known, rendered, "run once with STACKTOP_UPDATE_SAMPLE=1 to render it anew");
}

/// The headings of the sessions, with this in force.
async fn headings(view: View, (width, height): (u16, u16)) -> Vec<String> {
    let mut drive = Drive::demo();
    drive.model.habits.columns = BTreeMap::from([(QUEUES.to_owned(), view)]);
    drive.run_to(25).await;
    drive.key(Key::char('6'));
    let text = drive.drawn(width, height);
    let line = text.lines().find(|line| line.trim_start().starts_with("queue ")).expect("the headings");
    line.split_whitespace().take_while(|word| *word != "│").map(str::to_owned).collect()
}

const QUEUES: &str = "/queue";

#[tokio::test]
async fn columns_are_shown_as_it_is_written_at_every_width() {
    let titles = |titles: &[&str]| titles.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>();
    for size in [(80, 24), (160, 50)] {
        let plain = headings(View::default(), size).await;
        assert!(plain.contains(&"waiting".to_owned()) && plain[1] != "failed", "{plain:?}");
        let shown = View { shown: Some(titles(&["failed", "waiting"])), ..View::default() };
        assert_eq!(headings(shown, size).await, ["queue", "failed", "waiting"]);
        let hidden = View { hidden: titles(&["waiting"]).into_iter().collect(), ..View::default() };
        assert!(!headings(hidden, size).await.contains(&"waiting".to_owned()));
        let order = View { order: titles(&["failed"]), ..View::default() };
        assert_eq!(headings(order, size).await[..2], ["queue", "failed"]);
    }
}

#[tokio::test]
async fn the_list_of_columns_says_how_its_choice_is_kept() {
    let mut drive = Drive::demo();
    drive.run_to(25).await;
    drive.key(Key::char('6'));
    drive.drawn(80, 24);
    drive.key(Key::char('C'));
    drive.drawn(80, 24);
    drive.key(Key::char('j'));
    drive.key(Key::char(' '));
    let hidden: Vec<String> = drive.model.place().levels[0].views[QUEUES].hidden.iter().cloned().collect();
    assert_eq!(hidden.len(), 1);
    let text = drive.drawn(160, 50);
    assert!(text.contains(&format!("[columns.\"{QUEUES}\"]")), "{text}");
    assert!(text.contains(&format!("hide = [\"{}\"]", hidden[0])), "{text}");
}

/// What `check-config` says of this file.
fn checked(text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file: PathBuf = folder.path().join("c.toml");
    std::fs::write(&file, text).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_stacktop"))
        .args(["check-config", "--config", "c.toml"])
        .env_clear()
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let said = checked(text);
    for part in expected {
        assert!(said.contains(part), "{part:?} in {said}");
    }
}

#[test]
fn mistakes_in_columns_are_told_with_their_place() {
    check("[columns.\"/queue\"]\nhide = [\"failed\"]\norder = [\"waiting\"]\n", &["is right"]);
    check("[columns.\"Findngs/\"]\nhide = []\n", &["c.toml:1:", "did you mean `Findings/`?"]);
    check("[columns.\"/queue\"]\nhide = [\"faild\"]\n", &["c.toml:2:9", "did you mean `failed`?"]);
    check("[columns.\"/queue\"]\nhide = [\"queue\"]\n", &["c.toml:2:9", "it stays"]);
    check(
        "[columns.\"/queue\"]\nshow = [\"failed\"]\nhide = [\"waiting\"]\n",
        &["c.toml:2:1", "show says all of it"],
    );
    check("[columns.\"Findings/\"]\nhide = [\"finding\"]\n", &["is right"]);
    check("[columns.\"/queue\"]\nhidden = [\"failed\"]\n", &["c.toml:2:1"]);
    assert!(columns::of(QUEUES).is_some_and(|known| known[0] == "queue"));
}
