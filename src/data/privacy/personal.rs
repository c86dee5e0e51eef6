//! Which sort of personal data a column holds.

use super::values::{
    has_email, has_given_name, has_house_number, is_card, is_full_name, is_iban, is_like_a_name,
    is_street, is_written_phone, may_be_phone,
};
use crate::data::Personal;

const PHONE: &[&str] = &[
    "phone",
    "telephone",
    "telefon",
    "tel",
    "mobile",
    "handy",
    "fax",
    "cell",
    "cellphone",
    "rufnummer",
    "telefonnummer",
    "telefono",
    "movil",
    "portable",
    "phonenumber",
    "mobil",
];
const CARD: &[&str] =
    &["card", "creditcard", "pan", "kreditkarte", "kartennummer", "tarjeta", "carte"];
const ADDRESS: &[&str] = &[
    "address",
    "addr",
    "adresse",
    "anschrift",
    "street",
    "strasse",
    "direccion",
    "domicilio",
    "rue",
    "calle",
    "wohnort",
    "streetaddress",
    "residence",
];
/// Words that say by themselves that a person is named.
const PERSON_NAME: &[&str] = &[
    "surname",
    "firstname",
    "lastname",
    "fullname",
    "forename",
    "vorname",
    "nachname",
    "familienname",
    "kundenname",
    "prenom",
    "apellido",
    "apellidos",
    "nombre",
    "nombres",
    "maiden",
];
/// Words for people: `customer` may hold names, and `customer_name` does.
const PERSON: &[&str] = &[
    "customer",
    "client",
    "kunde",
    "kundin",
    "borrower",
    "applicant",
    "person",
    "holder",
    "owner",
    "employee",
    "contact",
    "cliente",
    "titulaire",
    "titular",
    "antragsteller",
    "mitarbeiter",
    "guarantor",
    "patient",
    "user",
    "cardholder",
    "payer",
    "payee",
    "beneficiary",
    "spouse",
];
/// Words that make a `name` one of a person.
const WHOSE: &[&str] =
    &["first", "last", "given", "family", "full", "middle", "sur", "legal", "birth"];

/// The sort of personal data among these values of a column with these words in its name.
pub(super) fn find(words: &[String], values: &[String]) -> Option<Personal> {
    if values.is_empty() {
        return None;
    }
    let named = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let share =
        |is: fn(&str) -> bool| values.iter().filter(|v| is(v)).count() as f64 / values.len() as f64;
    let many = values.len() >= 3;
    // An address of e-mail is so unlike anything else that a few are enough.
    if share(has_email) >= 0.05 {
        return Some(Personal::Email);
    }
    if share(is_iban) >= if named(&["iban"]) { 0.1 } else { 0.3 } {
        return Some(Personal::Iban);
    }
    // One number in ten has the checksum of a card by chance.
    if share(is_card) >= if named(CARD) { 0.5 } else { 0.8 } && (many || named(CARD)) {
        return Some(Personal::Card);
    }
    if share(is_written_phone) >= 0.8 && many || named(PHONE) && share(may_be_phone) >= 0.3 {
        return Some(Personal::Phone);
    }
    if share(is_street) >= 0.5 && many || named(ADDRESS) && share(has_house_number) >= 0.5 {
        return Some(Personal::Address);
    }
    let is_name = (named(PERSON_NAME) && share(is_like_a_name) >= 0.5 && has_variety(values))
        || (named(&["name", "nom"]) && named(WHOSE) && share(is_like_a_name) >= 0.5)
        || (named(&["name", "nom"]) && named(PERSON) && share(is_like_a_name) >= 0.5)
        || (words.len() == 1
            && named(&["name", "names", "nom"])
            && share(has_given_name) >= 0.1
            && share(is_like_a_name) >= 0.5)
        || (named(PERSON) && share(has_given_name) >= 0.2 && share(is_like_a_name) >= 0.5)
        || (share(is_full_name) >= 0.4 && many && has_variety(values));
    is_name.then_some(Personal::Name)
}

/// Whether the values are too many different ones to be a few levels.
fn has_variety(values: &[String]) -> bool {
    let distinct: std::collections::HashSet<&str> = values.iter().map(String::as_str).collect();
    distinct.len() > 20 || distinct.len() * 2 > values.len()
}
