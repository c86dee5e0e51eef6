//! Whether typed letters are found in a text, in order but not in a row, and how well.

/// How well a pattern is found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Higher is better.
    pub score: i32,
    /// Which characters of the text matched, from nought.
    pub at: Vec<usize>,
}

/// Looks for the letters of a pattern in a text, case ignored; blanks in the pattern are skipped.
///
/// Letters at the beginning of words and letters in a row count more, and long texts count a
/// little less. An empty pattern is found everywhere.
pub fn find(pattern: &str, text: &str) -> Option<Found> {
    let pattern: Vec<char> =
        pattern.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let letters: Vec<char> = text.chars().collect();
    let lower: Vec<char> = letters.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    if pattern.is_empty() {
        return Some(Found { score: 0, at: Vec::new() });
    }
    if pattern.len() > lower.len() {
        return None;
    }
    let bonus = |i: usize| {
        let before = i.checked_sub(1).map(|before| letters[before]);
        match before {
            None => 14,
            Some(c) if !c.is_alphanumeric() => 10,
            Some(c) if c.is_lowercase() && letters[i].is_uppercase() => 8,
            Some(_) => 0,
        }
    };
    // best[j][i]: the best score with pattern[..=j] found and its last letter at i.
    let (m, n) = (pattern.len(), lower.len());
    let mut best = vec![NEVER; m * n];
    let mut from = vec![usize::MAX; m * n];
    for j in 0..m {
        // The best end of the pattern so far before position i, less one for each letter between.
        let mut reach = (NEVER, usize::MAX);
        for i in j..n {
            if j > 0 && i > 0 {
                let candidate = best[(j - 1) * n + i - 1];
                reach.0 -= 1;
                if candidate >= reach.0 {
                    reach = (candidate, i - 1);
                }
            }
            if lower[i] != pattern[j] {
                continue;
            }
            let here = 4 + bonus(i);
            if j == 0 {
                best[i] = here - (i.min(15) as i32);
            } else {
                let row = best[(j - 1) * n + i - 1];
                let in_a_row = if row > NEVER { row + 9 + here } else { NEVER };
                let apart = if reach.0 > NEVER / 2 { reach.0 + here } else { NEVER };
                (best[j * n + i], from[j * n + i]) =
                    if in_a_row >= apart { (in_a_row, i - 1) } else { (apart, reach.1) };
            }
        }
    }
    let last = (m - 1) * n;
    let (mut i, score) = (0..n)
        .map(|i| (i, best[last + i]))
        .filter(|(_, score)| *score > NEVER / 2)
        .max_by_key(|(i, score)| (*score, std::cmp::Reverse(*i)))?;
    let mut at = vec![i];
    for j in (1..m).rev() {
        i = from[j * n + i];
        at.push(i);
    }
    at.reverse();
    Some(Found { score: score - (n / 8) as i32, at })
}

/// The score of what is not found; half the range, so that sums stay in it.
const NEVER: i32 = i32::MIN / 2;

/// The texts in which a pattern is found, best first, equals in their own order.
pub fn rank<'a>(pattern: &str, texts: impl Iterator<Item = &'a str>) -> Vec<(usize, Found)> {
    let mut found: Vec<(usize, Found)> =
        texts.enumerate().filter_map(|(i, text)| Some((i, find(pattern, text)?))).collect();
    found.sort_by_key(|(_, found)| std::cmp::Reverse(found.score));
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first<'a>(pattern: &str, texts: &[&'a str]) -> Option<&'a str> {
        rank(pattern, texts.iter().copied()).first().map(|(i, _)| texts[*i])
    }

    #[test]
    fn beginnings_of_words_and_runs_come_first() {
        assert_eq!(first("tr", &["filter rows", "entropy", "train"]), Some("train"));
        assert_eq!(first("fr", &["confirm", "filter rows"]), Some("filter rows"));
        assert_eq!(first("amo", &["a lamp is old", "credit_amount"]), Some("credit_amount"));
        assert_eq!(first("xyz", &["train"]), None);
        assert_eq!(rank("", ["b", "a"].into_iter()).len(), 2);
    }

    proptest! {
        #[test]
        fn what_is_found_spells_the_pattern(pattern in "[a-cA-C ]{0,5}", text in "[a-cA-C _表]{0,20}") {
            if let Some(found) = find(&pattern, &text) {
                let letters: Vec<char> = text.chars().collect();
                let spelt: String = found.at.iter().map(|i| letters[*i]).collect();
                let wanted: String = pattern.split_whitespace().collect();
                prop_assert_eq!(spelt.to_lowercase(), wanted.to_lowercase());
                prop_assert!(found.at.windows(2).all(|w| w[0] < w[1]));
            }
        }
    }
}
