//! What each rule means must hash to what it always has: correlation state is saved under these hashes, and a changed
//! one makes an update forget it. One rule for each variant of a test and each type of correlation.

use crate::{Terms, load};

const RULES: &str = include_str!("../../../testdata/digests.sigma");
/// `id: hash` for each rule, as the first version that saved state printed them; of the pack, whose meaning changes with the words of its
/// surroundings, as the last change of them did.
const EXPECTED: &str = include_str!("../../../testdata/digests.expected");

#[test]
fn digests_stay_what_they_were() {
    let loaded = load([("digests.sigma", RULES)], &Terms::default());
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    let found: Vec<String> = loaded.set.meanings().iter().map(|(id, hash)| format!("{id}: {hash:032x}")).collect();
    assert_eq!(found, EXPECTED.lines().collect::<Vec<_>>());
}
