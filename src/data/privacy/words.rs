//! The words in a column's name, without case, accents and punctuation.

/// The words of a name: `CustomerFirst_Name2` has `customer`, `first` and `name`.
pub(super) fn split(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_was_lower = false;
    for c in name.chars() {
        if c.is_alphabetic() {
            if before_was_lower && c.is_uppercase() {
                words.push(String::new());
            }
            before_was_lower = c.is_lowercase();
            words.last_mut().expect("there is always a word").push_str(&fold(c));
        } else {
            before_was_lower = false;
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A text in small letters without accents.
pub(super) fn plain(text: &str) -> String {
    text.trim().chars().map(fold).collect()
}

/// A letter as one would write it on a plain keyboard: `Ä` is `a`, `ß` is `ss`.
fn fold(c: char) -> String {
    let folded = match c {
        'ä' | 'Ä' | 'á' | 'Á' | 'à' | 'À' | 'â' | 'Â' | 'å' | 'Å' | 'ã' => "a",
        'é' | 'É' | 'è' | 'È' | 'ê' | 'Ê' | 'ë' => "e",
        'í' | 'Í' | 'ì' | 'î' | 'Î' | 'ï' => "i",
        'ö' | 'Ö' | 'ó' | 'Ó' | 'ò' | 'ô' | 'Ô' | 'õ' | 'ø' | 'Ø' => "o",
        'ü' | 'Ü' | 'ú' | 'Ú' | 'ù' | 'û' => "u",
        'ñ' | 'Ñ' => "n",
        'ç' | 'Ç' => "c",
        'ß' => "ss",
        other => return other.to_lowercase().collect(),
    };
    folded.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_falls_into_words() {
        assert_eq!(split("CustomerFirst_Name2"), ["customer", "first", "name"]);
        assert_eq!(split("AGE"), ["age"]);
        assert_eq!(split("native-country"), ["native", "country"]);
        assert_eq!(split("Straße"), ["strasse"]);
        assert_eq!(split("Staatsangehörigkeit"), ["staatsangehorigkeit"]);
        assert!(split("12").is_empty());
    }
}
