//! What a frame and a key cost where there is much to show: 1200 queues on one server, and a hundred endpoints.

use chrono::{Offset, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use stacktop::actions::audit::Tail;
use stacktop::app::command::Command;
use stacktop::app::keymap::Keymap;
use stacktop::app::layout::Size;
use stacktop::app::model::{Earlier, Habits, Kind, Lens, Model};
use stacktop::app::msg::Msg;
use stacktop::app::said::Messages;
use stacktop::app::{update, view};
use stacktop::core::alert::Rulebook;
use stacktop::core::arming::Arming;
use stacktop::core::ids::{SystemKind, TargetId};
use stacktop::core::metrics::{MetricSample, MetricsReading};
use stacktop::core::notify::{Notifier, NotifySettings};
use stacktop::core::part::{Part, Warm};
use stacktop::core::place::Screen;
use stacktop::core::reading::Reading;
use stacktop::core::redis::{QueueReading, QueueRef, RedisReading};
use stacktop::core::report::{Plan, PollReport};
use stacktop::core::scope::Scope;
use stacktop::core::time::Now;
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::ui::theme::Theme;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

const TWO: Duration = Duration::from_secs(2);

fn main() {
    divan::main();
}

fn model(kind: SystemKind, targets: usize, screen: Screen, reading: impl Fn(usize, Now) -> Reading) -> Model {
    let id = |number: usize| TargetId::new(&format!("target-{number:03}"));
    let now = Now::example(0);
    let states = (0..targets).map(|number| TargetState::new(id(number), kind, String::new(), TWO, now));
    let mut model = Model {
        kind: Kind::Live,
        now,
        world: World::new(states.collect(), Rulebook::defaults(&all_rules())),
        lens: Lens::Live,
        scope: Scope::All,
        who: String::new(),
        zone: Utc.fix(),
        arming: Arming::new("bench".to_owned(), false, None, BTreeMap::new()),
        screen,
        last_screen: Screen::Overview,
        places: HashMap::new(),
        overlay: None,
        kept: None,
        toast: None,
        said: Messages::default(),
        keymap: Keymap::default(),
        theme: Theme::built_in("dark").unwrap_or_else(|why| unreachable!("{why}")),
        otherwise: None,
        notifier: Notifier::new(NotifySettings::SILENT),
        audit: Tail::default(),
        audit_place: String::new(),
        running: 0,
        unfinished: None,
        foretold: stacktop::app::foretold::Foretold::default(),
        quit_asked: false,
        trail: Vec::new(),
        focus: Vec::new(),
        page: None,
        earlier: Earlier::default(),
        habits: Habits::default(),
        size: Size::default(),
    };
    for poll in 0..60 {
        let at = Now::example(2 * poll);
        for number in 0..targets {
            let report = PollReport::example(id(number), Ok(reading(number, at)), at);
            let report = PollReport { took: TWO / 100, plan: Plan::example(TWO, at), ..report };
            update(&mut model, Msg::Report(Box::new(report)), at);
        }
    }
    model
}

fn queues() -> Model {
    model(SystemKind::Redis, 1, Screen::Queues, |_, at| {
        let queue = |number: usize| QueueReading {
            queue: QueueRef { prefix: "bull".to_owned(), name: format!("tenant-{number:04}-mails") },
            waiting: number as u64 % 17,
            active: 1,
            ..QueueReading::default()
        };
        let queues = Part::Ready((0..1200).map(|number| Warm::new(at, queue(number))).collect());
        Reading::Redis(Box::new(RedisReading { queues, ..RedisReading::default() }))
    })
}

fn endpoints() -> Model {
    let sample = |number: usize| MetricSample {
        name: format!("family_{}_total", number / 20),
        labels: vec![("path".to_owned(), format!("/v1/{number}"))],
        value: number as f64,
    };
    let samples: Vec<MetricSample> = (0..1800).map(sample).collect();
    let reading = MetricsReading::of(&samples, &BTreeMap::new());
    model(SystemKind::Metrics, 100, Screen::Metrics, |_, _| Reading::Metrics(Box::new(reading.clone())))
}

fn frame(bencher: divan::Bencher<'_, '_>, model: &Model) {
    let area = Rect::new(0, 0, 160, 50);
    bencher.bench_local(|| {
        let mut buffer = Buffer::empty(area);
        view::draw(model, area, &mut buffer);
        buffer
    });
}

fn key(bencher: divan::Bencher<'_, '_>, mut model: Model) {
    let area = Rect::new(0, 0, 160, 50);
    let now = model.now;
    update(&mut model, Msg::Drawn(Size { width: area.width, height: area.height }), now);
    bencher.bench_local(|| {
        update(&mut model, Msg::Command(Command::Down), now);
        let mut buffer = Buffer::empty(area);
        view::draw(&model, area, &mut buffer);
        buffer
    });
}

#[divan::bench]
fn frame_of_1200_queues(bencher: divan::Bencher<'_, '_>) {
    frame(bencher, &queues());
}

#[divan::bench]
fn key_among_1200_queues(bencher: divan::Bencher<'_, '_>) {
    key(bencher, queues());
}

#[divan::bench]
fn frame_of_100_endpoints(bencher: divan::Bencher<'_, '_>) {
    frame(bencher, &endpoints());
}

#[divan::bench]
fn key_among_100_endpoints(bencher: divan::Bencher<'_, '_>) {
    key(bencher, endpoints());
}
