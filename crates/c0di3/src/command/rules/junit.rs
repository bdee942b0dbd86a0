//! Results of rules' cases in the JUnit form that build servers read.

use std::fmt::Write;

use crate::command::rules::cases::Case;

/// The whole report; one suite for each file.
pub(super) fn report(cases: &[Case]) -> String {
    let failures = |cases: &[&Case]| cases.iter().filter(|case| case.failure.is_some()).count();
    let mut paths: Vec<&str> = cases.iter().map(|case| case.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    let all: Vec<&Case> = cases.iter().collect();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rules\" tests=\"{}\" failures=\"{}\">\n",
        all.len(),
        failures(&all)
    );
    for path in paths {
        let own: Vec<&Case> = cases.iter().filter(|case| case.path == path).collect();
        let (tests, failed, name) = (own.len(), failures(&own), escaped(path));
        put(&mut out, format_args!("  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\">\n"));
        for case in own {
            let (class, name) = (escaped(&case.rule_id), escaped(&format!("{}: {}", case.title, case.name)));
            match &case.failure {
                None => put(&mut out, format_args!("    <testcase classname=\"{class}\" name=\"{name}\"/>\n")),
                Some(reason) => {
                    let first = escaped(reason.lines().next().unwrap_or(""));
                    let reason = escaped(reason);
                    put(
                        &mut out,
                        format_args!(
                            "    <testcase classname=\"{class}\" name=\"{name}\">\n      <failure message=\"{first}\">{reason}</failure>\n    </testcase>\n"
                        ),
                    );
                }
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok(), "texts take everything");
}

/// Text for XML: what has a meaning there is named, what may not stand there is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_lines_stay_text() {
        let case = |path: &str, failure: Option<&str>| Case {
            path: path.to_owned(),
            rule_id: "r".to_owned(),
            title: "<script> & \"co\"".to_owned(),
            name: "match 1".to_owned(),
            failure: failure.map(str::to_owned),
        };
        let report = report(&[case("a.yml", None), case("b.yml", Some("did not match: ]]>\u{1b}[0m</failure>\nmore"))]);
        assert!(report.contains("<testsuites name=\"rules\" tests=\"2\" failures=\"1\">"));
        assert!(report.contains("name=\"&lt;script&gt; &amp; &quot;co&quot;: match 1\"/>"));
        assert!(report.contains("message=\"did not match: ]]&gt;\u{FFFD}[0m&lt;/failure&gt;\""), "{report}");
        assert_eq!(report.matches("</failure>").count(), 1);
    }
}
