//! What the grammar of PHP reads and how sure it is, the words of prose that it leaves alone, and that work is bounded.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use proptest::prelude::*;

use crate::Part;
use crate::grammar::Grammar;
use crate::php::PhpGrammar;
use crate::vocabulary::Vocabulary;

/// A few words of each list: the grammar is tested, and not the vocabulary.
fn grammar() -> PhpGrammar {
    let mut words = Vocabulary::default();
    for (list, texts) in [
        ("php.run", &["shell_exec", "passthru"][..]),
        ("php.run_word", &["system", "exec", "eval"]),
        ("php.include_word", &["include", "require"]),
        ("php.callback", &["array_map", "call_user_func"]),
        ("php.file", &["file_get_contents"]),
        ("php.info", &["phpinfo", "php_uname"]),
        ("php.decode", &["base64_decode"]),
        ("php.decode_word", &["chr", "md5", "count"]),
        ("php.file_word", &["link", "copy"]),
        ("php.info_word", &["echo", "print"]),
        ("php.family", &["mysqli_", "array_"]),
        ("php.class", &["splfileobject", "ffi"]),
        ("php.global", &["_get", "_post", "globals", "this"]),
        ("php.magic", &["__destruct"]),
        ("php.directive", &["auto_prepend_file", "session.save_path"]),
        ("php.directive_word", &["memory_limit"]),
        ("php.directive_family", &["opcache."]),
    ] {
        words.add(list, texts.iter().map(|text| (*text).to_owned()));
    }
    PhpGrammar::new(&words)
}

/// The points of a text; none where nothing nominates it.
fn points(php: &PhpGrammar, text: &str) -> u32 {
    let nominated = php.needs().iter().any(|need| text.contains(need.as_str()));
    if nominated { php.read(text, Part::Value).map_or(0, |read| read.points) } else { 0 }
}

#[test]
fn calls_are_read_however_the_function_is_named() {
    let php = grammar();
    for text in [
        "system('id')",
        "';system('id');//",
        "x');passthru(\"id\");//",
        "system/*x*/(id)",
        "shell_exec #\n('id')",
        "exec //y\n (\"id\")",
        "$fn[2]('uptime')",
        "$a('id')",
        "$$b(2)",
        "${$act}('uptime')",
        "$x{0}('id')",
        "$o->{'system'}('id')",
        "\"pass\".\"thru\"(\"uptime\")",
        "('sys'.'tem')('id')",
        "(exec)('id')",
        "[exec][0](uptime)",
        "['a','b'][1]('id')",
        "'system'('id')",
        "$_get[a]($_get[b])",
        "(~\"abcd\")()",
        "foo::$bar()",
        "array_map('exec',['id'])",
        "chr(115).chr(121)",
        "phpinfo();",
        "phpinfo()",
        "include $_get[a]; system($x)",
        "<?php system($x) ?>",
        "<?= `id` ?>",
        "new class{}",
        "new splfileobject('x')",
        "auto_prepend_file=/tmp/a",
        "-d opcache.x=1",
        "$globals['a']",
    ] {
        assert_eq!(points(&php, text), 5, "{text}");
    }
}

#[test]
fn what_may_be_an_accident_has_fewer_points() {
    let php = grammar();
    for (text, most) in [
        ("shell_exec", 3),
        ("how to use shell_exec", 2),
        ("array_map() or a loop", 2),
        ("base64_decode()", 4),
        ("exec(utive) summary", 3),
        ("system (linux)", 2),
        ("copy(right)", 3),
        ("link('a')", 4),
        ("memory_limit=256m in php.ini", 3),
        ("$_get in php", 2),
        ("<?php tags", 3),
        ("'ulysses'(joyce)", 1),
        ("[foo][1](bar)", 3),
    ] {
        let read = points(&php, text);
        assert!(read > 0 && read <= most, "{text}: {read}");
    }
}

#[test]
fn prose_links_and_other_languages_are_left_alone() {
    let php = grammar();
    for text in [
        "php system functions",
        "see [the page](https://www.example.org/a)",
        "f(x)(y)",
        "(x+1)(x-2)",
        "price $19.99 (sale)",
        "$.ajax({url:1})",
        "re.exec('x')",
        "regexp.exec(text)",
        "sum(rate(x[5m])) by (job)",
        "<?xml version=\"1.0\"",
        "new class schedule",
        "exec.example",
        "a <?",
        "require('fs')",
        "$filter=startswith(name,'a')",
    ] {
        assert_eq!(points(&php, text), 0, "{text}");
    }
}

#[test]
fn twice_the_text_is_twice_the_work() {
    let php = grammar();
    let work = |text: &str| {
        crate::code::WORK.with(|work| work.set(0));
        php.read(text, Part::Value);
        crate::code::WORK.with(std::cell::Cell::get)
    };
    for piece in [
        "(", "$", "](", "'(", "$a(", "system/*", "system (", "}(", "${", "\"a\".", "[a]", "exec #\n", "<<<a", "chr(",
        ")(",
    ] {
        let once = work(&piece.repeat(4096));
        let twice = work(&piece.repeat(8192));
        assert!(twice <= once * 5 / 2 + 8192 && twice <= 8192 * 2048, "{piece}: {once} {twice}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,80}", code in "([$(){}\\[\\]'\".;/*#<?=~-]|system|exec|\\$_get|new |class|chr|\n| ){0,40}") {
        let php = grammar();
        for text in [text, code] {
            prop_assert!(php.read(&text, Part::Value).is_none_or(|read| (1..=5).contains(&read.points)));
        }
    }
}
