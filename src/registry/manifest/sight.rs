//! The stored form of what a network looks at.

use serde::{Deserialize, Serialize};

use super::number::Exact;
use crate::features::sight::{
    Along, Change, Channel, FittedChannel, FittedSight, InputKind, Layout,
};

#[derive(Serialize, Deserialize)]
struct StoredChannel {
    name: String,
    columns: Vec<String>,
    change: String,
    offset: Exact,
    scale: Exact,
    fill: Exact,
}

#[derive(Serialize, Deserialize)]
struct StoredAlong {
    time: String,
    group: Option<String>,
    stride: usize,
}

#[derive(Serialize, Deserialize)]
struct StoredSpecial {
    column: String,
    codes: Vec<String>,
}

/// A fitted sight, every number exact.
#[derive(Serialize, Deserialize)]
pub(in crate::registry) struct StoredSight {
    input: String,
    height: usize,
    width: usize,
    channels: Vec<StoredChannel>,
    statics: Vec<String>,
    along: Option<StoredAlong>,
    notes: Vec<String>,
    special: Vec<StoredSpecial>,
}

impl From<&FittedSight> for StoredSight {
    fn from(sight: &FittedSight) -> Self {
        let layout = &sight.layout;
        let channel = |(channel, of): (&Channel, &FittedChannel)| StoredChannel {
            name: channel.name.clone(),
            columns: channel.columns.clone(),
            change: channel.change.word().into(),
            offset: Exact(of.offset),
            scale: Exact(of.scale),
            fill: Exact(of.fill),
        };
        let along = |along: &Along| StoredAlong {
            time: along.time.clone(),
            group: along.group.clone(),
            stride: along.stride,
        };
        let special = |(column, codes): &(String, Vec<String>)| StoredSpecial {
            column: column.clone(),
            codes: codes.clone(),
        };
        Self {
            input: layout.kind.word().into(),
            height: layout.height,
            width: layout.width,
            channels: layout.channels.iter().zip(&sight.channels).map(channel).collect(),
            statics: layout.statics.clone(),
            along: layout.along.as_ref().map(along),
            notes: layout.notes.clone(),
            special: sight.special.iter().map(special).collect(),
        }
    }
}

impl StoredSight {
    /// The sight, checked to fit together.
    pub(in crate::registry) fn into_sight(self) -> Result<FittedSight, String> {
        let known = |word: &str| format!("`{word}` in what it looks at is not known");
        let kind = InputKind::ALL.iter().find(|(_, word)| *word == self.input);
        let kind = kind.map(|(kind, _)| *kind).filter(|kind| *kind != InputKind::Auto);
        let kind = kind.ok_or_else(|| known(&self.input))?;
        let cells = self.height.checked_mul(self.width).filter(|cells| *cells > 0);
        let columns = if kind == InputKind::Windows { Some(1) } else { cells };
        let (mut channels, mut fitted) = (Vec::new(), Vec::new());
        for stored in self.channels {
            let change = Change::ALL.iter().find(|(_, word)| *word == stored.change);
            let change = change.ok_or_else(|| known(&stored.change))?.0;
            if columns != Some(stored.columns.len()) {
                return Err(format!(
                    "its channel `{}` has too few or too many columns",
                    stored.name
                ));
            }
            channels.push(Channel { name: stored.name, columns: stored.columns, change });
            fitted.push(FittedChannel {
                offset: stored.offset.0,
                scale: stored.scale.0,
                fill: stored.fill.0,
            });
        }
        let along = self.along.map(|along| Along {
            time: along.time,
            group: along.group,
            stride: along.stride,
        });
        if along.is_some() != (kind == InputKind::Windows) || cells.is_none() {
            return Err("the parts of what it looks at do not fit together".into());
        }
        Ok(FittedSight {
            layout: Layout {
                kind,
                height: self.height,
                width: self.width,
                channels,
                statics: self.statics,
                along,
                notes: self.notes,
            },
            channels: fitted,
            special: self.special.into_iter().map(|s| (s.column, s.codes)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows() -> FittedSight {
        let channel = |name: &str, change| Channel {
            name: name.into(),
            columns: vec!["close".into()],
            change,
        };
        FittedSight {
            layout: Layout {
                kind: InputKind::Windows,
                height: 1,
                width: 20,
                channels: vec![
                    channel("close return", Change::Return),
                    channel("close log_change", Change::LogChange),
                    channel("close difference", Change::Difference),
                    channel("close", Change::Level),
                ],
                statics: vec!["sector".into()],
                along: Some(Along { time: "day".into(), group: Some("share".into()), stride: 2 }),
                notes: vec!["a row stands for the 20 rows up to it".into()],
            },
            channels: [0.1 + 0.2, 1e-300, -1.0 / 3.0, f64::MAX]
                .map(|number| FittedChannel { offset: number, scale: 1.0 / 7.0, fill: -number })
                .to_vec(),
            special: vec![("close".into(), vec!["-999".into()])],
        }
    }

    fn image() -> FittedSight {
        let mut sight = windows();
        sight.layout.kind = InputKind::Image;
        (sight.layout.height, sight.layout.width, sight.layout.along) = (2, 2, None);
        sight.layout.channels.truncate(1);
        sight.layout.channels[0].columns = ["p0", "p1", "p2", "p3"].map(str::to_owned).to_vec();
        sight.channels.truncate(1);
        sight
    }

    fn stored(sight: &FittedSight) -> Result<FittedSight, String> {
        let text = serde_json::to_string(&StoredSight::from(sight)).unwrap();
        serde_json::from_str::<StoredSight>(&text).unwrap().into_sight()
    }

    #[test]
    fn what_a_network_looks_at_is_read_back_bit_for_bit() {
        for sight in [windows(), image()] {
            assert_eq!(stored(&sight), Ok(sight));
        }
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        let mut torn = image();
        torn.layout.channels[0].columns.pop();
        assert!(stored(&torn).unwrap_err().contains("too few or too many columns"));
        let mut torn = windows();
        torn.layout.along = None;
        assert!(stored(&torn).unwrap_err().contains("do not fit together"));
        let mut torn = image();
        torn.layout.height = usize::MAX;
        assert!(stored(&torn).is_err());
    }
}
