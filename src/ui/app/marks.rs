//! Marked runs: each keeps its place, and with it its colour and its sign, until it is unmarked.

use crate::train::RunId;

/// The marked runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marks(Vec<Option<RunId>>);

impl Marks {
    /// Marks a run, in the first free place, or takes its mark away.
    pub fn toggle(&mut self, id: &RunId) {
        if self.contains(id) {
            return self.forget(id);
        }
        match self.0.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(id.clone()),
            None => self.0.push(Some(id.clone())),
        }
    }

    /// Takes the mark of a run away, if it has one.
    pub fn forget(&mut self, id: &RunId) {
        for place in self.0.iter_mut().filter(|place| place.as_ref() == Some(id)) {
            *place = None;
        }
    }

    /// Whether a run is marked.
    pub fn contains(&self, id: &RunId) -> bool {
        self.place(id).is_some()
    }

    /// The place of a marked run, from 0.
    pub fn place(&self, id: &RunId) -> Option<usize> {
        self.0.iter().position(|place| place.as_ref() == Some(id))
    }

    /// The marked runs, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &RunId> {
        self.0.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_keeps_its_place_while_others_come_and_go() {
        let id = |n: &str| RunId(n.to_owned());
        let mut marks = Marks::default();
        for run in ["a", "b", "c"] {
            marks.toggle(&id(run));
        }
        marks.toggle(&id("a"));
        assert_eq!((marks.place(&id("b")), marks.place(&id("c"))), (Some(1), Some(2)));
        marks.toggle(&id("d"));
        assert_eq!(marks.place(&id("d")), Some(0));
        marks.forget(&id("b"));
        assert_eq!(marks.iter().map(|run| run.0.as_str()).collect::<String>(), "dc");
        assert!(!marks.contains(&id("b")));
    }
}
