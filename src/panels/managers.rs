//! Alertmanagers that a watched Prometheus tells of its alerts, and that nobody watches: what to write to see them, too. They are not
//! looked for there: the address is that of the Prometheus' own network, and credentials are those of nobody here.

use crate::core::prometheus::Alertmanagers;
use crate::core::recipients::place;
use crate::core::scope::Scope;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Line, Role};

/// Those that none of the watched ones can be: neither host nor port is that of one.
fn unwatched<'a>(told: &'a [String], watched: &[&str]) -> Vec<&'a str> {
    let known: Vec<(&str, &str)> = watched.iter().map(|url| place(url)).collect();
    let is_known = |url: &str| {
        let (host, port) = place(url);
        known.iter().any(|(other, at)| *other == host || *at == port)
    };
    told.iter().map(String::as_str).filter(|url| !is_known(url)).collect()
}

/// What is said of those that a Prometheus tells, and that are not watched.
pub(super) fn lines(context: PanelContext<'_>, managers: &Alertmanagers) -> Vec<Line> {
    // Beyond a scope there may be those that are watched.
    if *context.scope != Scope::All {
        return Vec::new();
    }
    let all = context.targets().filter(|target| target.system.alertmanager().is_some());
    let watched: Vec<&str> = all.map(|target| target.address.as_str()).collect();
    let line = |url: &&str| {
        let words = format!("tells {url} of its alerts, which is not watched: ");
        Line::of(Role::Muted, words).then(Role::Note, format!("[[alertmanager]] url = \"{url}\""))
    };
    unwatched(&managers.told, &watched).iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(told: &str, watched: &[&str], expected: bool) {
        assert_eq!(!unwatched(&[told.to_owned()], watched).is_empty(), expected, "{told} {watched:?}");
    }

    #[test]
    fn what_may_be_one_that_is_watched_is_not_told() {
        check("http://am:9093", &[], true);
        check("http://am:9093", &["http://am:9093"], false);
        // In its own network it is called otherwise than from here.
        check("http://alertmanager:9093", &["http://127.0.0.1:9093"], false);
        check("http://am:9093/prefix", &["https://am"], false);
        check("https://alerts.example", &["http://127.0.0.1:9093"], true);
        check("http://am:9094", &["http://127.0.0.1:9093"], true);
        check("http://[::1]:9093", &["http://am:9094"], true);
    }
}
