//! What the grammars of scripts and templates read and how sure they are, what they leave alone, and that work is
//! bounded.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use proptest::prelude::*;

use crate::Part;
use crate::grammar::Grammar;
use crate::script::ScriptGrammar;
use crate::template::TemplateGrammar;
use crate::vocabulary::Vocabulary;

/// A few words of each list: the grammars are tested, and not the vocabulary.
fn words() -> Vocabulary {
    let mut words = Vocabulary::default();
    for (list, texts) in [
        ("script.process", &["process.env", "this.constructor", "module.constructor"][..]),
        ("script.process_sure", &["process.mainmodule", "global.process", "constructor.constructor"]),
        ("script.call", &["os.popen", "io.popen", "fs.readfile", "console.info", "runtime.getruntime", "time.sleep"]),
        ("script.method", &["getruntime", "execsync", "forname"]),
        ("script.dunder", &["__class__", "__mro__", "__globals__", "__init__"]),
        ("script.module", &["child_process", "os", "posix", "fs"]),
        ("script.constant", &["true", "this", "infinity"]),
        ("script.nothing", &["false", "null", "nan"]),
        ("template.object", &["request", "facescontext", "_self", "config"]),
        ("template.act", &["system", "getclass", "constructor", "exec", "filter"]),
        ("template.helper", &["with", "each"]),
    ] {
        words.add(list, texts.iter().map(|text| (*text).to_owned()));
    }
    words
}

/// The points of a text; none where nothing nominates it.
fn points(grammar: &dyn Grammar, text: &str) -> u32 {
    let nominated = grammar.needs().iter().any(|need| text.contains(need.as_str()));
    if nominated { grammar.read(text, Part::Value).map_or(0, |read| read.points) } else { 0 }
}

#[test]
fn code_that_acts_is_read() {
    let script = ScriptGrammar::new(&words());
    for text in [
        "process.env.db_password",
        "process['env']",
        "process[\"main\"+'module']",
        "process/*x*/.mainmodule",
        "global.process.exit()",
        "this.constructor.constructor('return process')()",
        "console['info'](1)",
        "console.info.call(this,1)",
        "require('child_process').exec('id')",
        "import('child_process')",
        "new function('return 1')",
        "(function(){ a() })()",
        "while(1){}",
        "while(true);",
        "';while(!null)",
        "while(!!{});",
        "while(-infinity);",
        "for(;;);",
        "for(i=0;;i++){}",
        "@{[ system('id') ]}",
        "${\\ id()}",
        "qx(uptime)",
        "qx{id}",
        "%x(uptime)",
        "io.popen('id')",
        "io.popen 'id'",
        "os.popen(\"id\").read()",
        "open('|id')",
        "open(f,'-|','id')",
        "''.__class__.__mro__[1]",
        "().__class__",
        "x.__init__.__globals__['os']",
        "import os;os.system('id')",
        "use posix;",
        "_$$nd_func$$_function(){}",
    ] {
        assert_eq!(points(&script, text), 5, "{text}");
    }
}

#[test]
fn what_may_be_an_accident_has_fewer_points() {
    let script = ScriptGrammar::new(&words());
    for (text, most) in [
        ("process.env", 4),
        ("process.env in docker", 2),
        ("console.info(1)", 4),
        ("while (true) loop in java", 3),
        ("for (;;) meaning", 3),
        ("while(!!'')", 4),
        ("require('fs')", 3),
        ("function() {", 4),
        ("os.popen() deprecated", 2),
        ("system 'x'", 3),
        ("self.__class__ in python", 2),
    ] {
        let read = points(&script, text);
        assert!(read > 0 && read <= most, "{text}: {read}");
    }
}

#[test]
fn prose_and_documentation_are_left_alone() {
    let script = ScriptGrammar::new(&words());
    for text in [
        "wait a while (1 hour)",
        "while(0)",
        "while(x<5)",
        "for(i=0;i<5;i++)",
        "process environment",
        "require in node",
        "os.path.join",
        "50%x off",
        "open (late)",
        "import tax (2026)",
        "the constructor of a class",
        "c++ constructor(int x)",
        "kernel.org",
        "{\"a\":[1,2]}",
    ] {
        assert_eq!(points(&script, text), 0, "{text}");
    }
}

#[test]
fn expressions_of_templates_are_graded_by_what_they_do() {
    let template = TemplateGrammar::new(&words());
    for (text, wanted) in [
        ("dear {{name}}", 1),
        ("${price}", 1),
        ("{{ value | default('n/a') }}", 2),
        ("{{ url('home') }}", 2),
        ("{{ config.secret }}", 3),
        ("{{ _self.env }}", 4),
        ("${facescontext.externalcontext}", 3),
        ("#{request.getsession()}", 4),
        ("{{ ''.constructor('x')() }}", 5),
        ("${''.getclass()}", 5),
        ("*{x.getclass().y}", 5),
        ("{{ x.__class__ }}", 5),
        ("{{ ['id']|filter('system') }}", 5),
        ("<%= system('id') %>", 5),
        ("{{#with \"s\" as |x|}}", 4),
        ("{{}}", 0),
        ("a < b", 0),
    ] {
        assert_eq!(points(&template, text), wanted, "{text}");
    }
}

#[test]
fn twice_the_text_is_twice_the_work() {
    let words = words();
    let (script, template) = (ScriptGrammar::new(&words), TemplateGrammar::new(&words));
    let work = |grammar: &dyn Grammar, text: &str| {
        crate::code::WORK.with(|work| work.set(0));
        grammar.read(text, Part::Value);
        crate::code::WORK.with(std::cell::Cell::get)
    };
    for piece in [
        "(",
        "while(",
        "while(!",
        "for(;",
        "a.",
        "a['",
        "a/*",
        "process[",
        "{{",
        "{{a(",
        "${",
        "function(",
        "open(",
        "import os ",
        "@{[ ",
    ] {
        for grammar in [&script as &dyn Grammar, &template] {
            let once = work(grammar, &piece.repeat(4096));
            let twice = work(grammar, &piece.repeat(8192));
            assert!(twice <= once * 5 / 2 + 8192 && twice <= 8192 * 2048, "{piece}: {once} {twice}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,80}", code in "([$(){}\\[\\]'\".;/*#<%=@|!-]|while|for|process|env|__class__|qx|x|open|import |os|é|\n| ){0,40}") {
        let words = words();
        for grammar in [&ScriptGrammar::new(&words) as &dyn Grammar, &TemplateGrammar::new(&words)] {
            for text in [&text, &code] {
                prop_assert!(grammar.read(text, Part::Value).is_none_or(|read| (1..=5).contains(&read.points)));
            }
        }
    }
}
