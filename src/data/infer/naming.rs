//! What the name of a column tells: whether it sounds like that of an identifier.

use crate::data::Table;

/// So many columns that differ in a number alone are a family of measurements.
const FAMILY: usize = 3;

/// How much a name sounds like that of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    No,
    /// `no`, `index`, `row`: only if unique.
    Perhaps,
    /// `id`, `uuid`: also if some come twice.
    Surely,
}

/// How much the column sounds like an identifier. The numbers of a family, such as `PAY_0`,
/// `PAY_2`, `PAY_3` or `id_01` to `id_38`, are none: one row has one identifier, not several.
pub(super) fn naming(table: &Table, name: &str) -> Naming {
    match id_name(name) {
        Naming::No => Naming::No,
        _ if is_number(table, name) && n_relatives(table, name) >= FAMILY => Naming::No,
        naming => naming,
    }
}

/// How much a name alone sounds like that of an identifier.
fn id_name(name: &str) -> Naming {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            parts.push(std::mem::take(&mut part));
        }
        was_lower = c.is_lowercase();
        if c.is_alphanumeric() {
            part.extend(c.to_lowercase());
        }
    }
    parts.push(part);
    parts.retain(|p| !p.is_empty());
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Naming::No };
    if ["id", "uuid", "guid", "ids"].contains(&last.as_str()) || (first == "id" && parts.len() > 1)
    {
        return Naming::Surely;
    }
    let weak = [
        "no", "nr", "num", "number", "key", "index", "row", "rowid", "ref", "nummer", "rownames",
        "0",
    ];
    if weak.contains(&last.as_str()) || name.starts_with("column_") || name == "X" {
        return Naming::Perhaps;
    }
    Naming::No
}

/// The columns of numbers that are named like this one but for the number at the end, itself
/// included.
fn n_relatives(table: &Table, name: &str) -> usize {
    let stem = |name: &str| {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        (stem.len() < name.len()).then(|| stem.to_owned())
    };
    let Some(own) = stem(name) else { return 0 };
    let names = table.columns.iter().map(|column| column.name.as_str());
    names.filter(|name| stem(name).as_ref() == Some(&own) && is_number(table, name)).count()
}

fn is_number(table: &Table, name: &str) -> bool {
    table.frame.column(name).is_ok_and(|column| column.dtype().is_primitive_numeric())
}

#[cfg(test)]
mod tests {
    use crate::data::{Kind, OpenOptions, open_bytes};
    use crate::jobs::Ctx;

    #[test]
    fn one_of_a_numbered_family_is_no_identifier() {
        let check = |names: &str, name: &str, expected: Kind| {
            let text = format!("{names},y\n1,2,3,4,0\n2,3,4,5,1\n3,4,5,6,1\n");
            let options = OpenOptions::default();
            let table = open_bytes("t.csv", text.as_bytes(), &options, &Ctx::quiet()).unwrap();
            assert_eq!(table.column(name).unwrap().kind, expected, "{names}: {name}");
        };
        check("PAY_0,PAY_2,PAY_3,PAY_4", "PAY_0", Kind::Number);
        check("id_01,id_02,id_03,z", "id_01", Kind::Number);
        check("Unnamed: 0,PAY_0,PAY_2,PAY_3", "Unnamed: 0", Kind::Identifier);
        check("PAY_0,PAY_2,PAY_3,PAY_4", "PAY_2", Kind::Number);
        check("id_1,id_2,a,b", "id_2", Kind::Identifier);
        check("customer_id,a1,a2,a3", "customer_id", Kind::Identifier);
    }
}
