//! The disk under a database: a real node_exporter, a real Prometheus and real Postgres servers, on file systems that are made for it and of
//! which df tells the truth. Half an hour passes between two looks, by the clock that is told to the sources.

use super::conditions::cluster::{Cluster, Ground, free_port, run};
use super::several::{Running, answers, prometheus, spawn};
use super::tunnel::tunnel;
use super::{partly, server};
use crate::pages::world::Stage;
use stacktop::config::target::PrometheusConnect;
use stacktop::config::url;
use stacktop::core::alert::Rulebook;
use stacktop::core::focus::Focus;
use stacktop::core::growth::{self, SeenBy};
use stacktop::core::growth_disk::{self, Under, Why};
use stacktop::core::ids::{SystemKind, TargetId};
use stacktop::core::place::Screen;
use stacktop::core::report::PollReport;
use stacktop::core::row::RowKey;
use stacktop::core::time::{Clock, Now};
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::runtime::clock::SystemClock;
use stacktop::sources::Source;
use stacktop::sources::metrics::MetricsSource;
use stacktop::sources::postgres::PostgresSource;
use stacktop::sources::prometheus::PrometheusSource;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const MIB: f64 = 1_048_576.0;
const HALF: u64 = 1800;

/// What root has to do; others need sudo for it.
fn as_root(program: &str) -> Command {
    let id = Command::new("id").arg("-u").output().expect("id");
    if id.stdout.trim_ascii() == b"0" {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("-n").arg(program);
    command
}

/// Of a path, used and free as df tells them, in bytes.
fn df(path: &Path) -> (f64, f64) {
    let output = Command::new("df").args(["-B1", "--output=used,avail"]).arg(path).output().expect("df");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut numbers =
        text.lines().nth(1).expect("a line").split_whitespace().map(|word| word.parse().expect("a number"));
    (numbers.next().expect("used"), numbers.next().expect("free"))
}

/// File systems of our own, taken away in the end.
struct Mounts(Vec<PathBuf>);

impl Drop for Mounts {
    fn drop(&mut self) {
        for place in self.0.iter().rev() {
            let _ = as_root("umount").arg("-l").arg(place).status();
        }
    }
}

impl Mounts {
    /// Mounts it; whether that was permitted.
    fn add(&mut self, options: &[&str], from: &Path, place: &Path) -> bool {
        std::fs::create_dir_all(place)
            .or_else(|_| as_root("mkdir").arg(place).status().map(|_| ()))
            .expect("a folder");
        let mut command = as_root("mount");
        let done = command.args(options).arg(from).arg(place).stderr(Stdio::null()).status();
        let done = done.is_ok_and(|status| status.success());
        if done {
            self.0.push(place.to_owned());
        }
        done
    }

    /// A disk of 1.4 GiB in a file, of which a twentieth is kept for root.
    fn disk(&mut self, ground: &Ground, name: &str, place: &Path) -> bool {
        let image = ground.place(name);
        run(as_root("truncate").args(["-s", "1400M"]).arg(&image));
        let made = as_root("mkfs.ext4").args(["-q", "-F", "-m", "5"]).arg(&image).status();
        if !made.is_ok_and(|status| status.success()) || !self.add(&["-o", "loop"], &image, place) {
            return false;
        }
        run(as_root("chmod").arg("1777").arg(place));
        true
    }
}

/// Takes room at once.
fn take(folder: &Path, name: &str, mib: u64) {
    run(as_root("fallocate").arg("-l").arg(format!("{mib}MiB")).arg(folder.join(name)));
}

/// A real exporter of this machine.
async fn exporter(program: &str, more: &[&str]) -> (Running, u16) {
    let port = free_port();
    let mut command = Command::new(program);
    command.args(["--collector.disable-defaults", "--collector.filesystem"]).args(more);
    let running = spawn(command.arg(format!("--web.listen-address=127.0.0.1:{port}")));
    answers(port).await;
    (running, port)
}

/// A server and who tells of its host, as the program watches them.
struct Watched {
    world: World,
    sources: Vec<(TargetId, Box<dyn Source>)>,
}

impl Watched {
    /// A server behind `port`, and exporters by the host that they are said to be on and by their ports.
    fn new(port: u16, exporters: &[(&str, u16)]) -> Self {
        stacktop::sources::tls::install_provider();
        let mut sources: Vec<(TargetId, Box<dyn Source>)> = Vec::new();
        let target = |name: &str, kind: SystemKind, address: String| {
            TargetState::new(TargetId::new(name), kind, address, Duration::from_secs(1), Now::example(0))
        };
        let connect =
            url::postgres(&format!("postgres://postgres@127.0.0.1:{port}/postgres")).expect("a URL");
        let source = PostgresSource::new(connect).watching_each(Duration::from_secs(HALF));
        sources.push((TargetId::new("pg"), Box::new(source)));
        let mut targets = vec![target("pg", SystemKind::Postgres, format!("127.0.0.1:{port}/postgres"))];
        for (number, (host, port)) in exporters.iter().enumerate() {
            let name = format!("node{number}");
            targets.push(target(&name, SystemKind::Metrics, format!("http://{host}:{port}/metrics")));
            let at = format!("http://127.0.0.1:{port}/metrics");
            let source = MetricsSource::new(url::http(&at).expect("a URL"));
            sources.push((TargetId::new(&name), Box::new(source)));
        }
        Self { world: World::new(targets, Rulebook::defaults(&all_rules())), sources }
    }

    /// All are asked once.
    async fn poll(&mut self, at: Now) {
        for number in 0..self.sources.len() {
            self.ask(number, at).await;
        }
    }

    async fn ask(&mut self, number: usize, at: Now) {
        let (id, source) = &mut self.sources[number];
        let reading = source.poll(at, &[]).await.expect("a poll");
        self.world.apply(PollReport::example(id.clone(), Ok(reading), at));
        self.world.evaluate(at);
    }

    /// All are asked, and the server until its databases were looked at, too.
    async fn look(&mut self, at: Now) {
        self.poll(at).await;
        for second in 0..200 {
            self.ask(0, at.plus(Duration::from_secs(second * 6))).await;
            let sizes = growth::sizes(self.world.target("pg").expect("there"), at);
            if sizes.iter().any(|size| size.what == "database postgres" && size.at >= at.wall) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the databases were not looked at");
    }

    fn under(&self, at: Now) -> Under {
        let target = self.world.target("pg").expect("there");
        growth_disk::under(&self.world, target, at).expect("it answered")
    }

    fn fires(&self, rule: &str) -> Vec<String> {
        let all = self.world.alerts.firing().into_iter().filter(|finding| finding.breach.rule == rule);
        all.map(|finding| finding.breach.sentence.clone()).collect()
    }
}

fn copied(ground: &Ground, to: &Path) {
    run(ground.command("cp").arg("-a").arg(ground.place("template")).arg(to));
}

/// A server whose data lies in a folder of its own, deep in the one that is returned, on a disk in a disk. Where nothing may be mounted the
/// disk is that of the machine, and that is said.
async fn scene(test: &str, ground: &Ground) -> (Mounts, PathBuf, Cluster, bool) {
    let (outer, mut mounts) = (ground.place("outer"), Mounts(Vec::new()));
    let inner = outer.join("data");
    let own = mounts.disk(ground, "one.img", &outer) && mounts.disk(ground, "two.img", &inner);
    if !own {
        partly(test, "nothing may be mounted here: looked at the disk of the machine instead");
        run(as_root("mkdir").arg("-p").arg(&inner));
        run(as_root("chmod").arg("1777").arg(&inner));
    }
    copied(ground, &inner.join("pg"));
    let cluster = ground.start("outer/data/pg", &[]).await;
    (mounts, inner, cluster, own)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_under_a_real_database_is_found_and_its_end_is_told_as_df_has_it() {
    let test = "the_disk_under_a_real_database_is_found_and_its_end_is_told_as_df_has_it";
    let Some(program) = server(test, "STACKTOP_TEST_NODE_EXPORTER") else { return };
    let Some(ground) = Ground::new(test) else { return };
    let (_mounts, disk, cluster, own) = scene(test, &ground).await;
    let (_exporter, port) = exporter(&program, &[]).await;
    let mut seen = Watched::new(cluster.port, &[("127.0.0.1", port)]);
    let writer = cluster.client().await;
    writer.batch_execute("CREATE TABLE orders (id bigserial PRIMARY KEY, text text)").await.expect("a table");
    if !own {
        // What is told of the machine's disk, if that is one, is what it has; others write there meanwhile.
        let before = df(&disk);
        seen.look(Now::example(0)).await;
        if let Under::Disk { free, .. } = seen.under(Now::example(8)) {
            let (low, high) = (before.1.min(df(&disk).1), before.1.max(df(&disk).1));
            assert!(free >= low - 512.0 * MIB && free <= high + 512.0 * MIB, "{free} {low} {high}");
        }
        return;
    }
    take(&disk, "before", 500);
    let halves = 13;
    let mut used = Vec::new();
    for half in 0..=halves {
        let more = "INSERT INTO orders (text) SELECT repeat('x', 900) FROM generate_series(1, 2000)";
        writer.batch_execute(more).await.expect("more");
        take(&disk, &format!("half {half}"), 24);
        // The other disk above it fills up otherwise.
        take(disk.parent().expect("the outer one"), &format!("half {half}"), 40);
        used.push(df(&disk));
        seen.look(Now::example(half * HALF)).await;
        let Under::Disk { place, teller, free, .. } = seen.under(Now::example(half * HALF + 8)) else {
            panic!("{half}: {:?}", seen.under(Now::example(half * HALF + 8)))
        };
        assert_eq!((place.as_str(), teller.as_str()), (disk.to_str().expect("text"), "node0"));
        let ((_, before), (_, after)) = (used.last().expect("one"), df(&disk));
        let slack = 4.0 * MIB;
        assert!(
            free <= before.max(after) + slack && free >= before.min(after) - slack,
            "{free} {before} {after}"
        );
    }
    let now = Now::example(halves * HALF + 20);
    let Under::Disk { growth, free, .. } = seen.under(now) else { panic!("{:?}", seen.under(now)) };
    let grown = growth.expect("it grows");
    let (first, last) = (used.first().expect("one"), used.last().expect("one"));
    let a_day = (last.0 - first.0) / halves as f64 * 48.0;
    let near = |found: f64, expected: f64, by: f64| (found / expected - 1.0).abs() < by;
    assert!(near(grown.per_day, a_day, 0.08), "{} MiB, not {}", grown.per_day / MIB, a_day / MIB);
    let left = grown.full_in().expect("it has an end").as_secs_f64() / 86_400.0;
    assert!(near(left, free / a_day, 0.08), "{left} days, not {}", free / a_day);
    let full = now.plus(Duration::from_secs_f64(left * 86_400.0)).wall;
    let page = Stage::over(seen.world.clone(), halves * HALF + 20)
        .opened(Screen::Overview, &[RowKey::Target(TargetId::new("pg"))]);
    page.says(&format!("disk under it (likely) {} of node0:", disk.display()));
    page.says(&format!("on {}", full.format("%-d %b")));
    for second in [30, 60, 120] {
        seen.poll(Now::example(halves * HALF + second)).await;
    }
    let told = seen.fires("metrics.disk_full_in");
    // A long place is cut in a sentence.
    let begin: String = disk.display().to_string().chars().take(20).collect();
    assert!(
        told.iter().any(|words| words.contains(&format!("disk at {begin}")) && words.contains("is full")),
        "{told:?}"
    );
    // And by the minutes, once it fills up within hours.
    let (from, before) = (halves * HALF + 1200, df(&disk));
    for step in 0..=20 {
        take(&disk, &format!("step {step}"), 8);
        seen.poll(Now::example(from + step * 10)).await;
    }
    let after = df(&disk);
    let a_second = (after.0 - before.0) / 210.0;
    let state = seen.world.target("node0").and_then(|target| target.system.metrics()).expect("it");
    let (_, own) = state.disks.iter().find(|(place, _)| Path::new(place) == disk).expect("the disk");
    let left = own.left().expect("it fills up").as_secs_f64();
    assert!(near(left, after.1 / a_second, 0.1), "{left} s, not {}", after.1 / a_second);
    let told = seen.fires("metrics.disk_left");
    assert!(told.iter().any(|words| words.contains(&begin) && words.contains("is full in")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_not_told_of_is_never_another_one() {
    let test = "a_disk_that_is_not_told_of_is_never_another_one";
    let Some(program) = server(test, "STACKTOP_TEST_NODE_EXPORTER") else { return };
    let Some(ground) = Ground::new(test) else { return };
    let (mut mounts, disk, cluster, own) = scene(test, &ground).await;
    let (_all, all) = exporter(&program, &[]).await;
    let here = ("127.0.0.1", all);
    let now = Now::example(0);
    let later = Now::example(5);
    // Another host has another disk, whatever it is called there; a tunnel ends on another host.
    for (port, exporter, expected) in [
        (cluster.port, ("db2.example", all), Under::Untold),
        (tunnel(format!("127.0.0.1:{}", cluster.port)), here, Under::Elsewhere),
    ] {
        let mut seen = Watched::new(port, &[exporter]);
        seen.look(now).await;
        assert_eq!(seen.under(later), expected);
    }
    if !own {
        return;
    }
    let named = |place: &Path| place.to_str().expect("text").to_owned();
    // By whatever name, it has as much room as that one.
    let found = |under: &Under, place: &Path| {
        let free = df(&disk).1;
        matches!(under, Under::Disk { place: at, free: told, .. } if Path::new(at) == place && (told - free).abs() < 4.0 * MIB)
    };
    // The exporter leaves that disk out: what is above it has less on it than the databases are large.
    let left_out = format!("--collector.filesystem.mount-points-exclude=^{}$", disk.display());
    let (_deaf, deaf) = exporter(&program, &[&left_out]).await;
    let mut seen = Watched::new(cluster.port, &[("127.0.0.1", deaf)]);
    seen.look(now).await;
    let outer = disk.parent().expect("the outer one");
    assert_eq!(seen.under(later), Under::Endless(named(outer), TargetId::new("node0"), Why::Small));
    // Who knows more of the same host is believed, in whatever order.
    for exporters in [[("127.0.0.1", deaf), here], [here, ("127.0.0.1", deaf)]] {
        let mut seen = Watched::new(cluster.port, &exporters);
        seen.look(now).await;
        assert!(found(&seen.under(later), &disk), "{:?}", seen.under(later));
    }
    // The same disk in another place is the same disk, and not the one above either place.
    let bound = ground.place("bound");
    copied(&ground, &disk.join("two"));
    assert!(mounts.add(&["--bind"], &disk.join("two"), &bound));
    let second = ground.start("bound", &[]).await;
    for port in [cluster.port, second.port] {
        let mut seen = Watched::new(port, &[here]);
        seen.look(now).await;
        assert!(found(&seen.under(later), &bound), "{:?}", seen.under(later));
    }
    // What is in memory is no disk, and what is below it is not its own.
    let ram = disk.join("ram");
    assert!(mounts.add(&["-t", "tmpfs", "-o", "size=200m,mode=1777"], Path::new("tmpfs"), &ram));
    copied(&ground, &ram.join("pg"));
    let third = ground.start("outer/data/ram/pg", &[]).await;
    let mut seen = Watched::new(third.port, &[here]);
    seen.look(now).await;
    let kind = Why::Kind("tmpfs".to_owned());
    assert_eq!(seen.under(later), Under::Endless(named(&ram), TargetId::new("node0"), kind));
}

/// Five days of a disk as a node_exporter told of it, that grew by a GiB a day until now.
fn history(exposition: &str, place: &str, instance: &str, now: i64) -> String {
    let number = |name: &str| {
        let wanted = format!("mountpoint=\"{place}\"");
        let line =
            exposition.lines().find(|line| line.starts_with(&format!("{name}{{")) && line.contains(&wanted));
        let line = line.unwrap_or_else(|| panic!("{name} of {place}: {exposition}"));
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let series = series.replacen('{', &format!("{{instance=\"{instance}\",job=\"node\","), 1);
        (series, value.parse::<f64>().expect("a number"))
    };
    let mut text = String::new();
    for (name, grows) in [("node_filesystem_size_bytes", false), ("node_filesystem_free_bytes", true)] {
        let (series, value) = number(name);
        text.push_str(&format!("# TYPE {name} gauge\n"));
        for minute in (10..5 * 24 * 60).rev().step_by(2) {
            let was = value + if grows { f64::from(minute) / 1440.0 * 1024.0 * MIB } else { 0.0 };
            text.push_str(&format!("{series} {was} {}\n", now - i64::from(minute) * 60));
        }
    }
    text + "# EOF\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_prometheus_remembers_of_the_disk_under_a_database_tells_its_day_at_once() {
    let test = "what_a_prometheus_remembers_of_the_disk_under_a_database_tells_its_day_at_once";
    let Some(program) = server(test, "STACKTOP_TEST_NODE_EXPORTER") else { return };
    if server(test, "STACKTOP_TEST_PROMETHEUS_URL").is_none() {
        return;
    }
    let Some(ground) = Ground::new(test) else { return };
    let cluster = ground.server("pg", &[]).await;
    let (_exporter, port) = exporter(&program, &[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let instance = format!("127.0.0.1:{port}");
    stacktop::sources::tls::install_provider();
    let exposition = reqwest::get(format!("http://{instance}/metrics")).await.expect("it answers");
    let exposition = exposition.text().await.expect("text");
    let clock = SystemClock::start();
    let mut seen = Watched::new(cluster.port, &[("127.0.0.1", port)]);
    seen.look(clock.now()).await;
    let Under::Disk { place, growth: None, .. } = seen.under(clock.now()) else {
        panic!("{:?}", seen.under(clock.now()))
    };
    let past = folder.path().join("past.txt");
    let written = history(&exposition, &place, &instance, clock.now().wall.timestamp());
    std::fs::write(&past, written).expect("written");
    let data = folder.path().join("data");
    run(Command::new("promtool").args(["tsdb", "create-blocks-from", "openmetrics"]).arg(&past).arg(&data));
    let jobs =
        format!("scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{instance}']}}]}}]\n");
    let (_prometheus, at) = prometheus(folder.path(), &jobs).await;
    // The same two with the Prometheus.
    let mut seen = Watched::new(cluster.port, &[("127.0.0.1", port)]);
    let address = format!("http://127.0.0.1:{at}");
    let id = TargetId::new("prom");
    let mut targets: Vec<TargetState> =
        seen.world.targets().iter().map(|target| (**target).clone()).collect();
    let (second, start) = (Duration::from_secs(1), clock.now());
    targets.push(TargetState::new(id.clone(), SystemKind::Prometheus, address.clone(), second, start));
    seen.world = World::new(targets, Rulebook::defaults(&all_rules()));
    let http = url::http(&address).expect("a URL");
    let mut source = PrometheusSource::new(PrometheusConnect {
        http,
        alertmanager: None,
        queries: Vec::new(),
        past: Vec::new(),
    });
    seen.look(clock.now()).await;
    for _ in 0..40 {
        let now = clock.now();
        seen.poll(now).await;
        let pg = seen.world.target("pg").expect("there");
        let asked: Vec<Focus> =
            growth_disk::asked(&seen.world, pg, now).into_iter().map(|(_, focus)| focus).collect();
        assert_eq!(asked.len(), 1, "who looks at the database asks for its disk");
        if let Ok(reading) = source.poll(now, &asked).await {
            seen.world.apply(PollReport::example(id.clone(), Ok(reading), now));
        }
        if matches!(seen.under(now), Under::Disk { growth: Some(_), .. }) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let now = clock.now();
    let Under::Disk { growth: Some(grown), free, .. } = seen.under(now) else {
        panic!("{:?}", seen.under(now))
    };
    assert_eq!(grown.seen_by, SeenBy::Prometheus);
    assert!((grown.per_day / MIB / 1024.0 - 1.0).abs() < 0.15, "{} MiB a day", grown.per_day / MIB);
    let days = grown.full_in().expect("a day").as_secs_f64() / 86_400.0;
    let expected = df(&ground.place("pg")).1 / (1024.0 * MIB);
    assert!((days / expected - 1.0).abs() < 0.2, "{days} days, not {expected}; {free} free");
}
