//! Aliases on the Serve screen: to which version one is to point, and where it pointed before.

use super::{App, Choosing, Effect, orders::ALIASES, ranked};
use crate::registry::store::{Done, Event, NamedModel};
use crate::ui::action::Action;
use crate::ui::app::{Confirmed, Overlay, Pick};
use crate::workspace::Order;

impl App {
    /// What the registry knows of a name.
    pub(super) fn named(&self, name: &str) -> Option<&NamedModel> {
        let known = self.serve.known.as_ref()?;
        known.models.iter().find(|own| own.name == name)
    }

    pub(super) fn ask_promote(&mut self) -> Vec<Effect> {
        let Some(own) = self.serve.chosen_version() else {
            return self.refuse("choose a version among the models");
        };
        let (name, version) = (own.version.name.clone(), own.version.version);
        let title = format!("Which alias is to point to version {version} of `{name}`?");
        let items = aliases(Some(own.model));
        self.pick(title, items, "champion", Pick::Serve(Choosing::Promote(name, version)));
        vec![]
    }

    pub(super) fn chose_promote(&mut self, name: &str, version: u32, alias: &str) -> Vec<Effect> {
        let now = self.named(name).and_then(|own| own.aliases.get(alias).copied());
        if now == Some(version) {
            return self.refuse(&format!("version {version} of `{name}` is its `{alias}` already"));
        }
        let order = Order::Do(Done::Promote { name: name.into(), version, alias: alias.into() });
        self.ask_alias(name, alias, order)
    }

    /// Asks why, and before that whether an alias that is not there is meant to be made.
    pub(super) fn ask_alias(&mut self, name: &str, alias: &str, order: Order) -> Vec<Effect> {
        let known = self.named(name).is_some_and(|own| own.aliases.contains_key(alias));
        if known || ALIASES.iter().any(|(own, _)| *own == alias) {
            return self.ask_why(order);
        }
        let meanings: Vec<&str> = ALIASES.iter().map(|(own, _)| *own).collect();
        self.overlays.push(Overlay::Confirm {
            title: format!("There is no alias `{alias}` yet: make it?"),
            text: format!(
                "A server gives a meaning to {} alone. Any other alias is only a word by which a \
                 request can ask for this version of `{name}`.",
                meanings.join(", ")
            ),
            then: Confirmed::Ask(Box::new(order)),
        });
        vec![]
    }

    pub(super) fn ask_rollback(&mut self) -> Vec<Effect> {
        let Some(own) = self.serve.chosen_version() else {
            return self.refuse("choose a model among the models");
        };
        let (name, none) = (own.model.name.clone(), own.model.aliases.is_empty());
        if none {
            let remedy = "{} lets one point to a version";
            return self.refuse_with("no alias points to this model", remedy, Action::Promote);
        }
        let back = self.ways_back(&name);
        match back.as_slice() {
            [] => {
                self.refuse(&format!("no alias of `{name}` has pointed to another version before"))
            }
            [(alias, ..)] => self.ask_back(name, alias),
            _ => {
                let item = |(alias, now, before): &(String, u32, u32)| {
                    (alias.clone(), format!("from version {now} back to version {before}"))
                };
                let items = back.iter().map(item).collect();
                let title = format!("Which alias of `{name}` is to point where it pointed before?");
                self.pick(title, items, "champion", Pick::Serve(Choosing::Rollback(name)));
                vec![]
            }
        }
    }

    /// Asks why an alias is to point back, and names the version.
    pub(super) fn ask_back(&mut self, name: String, alias: &str) -> Vec<Effect> {
        let back = self.ways_back(&name);
        let Some((_, now, before)) = back.into_iter().find(|(own, ..)| own == alias) else {
            return self.refuse(&format!("`{alias}` has pointed to no other version before"));
        };
        let title =
            format!("Point `{alias}` of `{name}` from version {now} back to version {before}?");
        self.ask_why_of(&title, Order::Do(Done::Rollback { name, alias: alias.to_owned() }))
    }

    /// The aliases of a name that can point back: to which version each points, and to which one
    /// it pointed before.
    fn ways_back(&self, name: &str) -> Vec<(String, u32, u32)> {
        let Some(model) = self.named(name) else { return vec![] };
        let events = self.serve.known.as_ref().map_or(&[][..], |known| known.events.as_slice());
        let back = |alias: &str| {
            let now = model.aliases.get(alias).copied()?;
            Some((alias.to_owned(), now, before(events, name, alias, now)?))
        };
        ranked(model.aliases.keys()).into_iter().filter_map(back).collect()
    }
}

/// The aliases that can be chosen, each with what it does and where it points.
pub(super) fn aliases(model: Option<&NamedModel>) -> Vec<(String, String)> {
    let now = |alias: &str| match model.map(|own| own.aliases.get(alias)) {
        Some(Some(version)) => format!("points to version {version} · "),
        Some(None) => "points nowhere yet · ".to_owned(),
        None => String::new(),
    };
    let known = ALIASES
        .iter()
        .map(|(alias, about)| ((*alias).to_owned(), format!("{}{about}", now(alias))));
    let others = model.into_iter().flat_map(|own| own.aliases.keys());
    let others = others.filter(|alias| !ALIASES.iter().any(|(own, _)| own == alias));
    let others = others.map(|alias| (alias.clone(), format!("{}a word to ask for it", now(alias))));
    known.chain(others).collect()
}

/// Where an alias pointed before it pointed to this version, by what was decided, newest first.
fn before(events: &[Event], name: &str, alias: &str, now: u32) -> Option<u32> {
    let moved = events.iter().filter(|own| own.model == name && own.subject == alias);
    let moved =
        moved.filter(|own| matches!(own.action.as_str(), "promote" | "rollback" | "remove alias"));
    let version = |own: &Event| own.before["version"].as_u64()?.try_into().ok();
    moved.filter_map(version).find(|version| *version != now)
}
