//! From arguments to a run. Nothing is asked of a server here.

mod appearance;
mod arguments;
mod begin;
mod check;
mod completions;
mod doctor;
mod given;
mod headless;
mod info;
mod mark;
mod print;
mod reload;
mod roster;
mod state_folder;
mod targets;
mod trust;
mod who;

use crate::actions::audit::{AuditTrail, Tail};
use crate::actions::gate::{Actor, Gate};
use crate::actions::keeper::Keeper;
use crate::actions::notes::Notes;
use crate::actions::sizes::SizeKeeper;
use crate::actions::webhook::Webhook;
use crate::app::farewell::welcome;
use crate::app::foretold::Foretold;
use crate::app::keymap::Keymap;
use crate::app::layout::Size;
use crate::app::model::Lens;
use crate::app::model::{Earlier, Habits, Kind, Model};
use crate::app::said::Messages;
use crate::config::discover::Surroundings;
use crate::core::arming::{Access, Arming};
use crate::core::notify::{Notifier, NotifySettings};
use crate::core::place::Screen;
use crate::core::scope::Scope;
use crate::core::time::{Clock, Now};
use crate::core::world::{TargetState, World};
use crate::engine::EngineSettings;
use crate::runtime::clock::zone;
use crate::runtime::effects::Outlets;
use crate::runtime::{self, End, Setup, clock::SystemClock, logging, terminal};
use crate::{actions, drill, sources};
use appearance::{Themes, themes};
use arguments::{Arguments, Stop, Verb, parse};
use given::begun;
use print::{complain, print, verbatim};
use state_folder::state_folder;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use trust::Care;
use who::user;

/// The exit code of a mistake in arguments, configuration or terminal.
const MISTAKE: u8 = 2;
/// That of a mistake where 2 says that the stack is broken: nothing is known of it.
const UNKNOWN: u8 = 3;
/// Our own log, beside the audit trail.
const LOG: &str = "stacktop.log";
/// The documented sample, which is also what `stacktop config` prints.
const SAMPLE: &str = include_str!("../../config.toml");
/// The packages that the binary is made of, with the texts of their licences (`tests/notices` writes it).
const NOTICES: &str = include_str!("../../THIRD-PARTY.txt");

/// Runs stacktop as its arguments say.
#[must_use]
pub fn run() -> ExitCode {
    guard_panics();
    let arguments = match parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(Stop::Asked(text)) => {
            print(&text);
            return ExitCode::SUCCESS;
        }
        Err(Stop::Wrong(sentence)) => {
            complain(&format!("stacktop: {sentence}"));
            let checks = std::env::args_os().any(|word| word == "check");
            return ExitCode::from(if checks { UNKNOWN } else { MISTAKE });
        }
    };
    // Of a stack that was not looked at nobody knows that it is broken.
    let mistake = if matches!(arguments.command, Some(Verb::Check { .. })) { UNKNOWN } else { MISTAKE };
    let around = Surroundings::here();
    let result = match &arguments.command {
        Some(Verb::Config) => {
            verbatim(SAMPLE);
            Ok(ExitCode::SUCCESS)
        }
        Some(Verb::Licences) => {
            verbatim(NOTICES);
            Ok(ExitCode::SUCCESS)
        }
        Some(Verb::Trust { file }) => trust::run(file.as_deref(), &around).map(|()| ExitCode::SUCCESS),
        Some(Verb::Mark { words }) => mark::run(&words.join(" "), &around).map(|()| ExitCode::SUCCESS),
        Some(Verb::Targets { printed, .. }) => targets::run(&arguments, &around, printed.output),
        Some(Verb::Doctor { printed, .. }) => doctor::run(&arguments, &around, printed.output),
        Some(Verb::Info { printed }) => Ok(info::run(&arguments, &around, printed.output)),
        Some(Verb::Completions { shell }) => completions::run(*shell),
        Some(Verb::Man) => completions::man(),
        Some(Verb::CheckConfig) => check::run(&arguments, &around),
        Some(Verb::Check { form, span, .. }) => headless::check(&arguments, &around, *form, *span),
        Some(Verb::Watch { form, .. }) => headless::watch(&arguments, &around, *form),
        Some(Verb::Serve { form, listen, .. }) => headless::serve(&arguments, &around, *form, *listen),
        Some(Verb::Demo { score: true, .. }) => {
            print(&drill::score::table());
            Ok(ExitCode::SUCCESS)
        }
        Some(Verb::Demo { seed, score: false }) => demo(&arguments, &around, *seed),
        None => live(&arguments, &around),
    };
    result.unwrap_or_else(|sentence| {
        complain(&format!("stacktop: {sentence}"));
        ExitCode::from(mistake)
    })
}

/// Panic reports go through the same door as everything else: what failed may hold text of a server.
fn guard_panics() {
    let plain = color_eyre::config::Theme::new();
    let hooks =
        color_eyre::config::HookBuilder::default().theme(plain).display_env_section(false).into_hooks();
    let (panic_hook, error_hook) = hooks;
    let _ = error_hook.install();
    terminal::guard_panics(move |info| complain(&panic_hook.panic_report(info).to_string()));
}

fn live(arguments: &Arguments, around: &Surroundings) -> Result<ExitCode, String> {
    let (settings, lists) = begun(arguments, around, Care::Acts)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let check::Surfaces { keymap, themes, columns } = check::surfaces(arguments, around, &settings)?;
    // A screen of nothing explains less than what was looked for and what would help; a list may name something later.
    if settings.targets.is_empty() && lists.is_none() {
        return Err(format!("nothing to watch.\n{}", targets::describe(&settings)));
    }
    let trail = settings.trail.clone();
    let access = settings.targets.iter().map(|target| (target.id.clone(), begin::access(target))).collect();
    let arming =
        Arming::new(settings.environment.clone(), settings.production, settings.read_only.clone(), access)
            .guessed(settings.guessed);
    let now = clock.now();
    let mut world = begin::world(&settings, now);
    world.await_sizes();
    if let Some(lists) = &lists {
        world.enlist(lists.troubles(), now);
    }
    let folder = state_folder(around)?;
    let audit = folder.join("audit.jsonl");
    let gate = Gate::new(
        settings.targets.iter().filter_map(|target| begin::executor(target, &folder)).collect(),
        Arc::new(AuditTrail::at(audit.clone())),
        Arc::clone(&clock),
        actor(around, &settings.environment),
    );
    let again = reload::reload(&settings, lists.as_ref(), &folder, Arc::clone(&clock));
    let outlets = Outlets {
        keeper: Some(Keeper::at(folder.join("timeline.jsonl"))),
        sizes: Some(SizeKeeper::at(folder.join("sizes.jsonl"))),
        notes: Some(Notes::at(folder.join("notes.jsonl"))),
        webhook: settings.webhook.map(|url| Webhook::new(url, settings.environment.clone())),
        log: Some(folder.join(LOG)),
        reload: Some(again),
    };
    let model = model(Kind::Live, world, arming, (keymap, themes), (&audit, user(around)), trail, now);
    let setup = Setup {
        model: Model {
            notifier: Notifier::new(settings.notify),
            habits: Habits { columns, ..Habits::default() },
            ..model
        },
        engine: begin::engine(&settings.patience),
        jobs: settings.targets.into_iter().map(begin::job).collect(),
        roster: lists.map(|lists| lists.follow(Arc::clone(&clock))),
        gate: Arc::new(gate),
        outlets,
        clock,
    };
    start(setup, around)
}

fn demo(arguments: &Arguments, around: &Surroundings, seed: u64) -> Result<ExitCode, String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let now = clock.now();
    let stack = drill::Stack::demo(seed, now);
    let read_only = arguments.read_only.then(|| "stacktop runs with --read-only".to_owned());
    let access = stack.targets().iter().map(|target| (target.id.clone(), Access::Free)).collect();
    let arming = Arming::new("demo".to_owned(), false, read_only, access);
    let audit = state_folder(around)?.join("demo-audit.jsonl");
    let trail = vec!["an embedded stack (stacktop demo): nothing is connected to".to_owned()];
    let states = stack
        .targets()
        .iter()
        .map(|target| {
            TargetState::new(
                target.id.clone(),
                target.settings.clone(),
                target.address.clone(),
                target.interval,
                now,
            )
        })
        .collect();
    let rules = crate::core::alert::Rulebook::defaults(&crate::core::world::all_rules());
    let themes = themes(arguments, around, None, false)?;
    let gate = Gate::new(
        stack.executors(),
        Arc::new(AuditTrail::at(audit.clone())),
        Arc::clone(&clock),
        actor(around, "demo"),
    )
    .only_this_run();
    let world = World::new(states, rules);
    let surfaces = (Keymap::default(), themes);
    let mut model = model(Kind::Demo, world, arming, surfaces, (&audit, user(around)), trail, now);
    model.toast = Some(welcome(&model));
    let setup = Setup {
        model,
        jobs: stack.jobs(),
        roster: None,
        engine: EngineSettings::default(),
        gate: Arc::new(gate),
        outlets: Outlets { log: Some(audit.with_file_name(LOG)), ..Outlets::default() },
        clock,
    };
    start(setup, around)
}

fn model(
    kind: Kind,
    world: World,
    arming: Arming,
    (keymap, themes): (Keymap, Themes),
    (audit, who): (&Path, String),
    trail: Vec<String>,
    now: Now,
) -> Model {
    Model {
        kind,
        now,
        world,
        lens: Lens::Live,
        scope: Scope::All,
        who,
        zone: zone(),
        arming,
        screen: Screen::Overview,
        last_screen: Screen::Overview,
        places: HashMap::new(),
        overlay: None,
        kept: None,
        toast: None,
        said: Messages::default(),
        keymap,
        theme: themes.theme,
        otherwise: themes.otherwise,
        notifier: Notifier::new(NotifySettings::SILENT),
        audit: Tail::default(),
        audit_place: audit.display().to_string(),
        running: 0,
        unfinished: None,
        foretold: Foretold::default(),
        quit_asked: false,
        trail,
        focus: Vec::new(),
        page: None,
        earlier: Earlier::default(),
        habits: Habits::default(),
        size: Size::default(),
    }
}

fn actor(around: &Surroundings, environment: &str) -> Actor {
    Actor {
        who: user(around),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        environment: environment.to_owned(),
    }
}

fn start(setup: Setup, around: &Surroundings) -> Result<ExitCode, String> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err("this is no terminal: `stacktop check` looks once and says what is wrong, `stacktop watch` prints what changes, \
            `stacktop serve` answers Prometheus"
            .to_owned());
    }
    if around.var("TERM").is_none_or(|term| term == "dumb") {
        return Err("TERM is not set or `dumb`: this terminal cannot show a screen".to_owned());
    }
    let folder = state_folder(around)?;
    actions::lines::own_folder(&folder);
    logging::start(&folder.join(LOG), around.var("STACKTOP_LOG").as_deref());
    // Styles are chosen by our theme (NO_COLOR gives the mono theme): bold and reverse must reach the terminal in any case.
    crossterm::style::force_color_output(true);
    sources::tls::install_provider();
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let tokio = built.map_err(|error| format!("the event loop cannot be started: {error}"))?;
    let end = tokio.block_on(runtime::run(setup));
    tokio.shutdown_timeout(std::time::Duration::from_millis(200));
    match end {
        Ok((end, told)) => {
            for sentence in told {
                complain(&format!("stacktop: {sentence}"));
            }
            Ok(match end {
                End::Quit => ExitCode::SUCCESS,
                End::Signal(number) => ExitCode::from(u8::try_from(128 + number).unwrap_or(1)),
                End::TerminalGone => ExitCode::from(129),
            })
        }
        Err(error) if !terminal::is_alive() => {
            tracing::error!("the terminal is gone: {error}");
            Ok(ExitCode::from(129))
        }
        Err(error) => Err(format!("the terminal cannot be drawn to: {error}")),
    }
}
