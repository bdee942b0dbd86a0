//! What real rules answer, held against the OpenAPI document of the analyzer.

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
