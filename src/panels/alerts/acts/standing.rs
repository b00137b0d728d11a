//! What may be done to a silence that stands: it ends later, or now.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::alertmanager::{AlertmanagerAct, AlertmanagerRow, End, HeldAlert, SeenSilence, Silence};
use crate::core::row::RowKey;
use crate::panels::alerts::acts::choice::{Choice, asking, fact, offer, one_by_one, permitted};
use crate::panels::alerts::acts::ends::end;
use crate::panels::alerts::acts::preview::{are_many, how_many, members, moment, worst_first};
use crate::panels::alerts::target::{Seen, matchers};
use crate::panels::panel::PanelContext;
use crate::ui::format::duration;

/// What is asked for.
const LONGER: &str = "so much longer (30m, 1h, 4h), or until 18:30 by this terminal's clock";
/// What is suggested.
const USUAL: &str = "1h";

/// The letter under which a silence is extended, and under which it is ended.
pub(super) const EXTEND: char = 'e';
const EXPIRE: char = 'd';

/// What may be done to the silence of `row`.
pub(super) fn offers(context: PanelContext<'_>, row: &RowKey, id: &str, marked: &[RowKey]) -> Vec<Offer> {
    let others = marked
        .iter()
        .any(|key| key != row && matches!(key.alertmanager(), Some((_, AlertmanagerRow::Silence(_)))));
    let one = |choice: Choice| {
        if others {
            Err(Refusal::new("silences are changed one by one").remedy("take the marks away"))
        } else {
            choice
        }
    };
    let later = offer(
        EXTEND,
        "extend silence",
        "it ends later; all else stays",
        one(extend(context, row, id, USUAL)),
    );
    vec![
        asking(later, LONGER, USUAL.to_owned()),
        offer(EXPIRE, "expire silence", "it ends now; people are told again", one(expire(context, row, id))),
    ]
}

/// The silence, if it stands.
fn found<'a>(
    context: PanelContext<'a>,
    row: &RowKey,
    id: &str,
) -> Result<(Seen<'a>, &'a Silence, SeenSilence), Refusal> {
    let seen = permitted(context, row)?;
    let silence = seen.reading.silence(id).filter(|silence| silence.over_for.is_none());
    let silence = silence.ok_or_else(|| {
        Refusal::new("this silence is over").remedy("make a new one from the alert that it was for")
    })?;
    let pinned = SeenSilence {
        id: silence.id.clone(),
        ends_at: silence.ends_at.clone(),
        comment: silence.comment.clone(),
    };
    Ok((seen, silence, pinned))
}

/// What it keeps quiet now, the worst first.
fn kept<'a>(seen: Seen<'a>, id: &str) -> Vec<&'a HeldAlert> {
    let mut kept: Vec<&HeldAlert> = seen.reading.kept_by(id).collect();
    worst_first(&mut kept);
    kept
}

/// What comes of a later end.
pub(super) fn extend(context: PanelContext<'_>, row: &RowKey, id: &str, text: &str) -> Choice {
    let (seen, silence, pinned) = found(context, row, id)?;
    let (end, rest) = end(context, text)?;
    if !rest.is_empty() {
        return Err(Refusal::new(format!("`{rest}` has no place here"))
            .remedy("only the end is changed; the reason stays as it is"));
    }
    let old = context.now.plus(seen.left(silence.ends_in)).wall;
    let new = match end {
        End::After(span) => context.now.plus(seen.left(silence.ends_in) + span).wall,
        End::At(at) => at,
    };
    if new < old {
        let left = duration(seen.left(silence.ends_in));
        return Err(Refusal::new(format!("that is before its end, which is in {left}"))
            .remedy("expire it, or make a shorter one"));
    }
    let quiet = kept(seen, id);
    let act = AlertmanagerAct::Extend { silence: pinned, end };
    let mut facts = vec![fact("alerts with", matchers(silence)), fact("mutes", how_many(&quiet))];
    facts.extend(one_by_one(seen, "alert", &quiet));
    facts.extend([
        fact("by", &silence.author),
        fact("why", &silence.comment),
        fact("would end", moment(context, old)),
        fact("ends then", moment(context, new)),
        fact("only if", "its end and its reason are still those that you see; it keeps its id"),
    ]);
    facts.extend(members(seen));
    let preview = Preview {
        title: format!("Extend the silence by {} of {}", silence.author, how_many(&quiet)),
        facts,
        statement: act.statement(),
        confirm_key: EXTEND,
        severe: false,
        word: None,
    };
    Ok((Action::Alertmanager { target: seen.target.id.clone(), act }, preview))
}

fn expire(context: PanelContext<'_>, row: &RowKey, id: &str) -> Choice {
    let (seen, silence, pinned) = found(context, row, id)?;
    let quiet = kept(seen, id);
    let act = AlertmanagerAct::Expire {
        silence: pinned,
        quiet: quiet.iter().map(|alert| alert.fingerprint.clone()).collect(),
    };
    let alone = quiet.iter().filter(|alert| alert.held.len() == 1).count();
    let then = match (quiet.len(), alone) {
        (0, _) => "nobody is told of anything: it keeps no alert quiet now".to_owned(),
        (all, alone) if all == alone => {
            "people are told of them again, as the intervals of their groups permit".to_owned()
        }
        (all, alone) => {
            format!("people are told of {alone} again; {} are kept back by others, too", all - alone)
        }
    };
    let mut facts = vec![fact("alerts with", matchers(silence)), fact("keeps quiet", how_many(&quiet))];
    facts.extend(one_by_one(seen, "alert", &quiet));
    facts.extend([
        fact("by", &silence.author),
        fact("why", &silence.comment),
        fact("would end", moment(context, context.now.plus(seen.left(silence.ends_in)).wall)),
        fact("then", then),
        fact("no way back", "one that is over is not revived: a new one has to be made"),
        fact("only if", "its end and its reason are still those that you see"),
    ]);
    facts.extend(members(seen));
    let preview = Preview {
        title: format!("Expire the silence by {} of {}", silence.author, how_many(&quiet)),
        facts,
        statement: act.statement(),
        confirm_key: EXPIRE,
        severe: are_many(&quiet),
        word: None,
    };
    Ok((Action::Alertmanager { target: seen.target.id.clone(), act }, preview))
}
