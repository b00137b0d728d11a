//! What a screen is: the contract between panels and the app.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::alert::{Finding, FindingKey, Parted, RuleId, RuleSetting, RuleSpec, Severity, Stage};
use crate::core::arming::Arming;
use crate::core::chain::Chain;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::recipients::Recipients;
use crate::core::row::RowKey;
use crate::core::scope::Scope;
use crate::core::time::Now;
use crate::core::timeline::Event;
use crate::core::world::{TargetState, World};
use crate::ui::content::{Content, Line, Role, Section};
use chrono::FixedOffset;

/// The keys in force, as words for sentences; a command without a key is named as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Opens a row.
    pub open: String,
    /// Shows what may be done to a row.
    pub act: String,
    /// Marks a row.
    pub mark: String,
    /// Looks for a text in a queue.
    pub find: String,
    /// Ends an action that takes long.
    pub stop: String,
    /// Copies the address of a runbook.
    pub runbook: String,
    /// Shows the sources and what was looked for.
    pub sources: String,
}

/// A screen of its own level; one that has nothing to show says why not.
pub(super) fn screen(mut sections: Vec<Section>, nothing: &'static str) -> Content {
    if sections.is_empty() {
        sections.push(Section::lines("", vec![Line::of(Role::Muted, nothing)]));
    }
    Content { title: String::new(), sections }
}

/// What a panel may look at.
#[derive(Clone, Copy, Debug)]
pub struct PanelContext<'a> {
    /// The keys in force.
    pub keys: &'a Keys,
    /// Everything that is known. A panel looks at what the scope lets through: [`targets`](Self::targets) and the like.
    pub world: &'a World,
    /// Which targets are looked at.
    pub scope: &'a Scope,
    /// The moment for which it is drawn.
    pub now: Now,
    /// Whether that is the present: else nothing more is read of it.
    pub live: bool,
    /// Local time, as its distance from UTC.
    pub zone: FixedOffset,
    /// Who looks, by the name that the audit trail has.
    pub who: &'a str,
    /// What may be changed; `None` where nobody is asked for that.
    pub arming: Option<&'a Arming>,
}

impl<'a> PanelContext<'a> {
    /// The targets that are looked at, in configured order.
    pub fn targets(self) -> impl Iterator<Item = &'a TargetState> + Clone {
        self.world.targets().iter().map(|target| &**target).filter(move |target| self.scope.holds(target))
    }

    /// Why the key of acts does nothing to `target`, armed or not: then it is not named.
    #[must_use]
    pub fn forbids(self, target: &TargetId) -> Option<Refusal> {
        if !self.live {
            return Some(Refusal::new("this is the past"));
        }
        self.arming.and_then(|arming| arming.forbids(target))
    }

    /// The same offers to `row`, but for what no arming would permit in this run.
    #[must_use]
    pub fn permitted(self, row: &RowKey, mut offers: Vec<Offer>) -> Vec<Offer> {
        let whole = row.target().and_then(|target| self.forbids(target));
        for offer in &mut offers {
            let own = || {
                let (action, _) = offer.choice.as_ref().ok()?;
                self.forbids(action.target())
            };
            if let Some(refusal) = whole.clone().or_else(own) {
                offer.choice = Err(refusal);
            }
        }
        offers
    }

    /// The target named `id`, if it is looked at.
    #[must_use]
    pub fn target(self, id: &str) -> Option<&'a TargetState> {
        self.world.target(id).filter(|target| self.scope.holds(target))
    }

    /// The Alertmanagers that a Prometheus tells, also those that are not looked at: no other one stands in their place.
    #[must_use]
    pub fn recipients(self, server: &TargetState) -> Recipients<'a> {
        Recipients::of(server, self.world.targets().iter().map(|target| &**target))
    }

    /// What was found, the worst first: of the targets that are looked at, and of the others.
    #[must_use]
    pub fn findings(self) -> (Vec<&'a Finding>, Vec<&'a Finding>) {
        let all = self.world.alerts.findings().into_iter();
        all.partition(|finding| self.looks_at(finding))
    }

    /// Whether it is of a target that is looked at; of one that is watched no more, while all are.
    fn looks_at(self, finding: &Finding) -> bool {
        let parted = finding.parted == Some(Parted::Unwatched) && *self.scope == Scope::All;
        parted || self.target(finding.breach.target.as_str()).is_some()
    }

    /// The finding of `key`, if it is of a target that is looked at, and was more than a moment's doubt.
    #[must_use]
    pub fn finding(self, key: &FindingKey) -> Option<&'a Finding> {
        let found = self.world.alerts.get(key).filter(|finding| finding.stage != Stage::Pending)?;
        self.looks_at(found).then_some(found)
    }

    /// What is told of a rule, and how it is set.
    #[must_use]
    pub fn rule(self, id: RuleId) -> Option<(&'static RuleSpec, RuleSetting)> {
        self.world.spec(id).map(|spec| (spec, self.world.rules.get(id)))
    }

    /// What changed, the newest first: of the targets that are looked at, and what is about everything while all are.
    pub fn events(self) -> impl Iterator<Item = &'a Event> {
        let of_scope = move |event: &&Event| match &event.target {
            Some(id) if self.world.target(id.as_str()).is_some() => self.target(id.as_str()).is_some(),
            // Of a target that is watched no more, or of all of them.
            Some(_) | None => *self.scope == Scope::All,
        };
        self.world.timeline.events().filter(of_scope)
    }

    /// What explains what.
    #[must_use]
    pub const fn chain(self) -> &'a Chain {
        &self.world.chain
    }

    /// How bad a number is by a rule; nothing where it is past none of its thresholds.
    #[must_use]
    pub fn grade(self, by: &RuleSpec, value: Option<f64>) -> Option<Severity> {
        self.world.rules.grade(by, value?).map(|grade| grade.severity)
    }

    /// How a rule is set for one target.
    #[must_use]
    pub fn setting(self, id: RuleId, target: &TargetId) -> RuleSetting {
        self.world.rules.on(id, &[target.as_str()])
    }

    /// How bad a number of one target is by a rule, as that is set for it.
    #[must_use]
    pub fn grade_on(self, by: &RuleSpec, target: &TargetId, value: Option<f64>) -> Option<Severity> {
        self.world.rules.grade_on(by, &[target.as_str()], value?).map(|grade| grade.severity)
    }

    /// The role of a number by a rule, whose thresholds are in the rulebook and nowhere else; `role` where it is past none.
    #[must_use]
    pub fn graded(self, by: &RuleSpec, value: Option<f64>, role: Role) -> Role {
        self.grade(by, value).map_or(role, Role::of)
    }

    /// What stands where `what` ("the job") is not there: it is being read, or it was not read when the screen was held.
    #[must_use]
    pub fn unread(self, what: &str) -> String {
        if self.live {
            return format!("reading {what}");
        }
        let at = self.now.wall.with_timezone(&self.zone).format("%H:%M:%S");
        format!("{what}: not read at {at}, and nothing more is read of a moment that is held")
    }
}

/// One screen.
pub trait Panel: Sync {
    /// Which one.
    fn screen(&self) -> Screen;
    /// Its short title for the tab line.
    fn title(&self) -> &'static str;
    /// What it answers, in one sentence for the help.
    fn help(&self) -> &'static str;
    /// What it shows below `path` (the rows that were opened, outermost first; empty for the screen itself).
    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content;
    /// What may be done to `row` (and to `marked`, when rows are marked), least harm first.
    fn offers(
        &self,
        context: PanelContext<'_>,
        path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
    ) -> Vec<Offer> {
        let _ = (context, path, row, marked);
        Vec::new()
    }
    /// What looking for a text opens from here, in the queue that is open or under the cursor; nothing where nothing can be looked for.
    fn find(&self, path: &[RowKey], row: Option<&RowKey>, text: &str) -> Option<RowKey> {
        let _ = (path, row, text);
        None
    }
    /// What comes of `text`, typed for the offer `letter` that [asks](Offer::asks) for a value.
    ///
    /// # Errors
    /// Why nothing can come of it; a value that cannot be read says which form it has.
    fn answer(
        &self,
        context: PanelContext<'_>,
        path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
        (letter, text): (char, &str),
    ) -> Result<(Action, Preview), Refusal> {
        let _ = (context, path, row, marked, letter, text);
        Err(Refusal::new("nothing is asked for here"))
    }
    /// The details that this view needs from its sources while it is on the screen.
    fn focus(&self, context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        let _ = (context, path);
        Vec::new()
    }
    /// Where opening `row` below `path` leads, when that is on another screen.
    fn jump(&self, context: PanelContext<'_>, path: &[RowKey], row: &RowKey) -> Option<Place> {
        let _ = (context, path, row);
        None
    }
    /// The rows to open, outermost first, until `row` stands on the page; none where it stands on the screen itself.
    fn way(&self, context: PanelContext<'_>, row: &RowKey) -> Vec<RowKey> {
        let _ = (context, row);
        Vec::new()
    }
    /// The address of a page elsewhere about `row`, or about what is open: a dashboard, a console.
    fn link(&self, context: PanelContext<'_>, path: &[RowKey], row: Option<&RowKey>) -> Option<String> {
        let _ = (context, path, row);
        None
    }
    /// What is copied from `row`: a pid, a query, a job id.
    fn copy(&self, context: PanelContext<'_>, path: &[RowKey], row: &RowKey) -> Option<String> {
        let _ = (context, path, row);
        None
    }
}
