//! The table of shapes, as it ships.

use std::path::Path;

use event::{Block, EventBatch, Timestamp};

use super::*;
use crate::{Options, Parser};

fn read(line: &str) -> EventBatch {
    let block = Block::detached("shape", line.as_bytes().to_vec(), Timestamp(1_795_000_000_000_000));
    Parser::new(Options::default()).parse(block)
}

fn shown(batch: &EventBatch) -> serde_json::Map<String, serde_json::Value> {
    let mut text = String::new();
    event::json::write_row(batch, 0, &mut text);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_own_files_have_no_problems() {
    let told: Vec<String> = Shapes::standard_problems().iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{told:#?}");
    assert!(Shapes::standard().shapes().len() > 30);
}

#[test]
fn the_example_of_each_shape_is_of_that_shape() {
    let shapes = Shapes::standard();
    for (at, shape) in shapes.shapes().iter().enumerate() {
        let name = &shape.about.name;
        let mut parser = Parser::new(Options::default());
        let block = Block::detached("shape", shape.about.example.as_bytes().to_vec(), Timestamp(0));
        let batch = parser.parse(block);
        let signs = parser.context.names.shape_last();
        assert!(!shape.about.documentation.is_empty(), "{name} has no documentation");
        let taken = signs.map(|at| &shapes.shapes()[at].about.name);
        assert!(shape.text.is_some() || signs == Some(at), "the example of {name} is taken for {taken:?}");
        let event = shown(&batch);
        assert!(event["event.dataset"] != "json" && event.contains_key("@timestamp"), "{name}: {event:#?}");
    }
}

/// The examples are the samples that say which fields shapes write: delete the file to have it written anew.
#[test]
fn the_examples_are_samples() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/json/shapes.log");
    let examples: Vec<&str> = Shapes::standard().shapes().iter().map(|shape| shape.about.example.as_str()).collect();
    let examples = examples.join("\n") + "\n";
    if !path.exists() {
        std::fs::write(&path, &examples).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == examples, "the examples have changed: delete {} and run again", path.display());
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let text = "- shape: a\n  dataset: x\n  where: [k]\n  fields:\n    source.ip: {from: k, as: adress}\n    event.original: k\n    y: {form: k}\n- shape: b\n  set: {tags: x}\n  wehre: [k]\n- shape: c\n  where: [a]\n  dataset: http.access\n  logsource: {prodcut: x}\n  like: z\n  guess: perhaps\n  text: {program: x}\n- shape: d\n  where: []\n  dataset: x\n  set: {source.port: a, source.ip: host, user.name: b}\n";
    let problems = Shapes::with(&[("own.yaml".to_owned(), text.to_owned())]).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for expected in [
        "own.yaml:5: as: unknown `adress`: use one of text,",
        "own.yaml:6: `event.original` is written by the pipeline: name another field",
        "own.yaml:7: `form` is no part of a field: use from, as, values, otherwise",
        "own.yaml:7: `y` has no key that it comes from: name one",
        "own.yaml:10: `wehre` is no part of a shape: use one of shape,",
        "own.yaml:8: the shape has no `dataset`: give it one",
        "own.yaml:8: the shape has no `where`: name the keys by which it is known",
        "own.yaml:9: `tags` is written by the pipeline: name another field",
        "own.yaml:15: like: no shape `z` stands before this one in the file: name one",
        "own.yaml:14: the dataset has its own log source: leave `logsource` out, or name another dataset",
        "own.yaml:14: `prodcut` is not product, category or service",
        "own.yaml:16: guess: true or false is expected, not `perhaps`",
        "own.yaml:17: the text has no key that it comes from: name it with `from`",
        "own.yaml:19: `where` names no key: every event would be of the shape",
        "own.yaml:21: `a` is no value of source.port, which takes a whole number",
        "own.yaml:21: `host` is no value of source.ip, which takes an address",
    ] {
        assert!(told.iter().any(|line| line.starts_with(expected)), "{expected}\n{told:#?}");
    }
    assert_eq!(told.len(), 16, "{told:#?}");
    let broken = Shapes::with(&[("own.yaml".to_owned(), "- shape: [".to_owned())]).unwrap_err();
    assert!(broken[0].to_string().starts_with("own.yaml:"), "{broken:?}");
}

#[test]
fn slips_of_an_operators_pen_are_told_and_new_names_noted() {
    let text = "- shape: a\n  where: [k]\n  dataset: http.acces\n  fields:\n    source.ipp: k\n    shop.cart: k\n    event.outcome: {from: k, values: {failed: [x], success: [y]}}\n    event.severity: {from: k, values: {high: [x]}, otherwise: low}\n- shape: b\n  where: [m]\n  dataset: own.log\n  logsource: {product: windws, category: own}\n  set: {event.outcome: failed, user.nmae: x}\n  fields: {user.name: m}\n";
    let problems = Shapes::with(&[("own.yaml".to_owned(), text.to_owned())]).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for expected in [
        "own.yaml:3: dataset: `http.acces` is unknown, and rules judge `http.access`: write that",
        "own.yaml:5: `source.ipp` is no known field, and `source.ip` is: write that",
        "own.yaml:7: `failed` is no value of event.outcome: use one of success, failure, unknown",
        "own.yaml:8: `high` is no value of event.severity, which takes a whole number",
        "own.yaml:8: `low` is no value of event.severity, which takes a whole number",
        "own.yaml:12: product: `windws` is unknown, and `windows` is known: write that",
        "own.yaml:13: `failed` is no value of event.outcome",
        "own.yaml:13: `user.nmae` is no known field, and `user.name` is",
    ] {
        assert!(told.iter().any(|line| line.starts_with(expected)), "{expected}\n{told:#?}");
    }
    let twice = "- shape: a\n  where: [k]\n  dataset: own.log\n  fields: {user.name: m, user.name: n}\n";
    let twice = Shapes::with(&[("own.yaml".to_owned(), twice.to_owned())]).unwrap_err();
    assert_eq!(twice[0].to_string(), "own.yaml:4: the key `user.name` stands twice: keep one");
    let new = "- shape: a\n  where: [k]\n  dataset: own.log\n  fields:\n    shop.cart: k\n    source.ip: k\n";
    let shapes = Shapes::with(&[("own.yaml".to_owned(), new.to_owned())]).unwrap();
    let notes: Vec<String> = shapes.notes().iter().map(ToString::to_string).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("own.yaml:5: `shop.cart` is a field of its own, which only rules that name it see"));
}

#[test]
fn a_shape_of_an_operator_comes_first_and_replaces_ours() {
    let text = "- shape: caddy\n  where: [request.method, mine]\n  dataset: own.web\n  logsource: {product: Own}\n  fields: {user.name: mine}\n  set: {event.severity: 3}\n";
    let shapes = Shapes::with(&[("own.yaml".to_owned(), text.to_owned())]).unwrap();
    let line = r#"{"request":{"method":"GET"},"mine":"ann","logsource":{"category":"webserver","product":"x"}}"#;
    let mut parser = Parser::new(Options { shapes, ..Options::default() });
    let batch = parser.parse(Block::detached("own", line.as_bytes().to_vec(), Timestamp(0)));
    let event = shown(&batch);
    assert_eq!((&event["event.dataset"], &event["user.name"]), (&"own.web".into(), &"ann".into()));
    assert_eq!((&event["logsource.product"], &event["event.severity"]), (&"own".into(), &3.into()));
    assert!(!event.contains_key("logsource.category"), "a sender says nothing beside the shape");
}

#[test]
fn a_field_of_the_event_is_never_guessed_over() {
    let event = shown(&read(r#"{"srcip":"203.0.113.7","source.ip":"198.51.100.1","user":"ann"}"#));
    assert_eq!((&event["source.ip"], &event["user.name"]), (&"198.51.100.1".into(), &"ann".into()));
    assert_eq!(
        (&event["tags"], &event["c0di3.guessed"]),
        (&"guessed_fields".into(), &serde_json::json!(["user.name"]))
    );
    let forged = shown(&read(r#"{"c0di3.guessed":["x"],"tags":"x","event.dataset":"system.sshd","srcip":"ann"}"#));
    assert!(!forged.contains_key("c0di3.guessed") && !forged.contains_key("tags") && !forged.contains_key("source.ip"));
    assert_eq!(forged["event.dataset"], "json");
}

#[test]
fn packed_files_are_those_that_are_read() {
    for file in [STANDARD, SYNONYMS] {
        assert!(!file.packed.is_empty());
        assert_eq!(yaml::unpack(file.packed), yaml::read(file.text).ok(), "{}", file.path);
    }
}
