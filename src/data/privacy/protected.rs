//! Which attribute that the law protects a column tells of a person.

use crate::data::Protected;

/// Words that name an attribute by themselves; the first row that fits decides, so that
/// `country_of_birth` is a place and `date_of_birth` an age.
const WORDS: &[(Protected, &[&str])] = &[
    (
        Protected::Sex,
        &[
            "sex",
            "gender",
            "geschlecht",
            "sexe",
            "sexo",
            "genero",
            "male",
            "female",
            "mannlich",
            "weiblich",
            "ismale",
            "isfemale",
        ],
    ),
    (
        Protected::Nationality,
        &[
            "nationality",
            "citizenship",
            "citizen",
            "staatsangehorigkeit",
            "staatsburgerschaft",
            "nationalitat",
            "nationalite",
            "nacionalidad",
            "ciudadania",
            "citoyennete",
            "herkunft",
            "herkunftsland",
            "geburtsland",
            "geburtsort",
            "birthplace",
            "birthcountry",
            "foreigner",
            "auslander",
            "immigrant",
            "migrant",
            "foreignworker",
            "extranjero",
            "etranger",
        ],
    ),
    (
        Protected::Other,
        &[
            "race",
            "caste",
            "rasse",
            "raza",
            "ethnie",
            "ethnicity",
            "ethnic",
            "etnia",
            "religion",
            "religious",
            "religione",
            "konfession",
            "sexual",
            "disability",
            "disabled",
            "handicap",
            "handicapped",
            "behinderung",
            "discapacidad",
            "invalidite",
            "health",
            "gesundheit",
            "sante",
            "salud",
            "pregnant",
            "pregnancy",
            "schwanger",
            "embarazada",
            "enceinte",
            "veteran",
            "hautfarbe",
        ],
    ),
    (
        Protected::MaritalState,
        &[
            "marital",
            "married",
            "maritalstatus",
            "marriage",
            "familienstand",
            "divorced",
            "matrimonial",
            "civilstatus",
            "zivilstand",
        ],
    ),
    (
        Protected::Age,
        &[
            "age",
            "ages",
            "alter",
            "edad",
            "dob",
            "birth",
            "birthdate",
            "birthday",
            "birthyear",
            "dateofbirth",
            "geburtsdatum",
            "geburtsjahr",
            "geburtstag",
            "naissance",
            "nacimiento",
            "agegroup",
            "ageyears",
            "ageinyears",
            "alterskategorie",
            "altersgruppe",
        ],
    ),
];

/// Words that name an attribute only side by side.
const PAIRS: &[(Protected, &[&str], &[&str])] = &[
    (
        Protected::Nationality,
        &["foreign", "native", "birth", "origin", "naissance", "nacimiento", "national"],
        &[
            "worker", "country", "place", "born", "national", "citizen", "land", "pays", "pais",
            "lieu", "lugar", "origin",
        ],
    ),
    (
        Protected::MaritalState,
        &["personal", "family", "civil", "marital", "familiale", "familial", "estado"],
        &["status", "state", "situation", "civil", "etat"],
    ),
];

/// Words beside which an age is that of a thing, and health that of a business.
const THINGS: &[&str] = &[
    "account",
    "loan",
    "car",
    "vehicle",
    "auto",
    "policy",
    "property",
    "building",
    "house",
    "home",
    "company",
    "business",
    "firm",
    "trade",
    "file",
    "oldest",
    "newest",
    "machine",
    "equipment",
    "asset",
    "contract",
    "relationship",
    "membership",
    "job",
    "invoice",
    "debt",
    "device",
    "konto",
    "kredit",
    "fahrzeug",
    "vertrag",
    "gebaude",
    "receivable",
    "line",
    "record",
    "financial",
    "credit",
    "employment",
    "bond",
    "model",
];

/// Levels that only the attribute has.
const LEVELS: &[(Protected, &[&str])] = &[
    (
        Protected::Sex,
        &[
            "male",
            "female",
            "man",
            "woman",
            "mannlich",
            "weiblich",
            "homme",
            "femme",
            "hombre",
            "mujer",
            "masculino",
            "femenino",
            "mann",
            "frau",
            "non-binary",
            "divers",
            "m",
            "f",
            "w",
        ],
    ),
    (
        Protected::MaritalState,
        &[
            "married",
            "divorced",
            "widowed",
            "widow",
            "separated",
            "verheiratet",
            "geschieden",
            "verwitwet",
            "ledig",
            "marie",
            "divorce",
            "veuf",
            "celibataire",
            "casado",
            "divorciado",
            "viudo",
            "soltero",
            "single",
            "never-married",
            "husband",
            "wife",
        ],
    ),
];

/// The protected attribute that the words of a name tell of, or else the levels (in small letters
/// and without accents).
pub(super) fn find(words: &[String], levels: &[String]) -> Option<Protected> {
    by_name(words).or_else(|| by_levels(levels))
}

fn by_name(words: &[String]) -> Option<Protected> {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(&["sex", "gender", "geschlecht", "sexe", "sexo"]) {
        return Some(Protected::Sex);
    }
    for (attribute, left, right) in PAIRS {
        let is_pair = words.iter().enumerate().any(|(i, word)| {
            let others = || words.iter().enumerate().filter(move |(j, _)| *j != i);
            left.contains(&word.as_str()) && others().any(|(_, w)| right.contains(&w.as_str()))
        });
        if is_pair {
            return Some(*attribute);
        }
    }
    let found = WORDS.iter().find(|(_, list)| has(list)).map(|(attribute, _)| *attribute)?;
    let of_a_thing = matches!(found, Protected::Age | Protected::Other) && has(THINGS);
    (!of_a_thing).then_some(found)
}

/// Two to eight levels of which all but one are known, and not just letters.
fn by_levels(levels: &[String]) -> Option<Protected> {
    if !(2..=8).contains(&levels.len()) {
        return None;
    }
    let fits = |known: &[&str]| {
        let n = levels.iter().filter(|level| known.contains(&level.as_str())).count();
        n >= 2 && n + 1 >= levels.len()
    };
    LEVELS.iter().find(|(_, known)| fits(known)).map(|(attribute, _)| *attribute)
}
