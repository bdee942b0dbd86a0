//! What a model wrote is shown only where the facts bear it out. Every sentence is checked by itself: what it cites,
//! every placeholder, number and word in it. The check trusts nothing but the fact sheet.

use std::collections::BTreeSet;

use event::summary::{Fact, FactSheet, Sentence, Summary};
use serde::Deserialize;

/// Longest sentence, in characters.
const SENTENCE_CHARS_MAX: usize = 400;
const SENTENCES_MAX: usize = 12;
/// Share of sentences that must stand; else the template is shown.
const STANDING_SHARE: f64 = 0.6;
/// Facts that a summary must not leave out.
const TOP_FACTS: usize = 3;

/// Words that say nothing by themselves. All others must stand in the cited facts.
const NEUTRAL: &str = "a all an and at by each for from in is it its of on or per the to out about accounts accumulated activity address addresses affecting after again against alert \
    alerts also amount amounts analysis associated attempt attempts based been before being between both cited \
    combined count counts covering detected detection during each event events following follows from further \
    happened have having host hosts identified incident incidents including indicated indicates indicating involved \
    involving into more most multiple name named names noted observed occurred occurring once only originating other \
    over overall period present recorded regarding related relating report reported reports rules same seen sequence \
    several severity shows since source sources span spanning summary system takes that their them there these they \
    this those time times together total triggered under user users using was were what when where which while with within";

/// What the model answers, after the schema.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) headline: String,
    pub(crate) sentences: Vec<Sentence>,
}

/// Why a sentence does not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    Length,
    Citation,
    Placeholder,
    Number,
    Word,
    Markup,
}

impl Doubt {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Doubt::Length => "length",
            Doubt::Citation => "citation",
            Doubt::Placeholder => "placeholder",
            Doubt::Number => "number",
            Doubt::Word => "word",
            Doubt::Markup => "markup",
        }
    }
}

/// The summary in the model's words, as far as they stand; `None` where too little does.
pub(crate) fn verified(sheet: &FactSheet, answer: Answer, model: &str) -> Option<Summary> {
    let given = answer.sentences.len().min(SENTENCES_MAX);
    let mut dropped = u32::try_from(answer.sentences.len() - given).unwrap_or(u32::MAX);
    let mut sentences = Vec::new();
    for sentence in answer.sentences.into_iter().take(SENTENCES_MAX) {
        match check(sheet, &sentence.text, &sentence.facts) {
            Ok(()) => {
                metrics::counter!("llm_sentences_total", "verdict" => "kept", "reason" => "").increment(1);
                sentences.push(Sentence { text: sheet.filled(&sentence.text), facts: sentence.facts });
            }
            Err(doubt) => {
                metrics::counter!("llm_sentences_total", "verdict" => "dropped", "reason" => doubt.name()).increment(1);
                tracing::debug!(reason = doubt.name(), "a sentence of the model was dropped");
                dropped += 1;
            }
        }
    }
    if given == 0 || (sentences.len() as f64) < STANDING_SHARE * given as f64 {
        return None;
    }
    // A headline rests on one fact: out of several a false one could be put together.
    let stands = sheet.facts.iter().any(|fact| check(sheet, &answer.headline, std::slice::from_ref(&fact.id)).is_ok());
    let headline = if stands { sheet.filled(&answer.headline) } else { sheet.headline() };
    // What matters most is said, whatever the model left out.
    for fact in sheet.facts.iter().take(TOP_FACTS) {
        if !sentences.iter().any(|sentence| sentence.facts.contains(&fact.id)) {
            sentences.push(sheet.sentence(fact));
        }
    }
    Some(Summary {
        headline,
        sentences,
        source: "llm".to_owned(),
        model: Some(model.to_owned()),
        dropped_sentences: dropped,
        facts: sheet.filled_facts(),
    })
}

fn check(sheet: &FactSheet, text: &str, cited: &[String]) -> Result<(), Doubt> {
    let length = text.chars().count();
    if length == 0 || length > SENTENCE_CHARS_MAX {
        return Err(Doubt::Length);
    }
    let facts: Vec<&Fact> = sheet.facts.iter().filter(|fact| cited.contains(&fact.id)).collect();
    if facts.is_empty() || cited.iter().any(|id| !sheet.facts.iter().any(|fact| fact.id == *id)) {
        return Err(Doubt::Citation);
    }
    let allowed: BTreeSet<&str> = facts.iter().flat_map(|fact| placeholders(&fact.text)).collect();
    if !is_balanced(text) || placeholders(text).any(|name| !allowed.contains(name)) {
        return Err(Doubt::Placeholder);
    }
    let plain = without_placeholders(text);
    if plain.chars().any(|character| !character.is_ascii() || "<>[]|`*_'#~\\/@$%&=+^\"".contains(character)) {
        return Err(Doubt::Markup);
    }
    // What came after what is told in the order of the fact.
    for fact in facts.iter().filter(|fact| fact.text.contains("followed by")) {
        let places: Vec<usize> =
            placeholders(&fact.text).filter_map(|name| text.find(&format!("{{{name}}}"))).collect();
        if !places.is_sorted() {
            return Err(Doubt::Placeholder);
        }
    }
    let said: String = facts.iter().map(|fact| without_placeholders(&fact.text) + " ").collect();
    if !counts_are_told(&facts, &plain) {
        return Err(Doubt::Number);
    }
    if !severities_are_told(&facts, &plain) {
        return Err(Doubt::Word);
    }
    let known: BTreeSet<String> = words(&said).chain(words(NEUTRAL)).map(|word| stem(&word)).collect();
    if words(&plain).any(|word| !known.contains(&stem(&word))) {
        return Err(Doubt::Word);
    }
    // A word of few letters can turn a sentence round.
    if words(&plain).any(|word| matches!(word.as_str(), "no" | "not" | "none" | "nor" | "never" | "un" | "non")) {
        return Err(Doubt::Word);
    }
    if !entities_keep_their_role(&facts, text) {
        return Err(Doubt::Placeholder);
    }
    if !reads_well(text) {
        return Err(Doubt::Word);
    }
    Ok(())
}

/// Every number with what it counts: the word behind it (`5 events`), else the word before it (`severity P1`).
fn counts(text: &str) -> Vec<(&str, Option<String>, Option<String>)> {
    let bare = |token: &'_ str| -> Option<std::ops::Range<usize>> {
        let start = token.find(|character: char| character.is_ascii_alphanumeric())?;
        let end = token.rfind(|character: char| character.is_ascii_alphanumeric())? + 1;
        Some(start..end)
    };
    let tokens: Vec<&str> =
        text.split_ascii_whitespace().filter_map(|token| bare(token).map(|range| &token[range])).collect();
    let is_number = |token: &str| token.contains(|character: char| character.is_ascii_digit());
    let word = |at: Option<usize>| {
        let token = tokens.get(at?).filter(|token| !is_number(token))?;
        Some(stem(&token.to_ascii_lowercase()))
    };
    let numbers = tokens.iter().enumerate().filter(|(_, token)| is_number(token));
    numbers.map(|(at, token)| (*token, word(at.checked_sub(1)), word(Some(at + 1)))).collect()
}

/// Whether the sentence counts what a cited fact counts: a number keeps its noun.
fn counts_are_told(facts: &[&Fact], plain: &str) -> bool {
    let said: Vec<String> = facts.iter().map(|fact| without_placeholders(&fact.text)).collect();
    let told: Vec<_> = said.iter().flat_map(|text| counts(text)).collect();
    counts(plain).iter().all(|(number, before, behind)| {
        told.iter().any(|(known, known_before, counted)| {
            known == number && if counted.is_some() { counted == behind } else { known_before == before }
        })
    })
}

/// Every entity with the words before it, the nearest first, where no punctuation parts them.
fn roles(text: &str) -> Vec<(&str, Vec<String>)> {
    let ends = |at: usize| Some((at, at + text[at..].find('}')? + 1));
    let parts = text.match_indices('{').filter_map(|(at, _)| ends(at));
    let role = |(start, end): (usize, usize)| {
        let before =
            text[..start].rsplit(|character: char| !character.is_ascii_alphabetic() && character != ' ').next();
        let words = before.unwrap_or_default().split_ascii_whitespace().rev().map(str::to_ascii_lowercase);
        (&text[start..end], words.collect())
    };
    parts.map(role).collect()
}

/// Whether each entity stands behind the word that it has in a cited fact, or behind one that only says what it is: an
/// address that something came from must not become one that something went to.
fn entities_keep_their_role(facts: &[&Fact], text: &str) -> bool {
    let told: Vec<_> = facts.iter().flat_map(|fact| roles(&fact.text)).collect();
    roles(text).into_iter().all(|(name, before)| {
        let Some(word) = before.first() else { return true };
        let kind = name.trim_matches(|character: char| !character.is_ascii_alphabetic());
        let nouns = match kind {
            "rule" => &["rule", "rules", "matching", "matched", "and", "the"][..],
            "ip" => &["address", "addresses", "and"],
            "user" => &["account", "accounts", "user", "users", "and"],
            "host" => &["host", "hosts", "and"],
            "technique" => &["technique", "techniques", "and"],
            _ => &[],
        };
        let is_noun = |word: &String| nouns.contains(&word.as_str()) || word == "the";
        // `by the rule {rule1}` gives it the role `by` as well.
        let nouns_before = |known: &[String]| known.iter().take_while(|one| is_noun(one)).count();
        nouns.contains(&word.as_str())
            || told.iter().any(|(known, words)| {
                *known == name && words.iter().take(nouns_before(words) + 1).any(|one| one == word)
            })
    })
}

/// Whether it reads like a sentence, as far as words that join others tell: none twice, no two prepositions in a row, and
/// an end that is none of them.
fn reads_well(text: &str) -> bool {
    let tokens: Vec<String> = text
        .split_ascii_whitespace()
        .map(|token| token.trim_end_matches(['.', ',', ';', ':']).to_ascii_lowercase())
        .collect();
    let is_preposition = |word: &String| {
        matches!(word.as_str(), "of" | "on" | "from" | "for" | "in" | "with" | "by" | "to" | "at" | "between")
    };
    let is_article = |word: &String| matches!(word.as_str(), "a" | "an" | "the");
    let leads_on = |word: &String| is_preposition(word) || is_article(word);
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    let ends_well = |last: &String| !leads_on(last) && !matches!(last.as_str(), "and" | "was" | "were");
    pairs.into_iter().all(|(one, next)| one != next && !(leads_on(one) && is_preposition(next)))
        && tokens.last().is_some_and(ends_well)
}

/// Whether severities in the sentence are not mixed up: facts of different severity are told apart.
fn severities_are_told(facts: &[&Fact], plain: &str) -> bool {
    let is_severity = |word: &String| matches!(word.as_str(), "critical" | "high" | "medium" | "low");
    let known: BTreeSet<String> = facts.iter().flat_map(|fact| words(&fact.text).filter(is_severity)).collect();
    let mut told = words(plain).filter(is_severity);
    known.len() < 2 || told.next().is_none()
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
}

fn is_balanced(text: &str) -> bool {
    let mut open = false;
    for character in text.chars() {
        match character {
            '{' if open => return false,
            '{' => open = true,
            '}' if !open => return false,
            '}' => open = false,
            _ => {}
        }
    }
    !open
}

fn without_placeholders(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        out.push(' ');
        rest = behind.split_once('}').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
}

/// The word without its ending: `matched`, `matches` and `matching` say the same.
fn stem(word: &str) -> String {
    let endings = ["ing", "ed", "es", "s", "e", "d"];
    let bare = endings.iter().find_map(|ending| word.strip_suffix(ending).filter(|bare| bare.len() > 2));
    bare.unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests;
