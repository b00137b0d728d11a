//! The look after a change: whether the silence is as it was to be, and which alerts it keeps quiet. A member of a cluster hears of it
//! within seconds: until then nothing is settled, and nothing has failed.

use super::decode::{Found, Told};
use super::{AlertmanagerExecutor, SILENCES};
use crate::core::action::{ActionError, Verification};
use crate::core::alertmanager::{Matcher, SeenSilence};
use crate::core::text::counted;

/// Every alert, whatever keeps it quiet.
const ALERTS: &str = "/api/v2/alerts?unprocessed=false";

impl AlertmanagerExecutor {
    async fn alerts(&self) -> Result<Vec<Told>, ActionError> {
        Ok(self.read::<Vec<Told>>(ALERTS).await?.map(|(alerts, _)| alerts).unwrap_or_default())
    }

    /// Whether the new silence is listed, and keeps quiet what it was made for.
    pub(super) async fn look_at_new(
        &self,
        matchers: &[Matcher],
        (author, comment): (&str, &str),
        quiet: &[String],
    ) -> Result<Verification, ActionError> {
        let (all, _) = self.all().await?;
        let ours = all.iter().filter(|one| {
            one.stands()
                && one.is_for(matchers)
                && (one.created_by.as_str(), one.comment.as_str()) == (author, comment)
        });
        let Some(silence) = ours.max_by(|a, b| a.updated_at.cmp(&b.updated_at)) else {
            let sentence =
                format!("it is not listed at {SILENCES} yet (another member of a cluster may answer)");
            return Ok(Verification { settled: false, sentence });
        };
        Ok(made(silence, &self.alerts().await?, quiet))
    }

    /// Whether the silence ends later now.
    pub(super) async fn look_at_end(&self, seen: &SeenSilence) -> Result<Verification, ActionError> {
        let Some((whole, _)) = self.silence(&seen.id).await? else {
            let sentence = format!("silence {} is not known there", seen.id);
            return Ok(Verification { settled: false, sentence });
        };
        let found: Found = serde_json::from_value(whole).unwrap_or_default();
        let (id, ends) = (&seen.id, &found.ends_at);
        let settled = found.stands() && *ends != seen.ends_at;
        let word = match (found.holds(), found.stands()) {
            (true, _) => "in force",
            (false, true) => "waiting for its time",
            (false, false) => "over",
        };
        let rest = if settled { "" } else { " (as before: another member of a cluster may answer)" };
        Ok(Verification { settled, sentence: format!("silence {id} is {word}, until {ends}{rest}") })
    }

    /// Whether the silence is over, and who is told again.
    pub(super) async fn look_at_expired(
        &self,
        id: &str,
        quiet: &[String],
    ) -> Result<Verification, ActionError> {
        let stands = match self.silence(id).await? {
            Some((whole, _)) => serde_json::from_value::<Found>(whole).unwrap_or_default().stands(),
            None => false,
        };
        if stands {
            let sentence = format!("silence {id} still stands (another member of a cluster may answer)");
            return Ok(Verification { settled: false, sentence });
        }
        Ok(Verification { settled: true, sentence: over(id, &self.alerts().await?, quiet) })
    }
}

/// What a new silence keeps quiet of what it was made for.
fn made(silence: &Found, alerts: &[Told], quiet: &[String]) -> Verification {
    let there: Vec<&Told> = alerts.iter().filter(|alert| quiet.contains(&alert.fingerprint)).collect();
    let kept = there.iter().filter(|alert| alert.is_kept_by(&silence.id)).count();
    let (id, until) = (&silence.id, &silence.ends_at);
    let word = if silence.holds() { "in force" } else { "listed" };
    let what = match (quiet.len(), there.len()) {
        (0, _) => "no alert is there that it is for".to_owned(),
        (_, 0) => "what it was made for is over".to_owned(),
        (_, all) => format!("{kept} of {} silenced{}", counted(all, "alert"), is_over(quiet.len() - all)),
    };
    let settled = silence.holds() && kept == there.len();
    Verification { settled, sentence: format!("silence {id} is {word} until {until}: {what}") }
}

/// Who is told again after a silence was ended.
fn over(id: &str, alerts: &[Told], quiet: &[String]) -> String {
    let there: Vec<&Told> = alerts.iter().filter(|alert| quiet.contains(&alert.fingerprint)).collect();
    let told = there.iter().filter(|alert| !alert.is_kept()).count();
    let what = match (quiet.len(), there.len()) {
        (0, _) => "it kept no alert quiet".to_owned(),
        (_, 0) => "what it kept quiet is over".to_owned(),
        (_, all) if told == all => {
            format!("{} told again{}", counted(all, "alert"), is_over(quiet.len() - all))
        }
        (_, all) => {
            let left = all - told;
            format!("{told} of {} told again, {left} kept back by others", counted(all, "alert"))
        }
    };
    format!("silence {id} is over: {what}")
}

fn is_over(gone: usize) -> String {
    if gone == 0 { String::new() } else { format!(", {gone} over") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(state: &str) -> Found {
        let text = format!(r#"{{"id": "s1", "endsAt": "then", "status": {{"state": "{state}"}}}}"#);
        serde_json::from_str(&text).expect("a silence")
    }

    /// Alerts by fingerprint, each with the silence that keeps it quiet.
    fn alerts(list: &[(&str, &str)]) -> Vec<Told> {
        let one = |(fingerprint, by): &(&str, &str)| {
            let by = if by.is_empty() { String::new() } else { format!("\"{by}\"") };
            let text = format!(
                r#"{{"fingerprint": "{fingerprint}", "status": {{"silencedBy": [{by}], "inhibitedBy": []}}}}"#
            );
            serde_json::from_str(&text).expect("an alert")
        };
        list.iter().map(one).collect()
    }

    fn quiet(list: &[&str]) -> Vec<String> {
        list.iter().map(|one| (*one).to_owned()).collect()
    }

    #[track_caller]
    fn check(state: &str, there: &[(&str, &str)], wanted: &[&str], settled: bool, ends: &str) {
        let found = made(&silence(state), &alerts(there), &quiet(wanted));
        assert_eq!(found.settled, settled, "{}", found.sentence);
        assert!(found.sentence.ends_with(ends), "{}", found.sentence);
    }

    #[test]
    fn a_new_silence_is_looked_after_alert_by_alert() {
        let there = [("a", "s1"), ("b", "s1"), ("c", "")];
        check("active", &there, &["a", "b"], true, "in force until then: 2 of 2 alerts silenced");
        check("active", &there, &["a", "c"], false, "1 of 2 alerts silenced");
        check("active", &there, &["a", "gone"], true, "1 of 1 alert silenced, 1 over");
        check("active", &[("a", "s2")], &["a"], false, "0 of 1 alert silenced");
        check("active", &[], &["a"], true, "what it was made for is over");
        check("active", &there, &[], true, "no alert is there that it is for");
        check("pending", &[], &[], false, "listed until then: no alert is there that it is for");
    }

    #[test]
    fn after_the_end_of_a_silence_it_is_said_who_is_told_again() {
        let words = |there: &[(&str, &str)], wanted: &[&str]| over("s1", &alerts(there), &quiet(wanted));
        assert_eq!(words(&[("a", ""), ("b", "")], &["a", "b"]), "silence s1 is over: 2 alerts told again");
        assert_eq!(
            words(&[("a", ""), ("b", "s2")], &["a", "b"]),
            "silence s1 is over: 1 of 2 alerts told again, 1 kept back by others"
        );
        assert_eq!(words(&[], &["a"]), "silence s1 is over: what it kept quiet is over");
        assert_eq!(words(&[], &[]), "silence s1 is over: it kept no alert quiet");
    }
}
