//! What is YAML here, what is a mistake, and where it stands.

use super::*;

#[test]
fn scalars_are_typed_as_yaml_1_2_says() {
    let value = |text: &str| match &read(text).unwrap()[0].kind {
        Kind::Scalar(scalar) => format!("{:?}", scalar.value()),
        other => format!("{other:?}"),
    };
    assert_eq!(value("404"), "Integer(404)");
    assert_eq!(value("'404'"), "Text(\"404\")");
    assert_eq!(value("-1.5"), "Float(-1.5)");
    assert_eq!(value("true"), "Boolean(true)");
    assert_eq!(value("yes"), "Text(\"yes\")");
    assert_eq!(value("1.2.3"), "Text(\"1.2.3\")");
    assert_eq!(value("nan"), "Text(\"nan\")");
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (text, line, words) in [
        ("a: 1\nb: 2\na: 3\n", 3, "`a` stands twice"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("? [a]\n: b\n", 1, "plain text"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.message.contains(words), "{text:?}: {error:?}");
        assert!(error.place.line >= line - 1 && error.place.line <= line + 1, "{text:?}: {error:?}");
    }
    let deep = "[".repeat(40) + &"]".repeat(40);
    assert!(read(&deep).unwrap_err().message.contains("32 levels"));
}

#[test]
fn documents_of_one_file_are_kept_apart() {
    let documents = read("a: 1\n---\nb: 2\n---\n").unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[1].get("b").unwrap().place.line, 3);
}

#[test]
fn a_mistake_costs_its_own_document_only() {
    for (text, wrong, right) in [
        ("a: 1\na: 2\n---\nb: 3\n", &[2][..], &[4][..]),
        ("a: 1\na: 2\nb: *x\n---\nb: 3\n", &[3], &[5]),
        ("a: &x 1\nb: *x\n---\nb: 3\n", &[1, 2], &[4]),
        ("a: [1\nb: {\n---\nb: 3\n", &[2], &[4]),
        ("a: 'x\n---\nb: 3\n--- \nc: \"y\n", &[1, 5], &[3]),
        ("a: 1\n---\nb: 'x\n---\nc: 3\n", &[3], &[1, 5]),
        ("%YAML 1.2\n---\na: 1\n---\nb: ]\n---\nc: 1\r\n---\r\nd: ]\r\n", &[5, 9], &[3, 7]),
        ("# nothing\n---\n---\na: }\n", &[4], &[]),
        ("{a: 1}}\n---\nb: 1\n", &[1], &[3]),
        ("a: |\n  ---\n---\nb: [\n---\nc: 1\n", &[5], &[1, 6]),
    ] {
        let documents = read_each(text);
        let lines: Vec<usize> = documents.iter().flat_map(|it| it.errors.iter().map(|it| it.place.line)).collect();
        assert_eq!(lines, wrong, "{text:?}: {documents:?}");
        let sound = documents.iter().filter(|it| it.errors.is_empty());
        let lines: Vec<usize> = sound.map(|it| it.node.as_ref().unwrap().place.line).collect();
        assert_eq!(lines, right, "{text:?}: {documents:?}");
        assert!(read(text).is_err());
    }
    assert_eq!(first_lines("# a\n---\na: 1\n---\nb: |\n ---\n---\n"), [1, 4, 7]);
}

#[test]
fn a_file_of_mistakes_comes_to_an_end() {
    let documents = read_each(&"---\n]\n".repeat(3 * NODES_MAX));
    assert_eq!(documents.len(), NODES_MAX + 1);
}

#[test]
fn what_is_written_is_shown_on_one_line() {
    let shown = |text: &str| read(text).unwrap()[0].get("a").unwrap().shown();
    assert_eq!(shown("a: [b, {c: [d, e]}]"), "the list `[b, {c: [d, e]}]`");
    assert_eq!(shown("a: {b: , c: 'd'}"), "the map `{b: , c: d}`");
    assert_eq!(shown("a: x"), "`x`");
    assert_eq!(shown(&format!("a: [{}]", "é, ".repeat(100))), format!("the list `[{}…`", "é, ".repeat(20).trim_end()));
}
