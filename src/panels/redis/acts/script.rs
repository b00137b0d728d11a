//! What may be done to a Redis server itself: the script that holds it is ended.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::redis::{Change, QueueRef, RedisAction};
use crate::core::row::RowKey;
use crate::core::text::lasting;
use crate::panels::panel::PanelContext;
use crate::panels::redis::acts::choice::{Choice, offer, permitted};
use crate::panels::redis::acts::facts::fact;

/// What may be done to the server itself.
pub(in crate::panels) fn server_offers(context: PanelContext<'_>, row: &RowKey) -> Vec<Offer> {
    let choice = || -> Choice {
        let (target, state, _) = permitted(context, row)?;
        if !state.reading().is_some_and(|reading| reading.busy) {
            return Err(Refusal::new("no script holds this server"));
        }
        let act = RedisAction::Change { queue: QueueRef::default(), change: Change::EndScript };
        let held = state.busy_since.map(|since| context.now.since(since));
        let preview = Preview {
            title: format!("End the script that holds {}", target.id),
            facts: vec![
                fact("held for", held.map_or("—".to_owned(), |held| format!("at least {}", lasting(held)))),
                fact("only if", "it has written nothing: else the server refuses, and nothing is half done"),
                fact("then", "whoever called it gets an error"),
            ],
            statement: act.statement(),
            confirm_key: 'k',
            severe: false,
            word: None,
        };
        Ok((Action::Redis { target: target.id.clone(), act }, preview))
    };
    vec![offer(
        'k',
        "end the running script",
        "SCRIPT KILL, which a script that has written does not obey",
        choice(),
    )]
}
