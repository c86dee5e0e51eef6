//! Common given names, without accents, by which people are told from things.

/// Given names that are frequent in English, German, French or Spanish, or around the world, in
/// the order of the alphabet.
#[rustfmt::skip]
const GIVEN: &[&str] = &[
    "aaron", "adam", "adrian", "agnes", "ahmed", "aisha", "alan", "albert", "alejandro", "alessandro", "alex",
    "alexander", "alexandra", "alfred", "ali", "alice", "amanda", "amelie", "amir", "amy", "ana", "andrea",
    "andreas", "andrew", "angela", "anja", "anke", "anna", "anne", "annette", "anthony", "antoine", "antonio",
    "arthur", "astrid", "barbara", "beate", "ben", "benjamin", "bernd", "betty", "birgit", "bob", "bram",
    "brian", "britta", "bruno", "camille", "carla", "carlos", "carmen", "carol", "caroline", "charles",
    "charlotte", "chloe", "christian", "christina", "christine", "christoph", "christopher", "claire", "clara",
    "claudia", "claus", "cristina", "daniel", "daniela", "david", "deborah", "dennis", "diego", "dieter",
    "dirk", "dmitri", "donald", "donna", "doris", "edward", "elena", "elisabeth", "elizabeth", "ella", "emily",
    "emma", "eric", "erik", "esther", "eva", "fatima", "felix", "fernando", "florian", "francesca", "francesco",
    "francisco", "francois", "frank", "franz", "fritz", "gabriel", "gabriele", "george", "gerhard", "giulia",
    "giuseppe", "gloria", "guillaume", "gunter", "hannah", "hans", "harry", "hassan", "heike", "heinz", "helen",
    "helga", "helmut", "henry", "hiroshi", "horst", "hugo", "ian", "ibrahim", "ingrid", "irene", "isabel",
    "isabelle", "ivan", "jack", "jacob", "jacques", "jakob", "james", "jan", "jane", "janet", "jasmin", "jason",
    "javier", "jean", "jeffrey", "jennifer", "jens", "jessica", "joachim", "joan", "joe", "johann", "johanna",
    "john", "jonas", "jonathan", "jorg", "jorge", "jose", "joseph", "juan", "judith", "julia", "julian",
    "julie", "jurgen", "karen", "karin", "karl", "katharina", "katherine", "kathrin", "kenneth", "kevin", "kim",
    "klaus", "kurt", "larry", "lars", "laura", "lea", "lena", "leo", "leon", "lina", "linda", "lisa", "louis",
    "louise", "luca", "lucas", "lucia", "ludwig", "luis", "lukas", "manfred", "manon", "manuel", "marcel",
    "marco", "margaret", "maria", "marie", "mario", "marion", "mark", "markus", "marta", "martin", "martina",
    "mary", "matthew", "matthias", "max", "maximilian", "mehmet", "melissa", "mia", "michael", "michel",
    "michelle", "miguel", "mohamed", "mohammed", "monica", "monika", "nadine", "nancy", "natalie", "nathalie",
    "nicolas", "nicole", "nina", "noah", "norbert", "olga", "oliver", "olivia", "olivier", "pablo", "pamela",
    "patricia", "patrick", "paul", "paula", "pedro", "peter", "petra", "philip", "philipp", "pierre", "rafael",
    "rainer", "raj", "ralf", "raquel", "rebecca", "renate", "richard", "robert", "roberto", "roger", "roland",
    "ronald", "rosa", "ruth", "ryan", "sabine", "samuel", "sandra", "sara", "sarah", "scott", "sebastian",
    "sergio", "sharon", "silvia", "simon", "sofia", "sophie", "stefan", "stefanie", "stephanie", "stephen",
    "steven", "susan", "susanne", "svenja", "sylvie", "tanja", "teresa", "thierry", "thomas", "thorsten", "tim",
    "timothy", "tobias", "tom", "tomas", "udo", "ulrich", "ursula", "uwe", "valentina", "valerie", "vanessa",
    "vera", "victor", "victoria", "vincent", "vladimir", "walter", "wei", "werner", "wilhelm", "william",
    "wolfgang", "yusuf", "yves", "zoe",
];

/// Whether a word in small letters without accents is a common given name.
pub(super) fn is_given(word: &str) -> bool {
    GIVEN.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(GIVEN.is_sorted());
        assert!(is_given("anna") && !is_given("an"));
    }
}
