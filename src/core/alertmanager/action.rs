//! What can be done in an Alertmanager: a silence made, extended, expired.

use super::matcher::{Matcher, written};
use crate::core::text::duration;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use std::time::Duration;

/// When a silence ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// So long after now, by the server's clock; of one that is extended so much later than it would.
    After(Duration),
    /// Then.
    At(DateTime<Utc>),
}

/// A silence as it was seen: when it is another one, nothing is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenSilence {
    /// Its id.
    pub id: String,
    /// When it ends, as the server writes it.
    pub ends_at: String,
    /// Why it is.
    pub comment: String,
}

/// One change to an Alertmanager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertmanagerAct {
    /// A new silence.
    Silence {
        /// For which alerts: all of these hold for them.
        matchers: Vec<Matcher>,
        /// When it ends.
        end: End,
        /// Who makes it.
        author: String,
        /// Why.
        comment: String,
        /// The alerts that it keeps quiet by what was seen: their fingerprints, in order.
        quiet: Vec<String>,
    },
    /// A silence ends later.
    Extend {
        /// Which.
        silence: SeenSilence,
        /// When it ends then.
        end: End,
    },
    /// A silence ends now.
    Expire {
        /// Which.
        silence: SeenSilence,
        /// The alerts that it keeps quiet by what was seen: their fingerprints, in order.
        quiet: Vec<String>,
    },
}

impl AlertmanagerAct {
    /// The verb for the audit trail.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Silence { .. } => "silence_alerts",
            Self::Extend { .. } => "extend_silence",
            Self::Expire { .. } => "expire_silence",
        }
    }

    /// The pinned identity, for people and for the audit trail.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::Silence { matchers, .. } => format!("alerts with {}", written(matchers)),
            Self::Extend { silence, .. } | Self::Expire { silence, .. } => {
                format!("silence {} until {}", silence.id, silence.ends_at)
            }
        }
    }

    /// What is sent, for people and for the audit trail.
    #[must_use]
    pub fn statement(&self) -> String {
        match self {
            Self::Silence { matchers, end, author, comment, .. } => {
                let matchers: Vec<_> = matchers.iter().map(sent).collect();
                let ends = match end {
                    End::After(span) => format!("now + {}", duration(*span)),
                    End::At(at) => at.to_rfc3339_opts(SecondsFormat::Secs, true),
                };
                let body = json!({"matchers": matchers, "startsAt": "now", "endsAt": ends, "createdBy": author, "comment": comment});
                format!("POST /api/v2/silences {body}")
            }
            Self::Extend { silence, end } => {
                let ends = match end {
                    End::After(span) => format!("{} + {}", silence.ends_at, duration(*span)),
                    End::At(at) => at.to_rfc3339_opts(SecondsFormat::Secs, true),
                };
                let body = json!({"id": silence.id, "endsAt": ends});
                format!("POST /api/v2/silences {body}, all else as it is there")
            }
            Self::Expire { silence, .. } => format!("DELETE /api/v2/silence/{}", silence.id),
        }
    }

    /// Whether this, chosen a moment ago, is still what `offered` would be. Alerts that are over change nothing; a new one that would be
    /// kept quiet was not shown.
    #[must_use]
    pub fn is_still(&self, offered: &Self) -> bool {
        let no_more = |now: &[String], seen: &[String]| now.iter().all(|one| seen.contains(one));
        match (self, offered) {
            (
                Self::Silence { matchers, end, author, comment, quiet },
                Self::Silence { matchers: others, end: at, author: by, comment: why, quiet: now },
            ) => (matchers, end, author, comment) == (others, at, by, why) && no_more(now, quiet),
            (Self::Expire { silence, quiet }, Self::Expire { silence: other, quiet: now }) => {
                silence == other && no_more(now, quiet)
            }
            (Self::Silence { .. } | Self::Extend { .. } | Self::Expire { .. }, _) => self == offered,
        }
    }
}

/// A matcher as it is sent.
#[must_use]
pub fn sent(matcher: &Matcher) -> serde_json::Value {
    let Matcher { name, value, regex, equal } = matcher;
    json!({"name": name, "value": value, "isRegex": regex, "isEqual": equal})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(quiet: &[&str]) -> AlertmanagerAct {
        AlertmanagerAct::Silence {
            matchers: vec![Matcher::is("alertname", "Full")],
            end: End::After(Duration::from_secs(3600)),
            author: "ana".to_owned(),
            comment: "a deploy".to_owned(),
            quiet: quiet.iter().map(|one| (*one).to_owned()).collect(),
        }
    }

    fn seen() -> SeenSilence {
        SeenSilence {
            id: "s1".to_owned(),
            ends_at: "2026-01-02T03:04:05.678Z".to_owned(),
            comment: String::new(),
        }
    }

    #[track_caller]
    fn check(act: &AlertmanagerAct, identity: &str, statement: &str) {
        assert_eq!((act.identity().as_str(), act.statement().as_str()), (identity, statement));
    }

    #[test]
    fn what_is_sent_is_told_whole() {
        check(
            &silence(&[]),
            r#"alerts with {alertname="Full"}"#,
            r#"POST /api/v2/silences {"matchers":[{"name":"alertname","value":"Full","isRegex":false,"isEqual":true}],"startsAt":"now","endsAt":"now + 1h00m","createdBy":"ana","comment":"a deploy"}"#,
        );
        let at = "2026-01-02T05:00:00Z".parse().expect("a time");
        let identity = "silence s1 until 2026-01-02T03:04:05.678Z";
        check(
            &AlertmanagerAct::Extend { silence: seen(), end: End::At(at) },
            identity,
            r#"POST /api/v2/silences {"id":"s1","endsAt":"2026-01-02T05:00:00Z"}, all else as it is there"#,
        );
        check(
            &AlertmanagerAct::Extend { silence: seen(), end: End::After(Duration::from_secs(90)) },
            identity,
            r#"POST /api/v2/silences {"id":"s1","endsAt":"2026-01-02T03:04:05.678Z + 1m30s"}, all else as it is there"#,
        );
        check(
            &AlertmanagerAct::Expire { silence: seen(), quiet: Vec::new() },
            identity,
            "DELETE /api/v2/silence/s1",
        );
    }

    #[test]
    fn an_alert_that_comes_under_the_dialog_was_not_shown() {
        assert!(silence(&["a", "b"]).is_still(&silence(&["b"])));
        assert!(!silence(&["a"]).is_still(&silence(&["a", "b"])));
        let expire = |ends: &str| AlertmanagerAct::Expire {
            silence: SeenSilence { ends_at: ends.to_owned(), ..seen() },
            quiet: Vec::new(),
        };
        assert!(expire("x").is_still(&expire("x")));
        assert!(!expire("x").is_still(&expire("y")));
        assert!(!expire("x").is_still(&silence(&[])));
    }
}
