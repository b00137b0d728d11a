//! `stacktop check`, `stacktop watch` and `stacktop serve`: the front ends without a screen.

use super::arguments::{Arguments, LineForm, Listen, ReportForm};
use super::begin::{engine, job, world};
use super::given::begun;
use super::print::{complain, is_read, raw, say};
use super::state_folder::state_folder;
use super::targets;
use super::trust::Care;
use crate::actions::notes::Notes;
use crate::actions::sizes::SizeKeeper;
use crate::config::discover::Surroundings;
use crate::core::time::Clock;
use crate::headless::changes::Form as Lines;
use crate::headless::check::{Form, Looked, look, written};
use crate::headless::host::Host;
use crate::headless::watch::{End, Out, run};
use crate::headless::watching::Setup;
use crate::runtime::clock::{SystemClock, zone};
use crate::runtime::logging;
use crate::sources;
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// What a shell says of who was ended because nobody reads it.
const NOBODY_READS: u8 = 128 + 13;
/// What blocks is waited for so long at the end.
const ENDS_WITHIN: Duration = Duration::from_millis(200);

/// Lines go to standard output.
const OUT: Out = Out { say, is_read };

/// One look. The exit code is that of the state: 0 ok, 1 degraded, 2 broken, 3 unknown.
pub(super) fn check(
    arguments: &Arguments,
    around: &Surroundings,
    form: ReportForm,
    span: Option<Duration>,
) -> Result<ExitCode, String> {
    let setup = setup(arguments, around, false)?;
    let form = match form {
        ReportForm::Text => Form::Text,
        ReportForm::Json => Form::Json,
        ReportForm::Markdown => Form::Markdown,
    };
    let looked = block_on(look(setup, span))?;
    match looked.map_err(|error| format!("signals cannot be caught: {error}"))? {
        Looked::Told(report) => {
            raw(&written(&report, form));
            Ok(ExitCode::from(report.exit_code))
        }
        Looked::Signal(number) => Ok(ended(number)),
    }
}

/// A line for each change, until a signal ends it or nobody reads it.
pub(super) fn watch(
    arguments: &Arguments,
    around: &Surroundings,
    form: LineForm,
) -> Result<ExitCode, String> {
    let setup = setup(arguments, around, true)?;
    let end = block_on(run(setup, lines(form), None, OUT))?;
    end.map(code).map_err(|error| format!("signals cannot be caught: {error}"))
}

/// The same, and everybody may ask for it over HTTP.
pub(super) fn serve(
    arguments: &Arguments,
    around: &Surroundings,
    form: LineForm,
    listen: Listen,
) -> Result<ExitCode, String> {
    let setup = setup(arguments, around, true)?;
    let address = listen.0;
    let end = block_on(async {
        let host =
            Host::open(address).await.map_err(|error| format!("cannot listen at {address}: {error}"))?;
        complain(&listening(host.address()));
        let end = run(setup, lines(form), Some(host), OUT).await;
        end.map_err(|error| format!("signals cannot be caught: {error}"))
    })?;
    end.map(code)
}

/// Where it listens, and what that means.
fn listening(address: SocketAddr) -> String {
    let mut words = format!("stacktop: http://{address} has /metrics, /check and /healthz");
    if !address.ip().is_loopback() {
        words.push_str(
            "; everybody who reaches that address reads names of targets and what is wrong with them, without a login",
        );
    }
    words
}

const fn lines(form: LineForm) -> Lines {
    match form {
        LineForm::Text => Lines::Text,
        LineForm::Json => Lines::Json,
    }
}

fn code(end: End) -> ExitCode {
    match end {
        End::Signal(number) => ended(number),
        End::NobodyReads => ExitCode::from(NOBODY_READS),
    }
}

fn ended(number: i32) -> ExitCode {
    ExitCode::from(u8::try_from(128 + number).unwrap_or(1))
}

/// What is watched. A run that goes on waits for what a list names later.
fn setup(arguments: &Arguments, around: &Surroundings, goes_on: bool) -> Result<Setup, String> {
    let (settings, lists) = begun(arguments, around, Care::Acts)?;
    if settings.targets.is_empty() && (lists.is_none() || !goes_on) {
        return Err(format!("nothing to watch.\n{}", targets::describe(&settings)));
    }
    let folder = state_folder(around).ok();
    if let Some(folder) = &folder {
        logging::start(&folder.join("stacktop.log"), around.var("STACKTOP_LOG").as_deref());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let mut world = world(&settings, clock.now());
    if let Some(lists) = &lists {
        world.enlist(lists.troubles(), clock.now());
    }
    Ok(Setup {
        world,
        roster: lists.map(|lists| lists.follow(Arc::clone(&clock))),
        engine: engine(&settings.patience),
        sizes: folder.as_ref().map(|folder| SizeKeeper::at(folder.join("sizes.jsonl"))),
        notes: folder.map(|folder| Notes::at(folder.join("notes.jsonl"))),
        environment: settings.environment,
        jobs: settings.targets.into_iter().map(job).collect(),
        clock,
        zone,
    })
}

fn block_on<F: Future>(run: F) -> Result<F::Output, String> {
    sources::tls::install_provider();
    // Beside the loop, which may be held by who reads what it says: signals and those who ask.
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let tokio = built.map_err(|error| format!("the event loop cannot be started: {error}"))?;
    let output = tokio.block_on(run);
    tokio.shutdown_timeout(ENDS_WITHIN);
    Ok(output)
}
