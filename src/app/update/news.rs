//! What happened is kept, told beside the screen, and summed up when all of it is over.

use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::core::alert::AlertBook;
use crate::core::notify::Notice;
use crate::core::timeline::{Event, Kind};
use crate::ui::content::Role;

/// Takes what happened since this was called last, and tells it to whom it concerns.
pub fn tell(model: &mut Model) -> Vec<Effect> {
    let news = model.world.timeline.take_news();
    if let Some(over) = news.iter().rev().find(|event| event.kind == Kind::AllClear) {
        let at = over.at.wall.with_timezone(&model.zone).format("%H:%M:%S");
        model.say(Role::Ok, format!("{at} {}", over.words));
    }
    // Of what somebody has taken note nobody is told anew.
    let alerts = &model.world.alerts;
    let loud: Vec<_> = news.iter().filter(|event| !is_noted(alerts, event)).cloned().collect();
    let notices = model.notifier.decide(&loud, model.now);
    let kept = (!news.is_empty()).then_some(Effect::Keep(news));
    let told = notices.into_iter().map(|notice| match notice {
        Notice::Bell => Effect::Bell,
        Notice::Desktop(how, text) => Effect::Notify(how, text),
        Notice::Post(event) => Effect::Post(event),
    });
    kept.into_iter().chain(told).collect()
}

/// Whether this is the begin of a finding of which somebody has taken note.
fn is_noted(alerts: &AlertBook, event: &Event) -> bool {
    let target = event.target.as_ref().map_or("", |target| target.as_str());
    let about = event.about.as_ref().filter(|_| event.kind == Kind::Began);
    about.is_some_and(|about| alerts.is_heard(&about.rule, target, &about.subject))
}
