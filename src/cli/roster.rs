//! Targets that lists name (`[[discover]]`): those at the start, and how they come and go while it runs.

use super::begin::{job, state};
use crate::config::listed::{Listed, Listing};
use crate::config::resolve::Settings;
use crate::config::target::{Connect, TargetConfig};
use crate::core::enlisted::{Enlisted, Trouble};
use crate::core::ids::TargetId;
use crate::core::text::counted;
use crate::core::time::Clock;
use crate::engine::roster::{Change, Roster};
use crate::sources::lists::List;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::{Instant, sleep_until};

/// A list with what it said last.
struct Read {
    list: List,
    listed: Vec<Listed>,
    wrong: Vec<String>,
    due: Instant,
}

/// What is to be noticed about a target of a list: where it is asked, and its group.
type Known = BTreeMap<TargetId, (String, Option<String>)>;

/// The names of targets: of those that lists name, and of all others. Two of one name would be one.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) listed: BTreeSet<String>,
    pub(super) own: BTreeSet<String>,
}

/// The same, shared with whoever reads the configuration again.
pub(super) type SharedNames = Arc<Mutex<Names>>;

/// The lists of a run.
pub(super) struct Lists {
    read: Vec<Read>,
    names: SharedNames,
    known: Known,
    troubles: Vec<Trouble>,
    /// What was found at the start, line by line.
    told: Vec<String>,
}

/// Reads every list of `settings` and adds the targets that they name; nothing where there is no list.
///
/// # Errors
/// When nothing can be read at all, by a fault of this machine.
pub(super) fn begin(settings: &mut Settings) -> Result<Option<Lists>, String> {
    if settings.lists.is_empty() {
        return Ok(None);
    }
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let tokio = built.map_err(|error| format!("the event loop cannot be started: {error}"))?;
    Ok(Some(tokio.block_on(Lists::begin(settings))))
}

impl Lists {
    async fn begin(settings: &mut Settings) -> Self {
        let now = Instant::now();
        let unread = |listing: &Listing| Read {
            list: List::new(listing.clone()),
            listed: Vec::new(),
            wrong: Vec::new(),
            due: now,
        };
        let mut lists = Self {
            read: settings.lists.iter().map(unread).collect(),
            names: Arc::new(Mutex::new(Names {
                listed: BTreeSet::new(),
                own: settings.targets.iter().map(|target| target.id.to_string()).collect(),
            })),
            known: Known::new(),
            troubles: Vec::new(),
            told: Vec::new(),
        };
        lists.look().await;
        let targets = lists.targets();
        lists.known = known(&targets);
        for read in &lists.read {
            let name = read.list.listing.name();
            let many = read.listed.iter().map(|some| some.targets.len()).sum::<usize>();
            lists.told.push(format!("{name} lists {}", counted(many, "endpoint")));
        }
        let told = |trouble: &Trouble| format!("WARNING the list {}: {}", trouble.list, trouble.why);
        lists.told.extend(lists.troubles.iter().map(told));
        lists.told.extend(targets.iter().filter_map(TargetConfig::exposed));
        settings.trail.extend(lists.told.iter().cloned());
        settings.targets.extend(targets);
        lists
    }

    /// The names that are taken.
    pub(super) fn names(&self) -> SharedNames {
        Arc::clone(&self.names)
    }

    /// What was found at the start, line by line.
    pub(super) fn told(&self) -> &[String] {
        &self.told
    }

    /// What is wrong with them.
    pub(super) fn troubles(&self) -> Enlisted {
        Enlisted { troubles: self.troubles.clone(), ..Enlisted::default() }
    }

    /// The same for a run that goes on.
    pub(super) fn follow(self, clock: Arc<dyn Clock>) -> Box<dyn Roster> {
        Box::new(Following { lists: self, clock })
    }

    /// Reads those whose time it is.
    async fn look(&mut self) {
        let now = Instant::now();
        join_all(self.read.iter_mut().filter(|read| read.due <= now).map(|read| async move {
            (read.listed, read.wrong) = read.list.look().await;
            read.due = Instant::now() + read.list.listing.refresh();
        }))
        .await;
    }

    /// Every target that they name now. What is wrong is kept.
    fn targets(&mut self) -> Vec<TargetConfig> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut taken, mut targets) = (names.own.clone(), Vec::new());
        self.troubles.clear();
        for Read { list, listed, wrong, .. } in &self.read {
            let (found, unfit) = list.listing.targets(listed, &taken);
            taken.extend(found.iter().map(|target| target.id.to_string()));
            targets.extend(found);
            let name = list.listing.name();
            let all: Vec<String> = wrong.iter().cloned().chain(Listing::trouble(&unfit)).collect();
            if !all.is_empty() {
                self.troubles.push(Trouble { list: name.to_owned(), why: all.join("; ") });
            }
        }
        names.listed = targets.iter().map(|target| target.id.to_string()).collect();
        targets
    }
}

fn known(targets: &[TargetConfig]) -> Known {
    // An address that is shown holds no parameters.
    let at = |target: &TargetConfig| {
        let Connect::Metrics(http) = &target.connect else { return target.address() };
        http.url.clone()
    };
    targets.iter().map(|target| (target.id.clone(), (at(target), target.group.clone()))).collect()
}

struct Following {
    lists: Lists,
    clock: Arc<dyn Clock>,
}

impl Following {
    /// What has come and gone by now, if anything has.
    fn change(&mut self) -> Option<Change> {
        let troubles = self.lists.troubles.clone();
        let targets = self.lists.targets();
        let after = known(&targets);
        let before = std::mem::replace(&mut self.lists.known, after);
        let after = &self.lists.known;
        let left: Vec<TargetId> =
            before.iter().filter(|(id, was)| after.get(id) != Some(was)).map(|(id, _)| id.clone()).collect();
        let joined: Vec<TargetConfig> =
            targets.into_iter().filter(|target| before.get(&target.id) != after.get(&target.id)).collect();
        if left.is_empty() && joined.is_empty() && troubles == self.lists.troubles {
            return None;
        }
        let now = self.clock.now();
        let enlisted = Enlisted {
            left,
            joined: joined.iter().map(|target| state(target, now)).collect(),
            troubles: self.lists.troubles.clone(),
        };
        Some(Change { enlisted, jobs: joined.into_iter().map(job).collect() })
    }
}

impl Roster for Following {
    fn next(&mut self) -> BoxFuture<'_, Change> {
        async move {
            loop {
                let due = self.lists.read.iter().map(|read| read.due).min();
                sleep_until(due.unwrap_or_else(Instant::now)).await;
                self.lists.look().await;
                if let Some(change) = self.change() {
                    return change;
                }
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::discover::Surroundings;
    use crate::config::resolve::resolve;
    use crate::config::wishes::Wishes;
    use crate::core::time::Now;
    use std::time::Duration;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Now {
            Now::example(0)
        }
    }

    fn names(change: &Change) -> (String, String, usize) {
        let joined: Vec<String> = change.jobs.iter().map(|job| job.target.to_string()).collect();
        let left: Vec<String> = change.enlisted.left.iter().map(ToString::to_string).collect();
        (joined.join(" "), left.join(" "), change.enlisted.troubles.len())
    }

    #[test]
    fn targets_follow_their_list_while_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("l.json"), text).unwrap();
        let path = folder.path().join("stacktop.toml");
        let text = "[[redis]]\nname = \"b:1\"\nurl = \"redis://h\"\n[[discover]]\nname = \"shop\"\nfiles = [\"l.json\"]\n";
        std::fs::write(&path, text).unwrap();
        write(r#"[{"targets": ["a:1", "b:1", "c:1"]}]"#);
        let wishes = Wishes { config: Some(path), ..Wishes::default() };
        let mut settings = resolve(&wishes, &Surroundings::empty(folder.path())).unwrap();
        let lists = begin(&mut settings).unwrap().expect("a list");
        let ids: Vec<&str> = settings.targets.iter().map(|target| target.id.as_str()).collect();
        assert_eq!(ids, ["b:1", "a:1", "b:1/metrics", "c:1"]);
        assert!(settings.trail.contains(&"shop lists 3 endpoints".to_owned()), "{:?}", settings.trail);
        let mut roster = Following { lists, clock: Arc::new(Still) };
        roster.lists.read[0].list.settles = Duration::from_millis(5);
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut next = || {
            roster.lists.read[0].due = Instant::now();
            names(&tokio.block_on(roster.next()))
        };
        write(r#"[{"targets": ["a:1"], "labels": {"__metrics_path__": "/m"}}, {"targets": ["d:1"]}]"#);
        assert_eq!(next(), ("a:1 d:1".to_owned(), "a:1 b:1/metrics c:1".to_owned(), 0));
        write(
            r#"[{"targets": ["a:1"], "labels": {"__metrics_path__": "/m", "__param_x": "1"}}, {"targets": ["d:1"]}]"#,
        );
        assert_eq!(next(), ("a:1".to_owned(), "a:1".to_owned(), 0), "it is asked in another way");
        write("[{");
        assert_eq!(next(), (String::new(), String::new(), 1), "what it said is kept");
        write(r#"[{"targets": ["d:1"]}]"#);
        assert_eq!(next(), (String::new(), "a:1".to_owned(), 0));
    }
}
