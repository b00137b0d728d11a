//! What happened is kept, told beside the screen, and summed up when all of it is over.

use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::core::alert::AlertBook;
use crate::core::notify::Notice;
use crate::core::timeline::{Event, Kind, Mark};
use crate::ui::content::Role;

/// Takes what happened since this was called last, and tells it to whom it concerns.
pub fn tell(model: &mut Model) -> Vec<Effect> {
    let news = model.world.timeline.take_news();
    if let Some(over) = news.iter().rev().find(|event| event.kind == Kind::AllClear) {
        let at = over.at.wall.with_timezone(&model.zone).format("%H:%M:%S");
        let role = if over.is_seen_over() { Role::Ok } else { Role::Note };
        model.say(role, format!("{at} {}", over.words));
    }
    // Of what somebody has taken note nobody is told anew.
    let alerts = &model.world.alerts;
    let loud: Vec<_> = news.iter().filter(|event| !is_noted(alerts, event)).cloned().collect();
    let notices = model.notifier.decide(&loud, model.now);
    let notes = model.world.alerts.take_notes();
    let remembered = (!notes.is_empty()).then_some(Effect::KeepNotes(notes));
    let sizes = model.world.take_sizes();
    let grown = (!sizes.is_empty()).then_some(Effect::KeepSizes(sizes));
    let kept = (!news.is_empty()).then_some(Effect::Keep(news));
    let told = notices.into_iter().map(|notice| match notice {
        Notice::Bell => Effect::Bell,
        Notice::Desktop(how, text) => Effect::Notify(how, text),
        Notice::Post(event) => Effect::Post(event),
    });
    kept.into_iter().chain(grown).chain(remembered).chain(told).collect()
}

/// Somebody else has set marks.
pub fn marked(model: &mut Model, marks: &[Mark]) {
    for mark in marks {
        if let Some(event) = model.world.timeline.marked(mark, model.now) {
            model.say(Role::Note, format!("mark: {}", event.words));
        }
    }
}

/// Whether this is the begin of a finding of which somebody has taken note.
fn is_noted(alerts: &AlertBook, event: &Event) -> bool {
    let target = event.target.as_ref().map_or("", |target| target.as_str());
    let about = event.about.as_ref().filter(|_| event.kind == Kind::Began);
    about.is_some_and(|about| alerts.is_heard(&about.rule, target, &about.subject))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Breach, FindingKey, Grade, Heard, RuleSpec, RuleUnit, Rulebook, Severity};
    use crate::core::alert::{Triage, Until};
    use crate::core::ids::TargetId;
    use crate::core::place::Screen;
    use crate::core::time::Now;
    use crate::core::timeline::About;
    use std::time::Duration;

    const SPEC: RuleSpec = RuleSpec::new("test.rule", "", RuleUnit::Count, Triage::Errors).warning(1.0);

    fn event(kind: Kind, key: &FindingKey) -> Event {
        let about = About {
            rule: key.rule.to_string(),
            subject: key.subject.clone(),
            severity: Severity::Critical,
            since: Now::example(1),
            at_least: false,
        };
        Event { about: Some(about), ..Event::new(kind, Some(&key.target), Now::example(1), "it") }
    }

    #[test]
    fn of_what_was_noted_nobody_is_told_that_it_begins_again() {
        let grade = Grade { severity: Severity::Critical, value: None, threshold: None };
        let of = |subject: &str| {
            let about = (subject, subject.to_owned());
            Breach::new(&SPEC, &TargetId::new("pg"), Screen::Overview, grade, about)
        };
        let (mut book, rules) = (AlertBook::default(), Rulebook::defaults(&[&SPEC]));
        let both = vec![of("a"), of("b")];
        book.observe(both, &rules, |_| Triage::Errors, |_| false, Now::example(1));
        let until = Until::Then(Now::example(1).plus(Duration::from_secs(900)));
        let heard = Heard { who: "ana".to_owned(), note: String::new(), at: Now::example(1), until };
        assert!(book.hear(&of("a").key(), heard));
        book.observe(Vec::new(), &rules, |_| Triage::Errors, |_| false, Now::example(9));
        assert!(is_noted(&book, &event(Kind::Began, &of("a").key())), "it comes and goes");
        assert!(!is_noted(&book, &event(Kind::Began, &of("b").key())));
        assert!(!is_noted(&book, &event(Kind::Ended, &of("a").key())), "who was told is told of the end");
        book.observe(Vec::new(), &rules, |_| Triage::Errors, |_| false, Now::example(902));
        assert!(!is_noted(&book, &event(Kind::Began, &of("a").key())), "its time is over");
    }
}
