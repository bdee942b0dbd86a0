//! What real rules answer, held against the OpenAPI document of the analyzer.

use std::collections::BTreeSet;

use api::describe::closed;

use super::*;
use crate::cli::RuleArguments;
use crate::command::input;

/// Panics where the value is not what the document says of the operation's good answer.
struct Document(Value, Mutex<BTreeMap<String, jsonschema::Validator>>);

impl Document {
    fn holds(&self, path: &str, method: &str, value: &Value) {
        let content = &self.0["paths"][path][method]["responses"]["200"]["content"]["application/json"];
        let mut validators = self.1.lock().unwrap();
        let validator = validators.entry(format!("{method} {path}"));
        let validator =
            validator.or_insert_with(|| jsonschema::validator_for(&closed(&self.0, &content["schema"])).unwrap());
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path)).collect();
        assert!(errors.is_empty(), "{method} {path}: {errors:?} in {value:#}");
    }
}

fn lines() -> String {
    let mut lines: Vec<String> = (0..30)
        .map(|second| {
            format!(
                "Nov 28 10:00:{second:02} gate sshd[{second}]: Failed password for root from 192.0.2.1 port 4000 ssh2"
            )
        })
        .collect();
    let request = "/item?id=1%27%20union%20select%20password%20from%20users--";
    lines.push(format!(
        "192.0.2.9 - - [28/Nov/2026:10:00:00 +0000] \"GET {request} HTTP/1.1\" 200 5 \"-\" \"sqlmap/1\""
    ));
    lines.join("\n") + "\n"
}

#[tokio::test]
async fn real_rules_answer_as_the_document_says() {
    let config = crate::config::load(None).unwrap();
    let parse = input::parse_options(&config, None, None, None, &crate::cli::ShapeArguments::default()).unwrap();
    let (book, asked) = RuleBook::open(RuleFiles::of(&config, &RuleArguments::default()), None, parse).unwrap();
    let document = Document(api::analyzer_document(), Mutex::default());
    let desk = RuleDesk(Arc::new(book));
    document.holds("/api/v1/rules", "get", &desk.status());
    let reloaded = desk.reload().await.unwrap();
    document.holds("/admin/rules/reload", "post", &reloaded);
    desk.0.state().seen = 0;
    let reloaded = desk.reload().await.unwrap();
    assert_eq!(reloaded["status"], "replaced");
    document.holds("/admin/rules/reload", "post", &reloaded);
    let matcher = desk.0.in_force.current();
    // All of them would take a minute.
    let about = |title: &str| ["SSH", "SQL", "password", "sqlmap"].iter().any(|word| title.contains(word));
    let ids = matcher.set().heads().filter(|head| about(&head.title)).map(|head| head.id.clone());
    let ids: Vec<String> = ids.take(60).collect();
    let (mut matched, mut fired) = (0, 0);
    for id in &ids {
        let explained = desk.explain(id.clone(), lines()).await.unwrap();
        matched += usize::from(explained.to_string().contains("\"matched\":true"));
        fired += usize::from(explained["fired"].as_array().is_some_and(|fired| !fired.is_empty()));
        document.holds("/api/v1/rules/{id}/explain", "post", &explained);
    }
    assert!(matched > 1 && fired > 0, "lines that show something: {matched} matched, {fired} fired");
    let answering = std::thread::spawn(move || {
        while let Ok(question) = asked.recv() {
            let _heard = question.answer.send(Some(Vec::new())).is_ok();
        }
    });
    let correlation = matcher.set().correlations[0].rule.head.id.clone();
    let groups = desk.groups(correlation, Wanted { group: None, limit: 5 }).await.unwrap();
    document.holds("/api/v1/rules/{id}/groups", "get", &groups);
    drop(desk);
    answering.join().unwrap();
}

/// The explanations of one line by one rule: for people, and as the API gives it.
fn explained(desk: &RuleDesk, index: usize, line: &str) -> (String, Value) {
    let matcher = desk.0.in_force.current();
    let block = Block::detached("request", line.as_bytes().to_vec(), clock::now());
    let batch = Parser::new(desk.0.parse.clone()).parse(block);
    let text = matcher.explain(index, &batch, 0).to_string();
    (text, desk.0.explained(&matcher.set().rules[index].head.id, line).unwrap())
}

/// Every pattern that an explanation names.
fn patterns_in<'v>(value: &'v Value, into: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| patterns_in(item, into)),
        Value::Object(fields) if fields.contains_key("pattern") => into.push(value),
        Value::Object(fields) => fields.values().for_each(|field| patterns_in(field, into)),
        _ => {}
    }
}

fn real_desk() -> RuleDesk {
    let config = crate::config::load(None).unwrap();
    let parse = input::parse_options(&config, None, None, None, &crate::cli::ShapeArguments::default()).unwrap();
    let (book, _) = RuleBook::open(RuleFiles::of(&config, &RuleArguments::default()), None, parse).unwrap();
    RuleDesk(Arc::new(book))
}

#[test]
fn each_class_of_attack_is_explained_by_reader_view_points_and_parameter() {
    let desk = real_desk();
    let matcher = desk.0.in_force.current();
    let packs: Vec<usize> =
        (0..matcher.set().rules.len()).filter(|at| matcher.set().rules[*at].pack.is_some()).collect();
    assert!(packs.len() > 25, "{} classes", packs.len());
    let (mut parameters, mut readers, mut known) = (0, BTreeSet::new(), BTreeSet::new());
    let lines = packs.into_iter().flat_map(|at| {
        let rule = &matcher.set().rules[at];
        let own = rule.head.tests.hits.iter().filter(|case| case.lines().count() == 1).take(1).cloned();
        let patterns = rule.pack.iter().flat_map(|pack| &pack.patterns);
        known.extend(patterns.clone().map(|pattern| pattern.how.reader().to_owned()));
        let languages = patterns.filter(|pattern| matches!(pattern.how, patterns::How::Grammar(_)));
        let cases = languages.flat_map(|language| &language.cases).filter(|case| case.wanted);
        let read = cases.filter(|case| case.text.starts_with('/')).map(|case| line_of(&case.text));
        own.map(|line| (at, line, true)).chain(read.map(|line| (at, line, false))).collect::<Vec<_>>()
    });
    for (at, line, is_whole) in lines.collect::<Vec<_>>() {
        let head = &matcher.set().rules[at].head;
        let (text, answer) = explained(&desk, at, &line);
        // A language may find what is a finding in other parameters only.
        assert!(!is_whole || answer["lines"][0]["matched"] == true, "{}: {text}", head.title);
        let mut found = Vec::new();
        patterns_in(&answer, &mut found);
        assert!(!found.is_empty(), "{} names no pattern: {text}", head.title);
        for one in found {
            let word = |key: &str| one[key].as_str().unwrap_or_default();
            let (pattern, points) = (word("pattern"), one["points"].as_u64().unwrap());
            let shown = format!("{pattern} (+{points}) by {} in the {}", word("reader"), word("part"));
            assert!(text.contains(&shown), "{}: no {shown} in {text}", head.title);
            assert!(text.contains(&format!(", {}: ", word("view"))) && points > 0, "{}: {text}", head.title);
            assert!(word("reader").len() > 2 && word("view").len() > 2, "{}: {one}", head.title);
            if word("part") == "value" && one.get("parameter").is_some() {
                assert!(text.contains(&format!(" of `{}`", word("parameter"))), "{}: {text}", head.title);
                parameters += 1;
            }
            readers.insert(word("reader").to_owned());
        }
    }
    assert!(parameters > 8, "{parameters} parameters");
    assert_eq!(readers, known, "each reader has explained something");
}

/// Texts that each language is unsure of by itself, as values of a parameter.
const HALF_SURE: [&str; 6] =
    ["/?v=ls -la", "/?v=x' and 1", "/?v={{ config.secret }}", "/?v=<iframe", "/?v=base64_decode()", "/?v=process.env"];

/// A request for this target, as a line.
fn line_of(target: &str) -> String {
    let target = target.replace(' ', "+").replace('"', "%22");
    format!("192.0.2.9 - - [28/Nov/2026:10:00:00 +0000] \"GET {target} HTTP/1.1\" 200 5 \"-\" \"x\"\n")
}

/// The target of a pattern's case with another name in the place of its first parameter's, as a line.
fn in_parameter(target: &str, name: &str) -> Option<String> {
    let (path, query) = target.split_once('?')?;
    let (_, value) = query.split_once('=')?;
    Some(line_of(&format!("{path}?{name}={value}")))
}

#[test]
fn readings_are_explained_with_what_their_surroundings_make_of_them() {
    let desk = real_desk();
    let matcher = desk.0.in_force.current();
    let mut told = std::collections::BTreeMap::new();
    for at in 0..matcher.set().rules.len() {
        let Some(pack) = matcher.set().rules[at].pack.clone() else { continue };
        for pattern in pack.patterns.iter().filter(|pattern| matches!(pattern.how, patterns::How::Grammar(_))) {
            let seen: &mut [bool; 2] = told.entry(pattern.how.reader()).or_default();
            let texts = pattern.cases.iter().map(|case| case.text.as_str()).chain(HALF_SURE);
            let lines = texts.flat_map(|text| ["cmd", "q"].map(|name| in_parameter(text, name)));
            for line in lines.flatten() {
                let (text, answer) = explained(&desk, at, &line);
                let mut found = Vec::new();
                patterns_in(&answer, &mut found);
                let own = found.into_iter().filter(|one| one["pattern"].as_str() == Some(&*pattern.id));
                for context in own.filter_map(|one| one["context"].as_str()) {
                    assert!(text.contains(&format!("; {context}")), "{text}");
                    seen[usize::from(context.contains("by itself, less"))] = true;
                }
            }
        }
    }
    assert!(told.len() > 5, "{told:?}");
    let both = told.values().all(|seen| *seen == [true, true]);
    assert!(both, "readings that their surroundings make more, and others that they make less: {told:?}");
}
