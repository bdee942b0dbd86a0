//! Keys of detection rules: the names under which hits carry a rule from one process to another.

use event::RuleKey;
use hashbrown::HashMap;

/// Keys by the index of their rule, and the index behind each key.
#[derive(Debug, Default)]
pub(super) struct RuleKeys {
    by_index: Vec<RuleKey>,
    index_of: HashMap<RuleKey, u32>,
}

impl RuleKeys {
    /// Gives the next rule its key. Fails with the index of another rule that has that key already: then the rule must not
    /// be loaded.
    pub(super) fn add(&mut self, id: &str) -> Result<(), u32> {
        self.add_key(RuleKey::of_id(id))
    }

    fn add_key(&mut self, key: RuleKey) -> Result<(), u32> {
        if let Some(other) = self.index(key) {
            return Err(other);
        }
        self.index_of.insert(key, self.by_index.len() as u32);
        self.by_index.push(key);
        Ok(())
    }

    /// Key of the rule with this index.
    pub(super) fn key(&self, rule: u32) -> RuleKey {
        self.by_index[rule as usize]
    }

    /// Index of the rule with this key.
    #[inline]
    pub(super) fn index(&self, key: RuleKey) -> Option<u32> {
        self.index_of.get(&key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_from_ids_wherever_the_rules_stand() {
        let keys_of = |ids: [&str; 2]| {
            let mut keys = RuleKeys::default();
            ids.iter().for_each(|id| assert_eq!(keys.add(id), Ok(())));
            keys
        };
        let (one, two) = (keys_of(["a", "b"]), keys_of(["b", "a"]));
        assert_eq!((one.key(0), one.key(1)), (two.key(1), two.key(0)));
        assert_eq!((one.index(two.key(0)), two.index(one.key(0))), (Some(1), Some(1)));
        assert_eq!(one.index(RuleKey::of_id("nowhere")), None);
    }

    #[test]
    fn a_key_that_another_rule_has_is_refused() {
        let mut keys = RuleKeys::default();
        assert_eq!((keys.add_key(RuleKey(7)), keys.add_key(RuleKey(8))), (Ok(()), Ok(())));
        assert_eq!((keys.add_key(RuleKey(8)), keys.by_index.len()), (Err(1), 2));
    }
}
