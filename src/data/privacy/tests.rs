use super::*;
use crate::data::testing::{sample, table};
use crate::data::{Personal, Protected};

fn marked(csv: &str) -> Table {
    let mut table = table(csv);
    mark(&mut table);
    table
}

/// A column of one name and many values.
fn column(name: &str, values: &[&str]) -> Table {
    let lines = values.iter().map(|v| format!("\"{v}\",1\n")).collect::<Vec<_>>().concat();
    marked(&format!("{name},x\n{lines}"))
}

#[test]
fn personal_data_are_found_by_value_whatever_the_column_is_called() {
    let check = |values: &[&str], expected| {
        let table = column("field_7", values);
        assert_eq!(table.columns[0].personal, Some(expected), "{values:?}");
        assert_eq!(table.columns[0].role, Role::Ignored);
        assert_eq!(table.columns[1].personal, None);
    };
    check(&["anna@example.com", "b.c@example.org", ""], Personal::Email);
    check(&["+49 30 123456", "+44 20 7946 0000", "+1 555 123 4567"], Personal::Phone);
    check(&["4111111111111111", "5500005555555559", "4000000000000002"], Personal::Card);
    check(&["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19"], Personal::Iban);
    check(&["Hauptstr. 5", "Am Weg 12", "Berliner Allee 7a"], Personal::Address);
    check(&["Anna Schmidt", "Peter Müller", "John Smith", "Maria Garcia"], Personal::Name);
}

#[test]
fn a_name_helps_where_values_alone_do_not_tell() {
    let check = |name: &str, values: &[&str], expected| {
        assert_eq!(column(name, values).columns[0].personal, expected, "{name} {values:?}");
    };
    check("phone", &["030 123456", "0171 998877"], Some(Personal::Phone));
    check("mobile_no", &["5551234567", "5559876543"], Some(Personal::Phone));
    check("amount", &["5551234567", "5559876543"], None);
    check("nachname", &["Schmidt", "Öztürk", "Weiß"], Some(Personal::Name));
    check("customer_name", &["Schmidt GmbH", "Weiß"], Some(Personal::Name));
    check("Kunde", &["Anna", "Peter", "Kilian"], Some(Personal::Name));
    check("name", &["Anna", "Zoe", "Mia"], Some(Personal::Name));
    check("name", &["Chardonnay", "Merlot", "Riesling"], None);
    check("product_name", &["Basic Loan", "Gold Card", "Basic Loan"], None);
    check("address", &["Lindenhof 3", "Markt 17"], Some(Personal::Address));
    check("card_number", &["4111-1111-1111-1111"], Some(Personal::Card));
}

#[test]
fn what_only_sounds_personal_is_left_alone() {
    let check = |name: &str, values: &[&str]| {
        assert_eq!(column(name, values).columns[0].personal, None, "{name} {values:?}");
    };
    check("telephone", &["yes, registered under the customer name", "none", "none"]);
    check("contact", &["cellular", "unknown", "telephone"]);
    check("Job", &["Manager", "Blue-Collar", "Admin"]);
    check("Status", &["Good", "Bad", "Good"]);
    check("addr_state", &["CT", "MN", "CA"]);
    check("customer_id", &["100200300", "100200301", "100200302"]);
    check("credit_amount", &["1169", "5951", "2096"]);
    check("timestamp", &["1700000000000", "1700000000017", "1700000000034"]);
    check("date", &["2024-12-31", "2024-11-30", "2024-10-31"]);
    check("month", &["Jan", "Mar", "May"]);
    check("card_type", &["Visa", "Mastercard", "Visa"]);
    check("surname_length", &["4", "7", "5"]);
}

#[test]
fn protected_attributes_are_known_in_several_languages() {
    let check = |names: &[&str], expected| {
        for name in names {
            let table = marked(&format!("{name},x\n1,2\n3,4\n"));
            assert_eq!(table.columns[0].protected, expected, "{name}");
            assert_eq!(table.columns[0].role, Role::Feature, "{name}");
        }
    };
    let (sex, age) = (Some(Protected::Sex), Some(Protected::Age));
    check(&["sex", "Gender", "Geschlecht", "sexe", "personal_status_sex", "CODE_GENDER"], sex);
    check(
        &["age", "Age", "age_years", "customerAge", "Alter", "edad", "date_of_birth", "DAYS_BIRTH"],
        age,
    );
    let nationality = Some(Protected::Nationality);
    check(
        &[
            "nationality",
            "foreign_worker",
            "native-country",
            "country_of_birth",
            "Staatsangehörigkeit",
        ],
        nationality,
    );
    let marital = Some(Protected::MaritalState);
    check(
        &["Marital", "marital_status", "Familienstand", "civil_status", "NAME_FAMILY_STATUS"],
        marital,
    );
    check(&["race", "Religion", "ethnicity", "disability", "pregnant"], Some(Protected::Other));
    check(
        &[
            "account_age",
            "car_age",
            "average",
            "agency",
            "loan_age_months",
            "foreign_currency",
            "trace",
            "status",
            "Alternative",
            "page",
            "essex",
            "financial_health",
            "mortgage",
        ],
        None,
    );
}

#[test]
fn levels_tell_of_sex_and_marital_state() {
    let check = |values: &[&str], expected| {
        assert_eq!(column("x7", values).columns[0].protected, expected, "{values:?}");
    };
    check(&["M", "F", "F"], Some(Protected::Sex));
    check(&["männlich", "weiblich", "unbekannt"], Some(Protected::Sex));
    check(&["married", "single", "divorced"], Some(Protected::MaritalState));
    check(&["yes", "no", "yes"], None);
    check(&["S", "M", "L"], None);
}

#[test]
fn the_samples_hold_no_personal_data_and_their_protected_attributes_are_named() {
    let expected: &[(&str, &[(&str, Protected)])] = &[
        (
            "german_credit.csv",
            &[
                ("personal_status_sex", Protected::Sex),
                ("age_years", Protected::Age),
                ("foreign_worker", Protected::Nationality),
            ],
        ),
        ("credit_missing.csv", &[("Age", Protected::Age), ("Marital", Protected::MaritalState)]),
        ("bank_marketing.csv", &[("age", Protected::Age), ("marital", Protected::MaritalState)]),
        ("diabetes.csv", &[("age", Protected::Age), ("sex", Protected::Sex)]),
        ("lending_club.csv", &[]),
        ("credit_data.txt", &[]),
    ];
    for (file, protected) in expected {
        let mut table = sample(file);
        mark(&mut table);
        for column in &table.columns {
            assert_eq!(column.personal, None, "{file} {}", column.name);
        }
        let found: Vec<_> = table
            .columns
            .iter()
            .filter_map(|c| c.protected.map(|p| (c.name.as_str(), p)))
            .collect();
        assert_eq!(found, *protected, "{file}");
    }
}
