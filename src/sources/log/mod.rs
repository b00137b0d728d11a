//! Reads a log of this machine: the end of a file at every poll, or what a command prints, run beside the poll. What is shown of a line is
//! cut, cleaned and masked before it leaves this folder.

mod command;
mod entries;
mod follow;
mod minute;
mod names;
mod rotated;
mod stamp;
mod tail;
mod watch;

use super::Source;
use super::beside::Beside;
use super::bulkhead::LOGS;
use super::http::gap;
use crate::config::target::{LogConnect, LogPlace};
use crate::core::doctor::Report;
use crate::core::focus::Focus;
use crate::core::lines::{Asked, Question};
use crate::core::log::LogReading;
use crate::core::part::Part;
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use command::Printed;
use futures_util::future::BoxFuture;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use watch::Watch;

/// A command is run so often: it prints the same lines again and again.
const EACH: Duration = Duration::from_secs(15);
/// And so often while somebody looks at its lines.
const WATCHED: Duration = Duration::from_secs(4);
/// A poll waits so long for a command, but for the first time.
const GRACE: Duration = Duration::from_millis(200);
/// Of the target's timeout a look at a file gets this share: its own limit comes first, so that the file is blamed and the log not silent.
const SHARE: f64 = 0.75;

/// Reads one log.
#[derive(Debug)]
pub struct LogSource {
    connect: LogConnect,
    /// A look at a file may take so long.
    patience: Duration,
    /// The file and what is known of it. A look that is given up goes on in its own place, and nothing of it is lost.
    watch: Arc<Mutex<Watch>>,
    beside: Beside<Result<Printed, PollError>>,
    /// Why the command printed nothing, the last time.
    wrong: Option<PollError>,
    printed: Printed,
    /// It has ended well at least once.
    ran: bool,
    /// What a page showed last. What is known of the log may be in the hands of a look that hangs.
    shown: Option<Asked>,
}

impl LogSource {
    /// A source for the log called `name`, a look at which is given up after `timeout`; nothing is opened yet.
    #[must_use]
    pub fn new(name: &str, connect: LogConnect, timeout: Duration) -> Self {
        let watch = Watch::new(name, &connect);
        Self {
            connect,
            patience: timeout.mul_f64(SHARE),
            watch: Arc::new(Mutex::new(watch)),
            beside: Beside::default(),
            wrong: None,
            printed: Printed::default(),
            ran: false,
            shown: None,
        }
    }

    async fn read(&mut self, now: Now, wanted: Option<&Question>) -> Result<LogReading, PollError> {
        match self.connect.place.clone() {
            LogPlace::File(path) => self.file(&path, now, wanted).await,
            LogPlace::Command { program, arguments, within } => {
                let each = if wanted.is_some() { WATCHED } else { EACH };
                if self.beside.is_due(now, each) {
                    let printing = command::printed(program, arguments, within);
                    self.beside.ask(now, async move { Part::Ready(printing.await) });
                }
                // The first time its end is waited for: somebody asks whether it works at all.
                let first = !self.ran && self.wrong.is_none();
                self.beside.settle(now, if first { within * 2 } else { GRACE }).await;
                self.command(now, wanted, within)
            }
        }
    }

    async fn file(&self, path: &Path, now: Now, wanted: Option<&Question>) -> Result<LogReading, PollError> {
        let (watch, wanted) = (Arc::clone(&self.watch), wanted.cloned());
        let look = move || {
            let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
            watch.look(now, wanted.as_ref())
        };
        let inside = || Err(PollError::new(PollErrorKind::Internal, "reading it failed inside stacktop"));
        let shown = path.display().to_string();
        let late = |_| {
            let why =
                format!("reading {shown} hangs: it did not end within {:.1} s", self.patience.as_secs_f64());
            Err(PollError::new(PollErrorKind::TimedOut, why)
                .remedy("see whether its file system answers: ls there, and the kernel's own log"))
        };
        let looking = LOGS.run(&shown, look);
        tokio::time::timeout(self.patience, looking)
            .await
            .map_or_else(late, |found| found.unwrap_or_else(inside))
    }

    fn command(
        &mut self,
        now: Now,
        wanted: Option<&Question>,
        within: Duration,
    ) -> Result<LogReading, PollError> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        match self.beside.take(now, within * 3) {
            Part::Ready(Ok(printed)) => {
                // What it prints first was there before.
                let (fresh, missed) =
                    if self.ran { printed.fresh(&self.printed) } else { (Printed::default(), None) };
                watch.minute.take(now, &fresh.entries(), missed);
                (self.ran, self.wrong, self.printed) = (true, None, printed);
            }
            Part::Ready(Err(error)) => self.wrong = Some(error),
            Part::Unavailable(gap) => self.wrong = Some(PollError::new(PollErrorKind::TimedOut, gap.note)),
            Part::NotAsked => {}
        }
        if let Some(error) = self.wrong.clone() {
            watch.minute.interrupt();
            return Err(error);
        }
        let page = wanted.filter(|_| self.ran).map(|question| {
            let mut follow = watch.whose().follow(question.clone());
            let entries = self.printed.clone().entries();
            let of =
                format!("the {} that it prints", crate::core::text::counted(self.printed.count(), "line"));
            follow.begin(&entries, of, false, None, now);
            follow.asked()
        });
        let (lines, errors) = watch.minute.parts(now);
        let asked = page.into_iter().collect();
        Ok(LogReading { lines, errors, asked, ..LogReading::default() })
    }

    /// What is known while it cannot be read: lines that were read before, and why there are no newer ones.
    fn unread(&self, error: &PollError, wanted: Option<&Question>) -> LogReading {
        let gap = gap(error);
        let known = |question: &Question| self.shown.clone().filter(|shown| shown.question == *question);
        let asked = wanted.map(|question| match known(question) {
            Some(asked) => Asked { why: format!("newer lines cannot be read: {}", gap.note), ..asked },
            None => Asked {
                question: question.clone(),
                query: String::new(),
                why: String::new(),
                lines: Part::Unavailable(gap.clone()),
                more: false,
                left_out: None,
                asking: false,
            },
        });
        let asked = asked.into_iter().collect();
        LogReading {
            lines: Part::Unavailable(gap.clone()),
            errors: Part::Unavailable(gap),
            asked,
            ..LogReading::default()
        }
    }

    /// What of it can be read.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn examine(mut self, now: Now) -> Result<Report, PollError> {
        let reading = self.read(now, None).await?;
        Ok(Report::answers([("lines", reading.lines.gap()), ("errors", reading.errors.gap())]))
    }
}

impl Source for LogSource {
    fn poll<'a>(&'a mut self, now: Now, focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move {
            let wanted = focus.iter().find_map(Focus::lines);
            let read = self.read(now, wanted).await;
            // A log that cannot be read is no server that is down: what is not known of it is told part by part.
            let reading = match read {
                Ok(reading) => {
                    self.shown = reading.asked.first().cloned();
                    reading
                }
                Err(error) => self.unread(&error, wanted),
            };
            Ok(Reading::Log(Box::new(reading)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lines::Window;
    use crate::core::log::LogRow;
    use crate::core::part::GapKind;
    use std::sync::mpsc;
    use std::thread;

    async fn look(source: &mut LogSource, second: u64, focus: &[Focus]) -> LogReading {
        match source.poll(Now::example(second), focus).await.expect("never silent") {
            Reading::Log(reading) => *reading,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_to_its_end_is_no_silent_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("shop.log");
        std::fs::write(&path, "job 42\n").expect("written");
        let connect = LogConnect::file(path);
        let mut source = LogSource::new("shop", connect, Duration::from_millis(400));
        let LogRow::Lines(question) = LogRow::all("shop") else { panic!("no lines") };
        assert!(matches!(question.window, Window::Last(_)));
        let focus = [Focus::Lines(question)];
        look(&mut source, 0, &focus).await;
        // A look that hangs holds what is known.
        let (watch, (held, is_held), (end, ends)) =
            (Arc::clone(&source.watch), mpsc::channel(), mpsc::channel());
        let hangs = thread::spawn(move || {
            let _watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
            held.send(()).expect("sent");
            ends.recv().expect("an end");
        });
        is_held.recv().expect("held");
        for second in [2, 4] {
            let reading = look(&mut source, second, &focus).await;
            let gap = reading.lines.gap().expect("it hangs");
            assert!(gap.kind == GapKind::TimedOut && gap.note.contains("hangs"), "{gap:?}");
            let asked = &reading.asked[0];
            assert_eq!(asked.lines.ready().map(Vec::len), Some(1), "what was read stays");
            assert!(asked.why.contains("hangs"), "{}", asked.why);
        }
        end.send(()).expect("sent");
        hangs.join().expect("ended");
        let reading = look(&mut source, 6, &focus).await;
        assert_eq!((reading.lines.gap(), reading.asked[0].why.as_str()), (None, ""));
    }
}
