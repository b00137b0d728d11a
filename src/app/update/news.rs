//! What happened is kept, told beside the screen, and summed up when all of it is over.

use crate::app::model::Model;
use crate::app::msg::Effect;
use crate::core::notify::Notice;
use crate::core::timeline::Kind;
use crate::ui::content::Role;

/// Takes what happened since this was called last, and tells it to whom it concerns.
pub fn tell(model: &mut Model) -> Vec<Effect> {
    let news = model.world.timeline.take_news();
    if let Some(over) = news.iter().rev().find(|event| event.kind == Kind::AllClear) {
        let at = over.at.wall.with_timezone(&model.zone).format("%H:%M:%S");
        model.say(Role::Ok, format!("{at} {}", over.words));
    }
    let notices = model.notifier.decide(&news, model.now);
    let kept = (!news.is_empty()).then_some(Effect::Keep(news));
    let told = notices.into_iter().map(|notice| match notice {
        Notice::Bell => Effect::Bell,
        Notice::Desktop(how, text) => Effect::Notify(how, text),
        Notice::Post(event) => Effect::Post(event),
    });
    kept.into_iter().chain(told).collect()
}
