//! Benign requests, as odd as people and programs are: names with apostrophes, phrases with the words of SQL, code in search
//! fields, many languages, identifiers, nested addresses, tracking, interfaces of applications, crawlers that are welcome.

use crate::quality::sample::Random;

const AGENTS: [&str; 16] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "kube-probe/1.29",
    "ELB-HealthChecker/2.0",
    "okhttp/4.12.0",
    "PostmanRuntime/7.39.0",
    "Prometheus/2.53.0",
    "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A.230805.001)",
];
const REFERERS: [&str; 9] = [
    "-",
    "-",
    "https://www.example.org/",
    "https://www.google.com/",
    "https://www.example.org/search?q=union+square+hotels&sort=price",
    "https://t.co/AbCdEf123",
    "https://www.example.org/products/select-comfort?ref=nav&utm_source=newsletter",
    "https://mail.example.net/mail/u/0/",
    "android-app://com.google.android.gm",
];
const NAMES: [&str; 20] = [
    "O'Brien",
    "D'Angelo",
    "L'Oreal",
    "Levi's",
    "McDonald's",
    "Rock 'n' Roll",
    "Dr. Oetker",
    "AT&T",
    "H&M",
    "Ben & Jerry's",
    "Toys \"R\" Us",
    "Jean-Luc",
    "Müller",
    "Łódź",
    "São Paulo",
    "Ångström",
    "Zoë",
    "C#",
    "C++",
    "F*** it",
];
const PHRASES: [&str; 84] = [
    "select a chair for the table",
    "union square hotels",
    "credit union select committee",
    "how to drop a table in word",
    "drop table lamp",
    "delete my account",
    "update from the board",
    "insert coin to continue",
    "where is the order by the river",
    "group by age having fun",
    "select all from the menu",
    "or else what",
    "1 or 2 people",
    "5 and 6 january",
    "black and white or colour",
    "this or that and these",
    "sql join vs union",
    "how to use sleep in bash",
    "what does exec do",
    "cat food and dog food",
    "cats; dogs; birds",
    "ping pong table",
    "find my phone",
    "head and shoulders",
    "less is more",
    "echo dot 5th generation",
    "curl hair at home",
    "wget vs curl",
    "id card holder",
    "who is who",
    "script for a play",
    "alert system for weather",
    "prompt delivery (next day)",
    "confirm my order #1234",
    "javascript basics: functions",
    "javascript: the good parts",
    "on click tutorials",
    "image onload vs onerror",
    "style guide 2024",
    "iframe size responsive",
    "list of <b> tags in html",
    "a < b and b > c",
    "x > 5 && y < 10",
    "if (a == b) return c;",
    "for (int i = 0; i < n; i++)",
    "print('hello world')",
    "console.log(\"test\")",
    "SELECT statement tutorial",
    "what is a primary key",
    "don't stop believin'",
    "it's 5 o'clock somewhere",
    "'quoted phrase' search",
    "\"exact match\" or \"other match\"",
    "\"jazz\" and \"blues\"",
    "50% off & free shipping",
    "100% cotton",
    "price: $5 - $10",
    "2+2=4",
    "1/2 cup of sugar",
    "10-12 years",
    "-5 degrees",
    "e=mc^2",
    "root beer",
    "etc etc",
    "passwd meaning",
    "what is /etc",
    "C:\\Users\\Public\\Documents",
    "../ meaning in path",
    "system requirements (minimum)",
    "base64 encode online",
    "template {name} example",
    "hello {{firstname}}",
    "${price} variable",
    "win a prize!",
    "who's there? me; you; us",
    "R&B | soul | funk",
    "men|women|kids",
    "best laptops under $1000 (2024)",
    "3' x 5' rug",
    "6\" pipe",
    "the \"real\" deal",
    "a=1; b=2",
    "admin assistant jobs",
    "localhost setup guide",
];
const LANGUAGES: [&str; 18] = [
    "Привет мир",
    "как выбрать стол",
    "東京 天気",
    "新しい靴",
    "你好 世界",
    "价格 比较",
    "안녕하세요",
    "مرحبا بالعالم",
    "שלום עולם",
    "γειά σου κόσμε",
    "สวัสดี",
    "नमस्ते दुनिया",
    "größe ändern",
    "où est l'école",
    "¿qué es esto?",
    "çok güzel",
    "xin chào",
    "crème brûlée à l'orange",
];
const WORDS: [&str; 30] = [
    "garden", "winter", "blue", "coffee", "travel", "running", "shoes", "lamp", "wooden", "table", "review", "summer",
    "kitchen", "paper", "guide", "music", "river", "mountain", "camera", "bicycle", "pocket", "letter", "union",
    "select", "order", "group", "update", "script", "admin", "system",
];
const HEX: &[u8; 16] = b"0123456789abcdef";
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn token(random: &mut Random, letters: &[u8], length: usize) -> String {
    (0..length).map(|_| char::from(letters[random.below(letters.len())])).collect()
}

fn uuid(random: &mut Random) -> String {
    [8, 4, 4, 4, 12].map(|length| token(random, HEX, length)).join("-")
}

/// As browsers encode the value of a form.
fn form(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// As programs encode the part of an address: less.
fn component(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            b'-' | b'.' | b'_' | b'~' | b'!' | b'*' | b'\'' | b'(' | b')' | b';' | b':' | b'@' | b',' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn word(random: &mut Random) -> &'static str {
    random.one_of(&WORDS)
}

fn search(random: &mut Random) -> String {
    let text = match random.below(6) {
        0 => random.one_of(&NAMES).to_owned(),
        1 => random.one_of(&LANGUAGES).to_owned(),
        2 => format!("{} {} {}", word(random), word(random), random.below(3000)),
        3 => format!("{} {}", random.one_of(&NAMES), word(random)),
        _ => random.one_of(&PHRASES).to_owned(),
    };
    let text = if random.below(4) == 0 { component(&text) } else { form(&text) };
    match random.below(3) {
        0 => format!("/search?q={text}"),
        1 => format!("/search?q={text}&page={}&sort=relevance", 1 + random.below(40)),
        _ => format!("/api/v1/suggest?term={text}&lang={}", random.one_of(&["en", "de", "fr", "pt-BR", "zh-CN"])),
    }
}

fn identifiers(random: &mut Random) -> String {
    match random.below(7) {
        0 => format!("/api/v2/users/{}", uuid(random)),
        1 => format!("/o/{}?alt=media&token={}", token(random, LETTERS, 28), uuid(random)),
        2 => {
            let (head, body, mark) =
                (token(random, LETTERS, 36), token(random, LETTERS, 180), token(random, LETTERS, 43));
            format!(
                "/callback?code={}&state={}&id_token=eyJ{head}.eyJ{body}.{mark}",
                token(random, LETTERS, 40),
                token(random, HEX, 32)
            )
        }
        3 => format!("/static/js/main.{}.chunk.js", token(random, HEX, 8)),
        4 => format!(
            "/i/{}.jpg?w={}&h={}&q=80&fit=crop&s={}",
            token(random, LETTERS, 22),
            100 * random.below(20),
            100 * random.below(20),
            token(random, HEX, 32)
        ),
        5 => format!("/t?id={}&sig={}%3D%3D", token(random, HEX, 40), form(&token(random, LETTERS, 42))),
        _ => format!("/d/{}/edit?usp=sharing&ouid={}", token(random, LETTERS, 44), random.number() % 1_000_000_000_000),
    }
}

fn tracking(random: &mut Random) -> String {
    let inner = format!(
        "https://www.example.org/{}/{}?ref={}&utm_source={}",
        word(random),
        word(random),
        word(random),
        random.one_of(&["google", "newsletter", "facebook"])
    );
    match random.below(5) {
        0 => format!(
            "/collect?v=1&tid=UA-{}-1&cid={}.{}&t=pageview&dl={}&ul=en-us&sr=1920x1080",
            random.below(9_999_999),
            random.below(999_999),
            random.below(999_999),
            component(&inner)
        ),
        1 => format!("/redirect?url={}&id={}", form(&inner), random.below(9999)),
        2 => format!(
            "/?utm_source=google&utm_medium=cpc&utm_campaign={}+{}+2024&gclid={}",
            word(random),
            word(random),
            token(random, LETTERS, 60)
        ),
        3 => format!("/share?u={}&title={}", component(&inner), form(random.one_of(&PHRASES))),
        _ => format!("/login?next=%2F{}%2F{}%3Fpage%3D{}", word(random), word(random), random.below(50)),
    }
}

fn interface(random: &mut Random) -> String {
    let day = 1 + random.below(28);
    match random.below(14) {
        0 => format!(
            "/api/items?filter={}",
            component(&format!(
                "{{\"price\":{{\"min\":{},\"max\":{}}},\"tags\":[\"{}\"]}}",
                random.below(50),
                random.below(900),
                word(random)
            ))
        ),
        1 => format!(
            "/odata/Products?$filter=Price%20gt%20{}%20and%20Name%20eq%20%27{}%27&$orderby=Name%20desc&$top=20",
            random.below(100),
            word(random)
        ),
        2 => format!(
            "/api/orders?from=2026-11-{day:02}T00:00:00Z&to=2026-11-{day:02}T23:59:59%2B01:00&status=open,closed"
        ),
        3 => format!(
            "/api/v1/items?fields=id,name,{}&sort=-created,{}&include={}",
            word(random),
            word(random),
            word(random)
        ),
        4 => format!(
            "/geo?bbox={}.{},{}.{},13.7,52.6&zoom={}",
            random.below(90),
            random.below(9999),
            random.below(90),
            random.below(9999),
            random.below(19)
        ),
        5 => format!("/api?ids[]={}&ids[]={}&ids[]={}", random.below(999), random.below(999), random.below(999)),
        6 => format!(
            "/shop?filter[price][min]={}&filter[brand][]={}&filter[size]=M%7CL",
            random.below(50),
            form(random.one_of(&NAMES))
        ),
        7 => format!(
            "/graphql?query={}",
            component(&format!("{{user(id:{}){{name,orders(first:10){{id,total}}}}}}", random.below(9999)))
        ),
        8 => format!(
            "/w/api.php?action=query&titles={}&prop=info|images&format=json",
            form(&format!("{}|{}", word(random), random.one_of(&LANGUAGES)))
        ),
        9 | 10 => queries(random),
        11 => format!("/calendar?start=2026-11-{day:02}&view=month&tz=Europe%2FBerlin"),
        12 => format!(
            "/solr/select?q={}&fq=price:[10 TO 20]&rows=10&wt=json",
            form(&format!("title:\"{}\" AND -category:{}", word(random), word(random)))
        )
        .replace(' ', "%20"),
        _ => format!(
            "/api/v3/{}/{}?expand=details&limit={}&offset={}",
            word(random),
            random.below(99_999),
            10 * random.below(10),
            random.below(5000)
        ),
    }
}

/// Languages of queries that look like others.
fn queries(random: &mut Random) -> String {
    match random.below(2) {
        0 => format!(
            "/jira/rest/api/2/search?jql={}",
            form(&format!("project = {} AND status in (Open, \"In Progress\") ORDER BY created DESC", word(random)))
        ),
        _ => format!(
            "/api/datasources/proxy/1/api/v1/query_range?query={}&start=1700000000&end=1700003600&step=15",
            form(&format!("sum(rate(http_requests_total{{job=\"{}\",code=~\"5..\"}}[5m])) by (pod)", word(random)))
        ),
    }
}

fn files(random: &mut Random) -> String {
    match random.below(12) {
        0 => format!("/files/{}", component(&format!("{} {} ({}).pdf", word(random), word(random), random.below(20)))),
        1 => format!(
            "/wp-content/uploads/2024/{:02}/{}-{}x{}.jpg",
            1 + random.below(12),
            word(random),
            random.below(2000),
            random.below(2000)
        ),
        2 => format!("/assets/css/style.min.css?ver=6.{}.{}", random.below(9), random.below(9)),
        3 => format!(
            "/wiki/{}",
            component(random.one_of(&[
                "Rock_'n'_Roll",
                "C++",
                "AT&T",
                "Select_(SQL)",
                "Union_(set_theory)",
                "/dev/null",
                "Cross-site_scripting",
                "Etc.",
                "Unix_shell"
            ]))
        ),
        4 => format!("/blog/2024/{:02}/{}-{}-or-{}", 1 + random.below(12), word(random), word(random), word(random)),
        5 => "/favicon.ico".to_owned(),
        6 => "/robots.txt".to_owned(),
        7 => format!("/sitemap-{}.xml.gz", random.below(40)),
        8 => "/.well-known/openid-configuration".to_owned(),
        9 => {
            format!("/downloads/{}-{}.{}.{}.tar.gz", word(random), random.below(9), random.below(20), random.below(20))
        }
        10 => format!("/{}/{}/{}.html", word(random), word(random), word(random)),
        _ => format!("/media/{}/{}%20{}.mp4", random.below(9999), word(random), word(random)),
    }
}

fn texts(random: &mut Random) -> String {
    let long: Vec<&str> = (0..4 + random.below(12)).map(|_| word(random)).collect();
    let text = match random.below(7) {
        0 => format!(
            "Dear {},\r\nthank you for your order of {}.\r\n-- \r\nThe {} team",
            random.one_of(&NAMES),
            long.join(" "),
            word(random)
        ),
        1 => format!("# {}\n\n* {}\n* {}\n\n> {}", word(random), long.join(" "), word(random), random.one_of(&PHRASES)),
        2 => format!("I'd like {} -- and {}; can't wait! {}", word(random), long.join(" "), random.one_of(&LANGUAGES)),
        3 => {
            format!("{{\"message\":\"{}\",\"name\":\"{}\"}}", long.join(" "), random.one_of(&["O'Brien", "Ann", "Li"]))
        }
        4 => format!(
            "<p>{} <b>{}</b> and <a href=\"https://www.example.org/{}\">more</a></p>",
            word(random),
            word(random),
            word(random)
        ),
        5 => format!("{}; {}, {} & {}", word(random), random.one_of(&NAMES), long.join(", "), word(random)),
        _ => long.join(" "),
    };
    format!("/contact/preview?text={}&lang=en", form(&text))
}

fn forms(random: &mut Random) -> String {
    match random.below(6) {
        0 => format!("/register/check?email={}%2B{}%40example.org", word(random), word(random)),
        1 => format!(
            "/address?street={}&city={}&zip={:05}",
            form(random.one_of(&["5 O'Connell St.", "Königsallee 1-3", "1600 Penn. Ave #2", "Rue de l'Église"])),
            form(random.one_of(&LANGUAGES)),
            random.below(99_999)
        ),
        2 => format!("/tel?n=%2B49+(0)30+{}-{}", random.below(99_999), random.below(99)),
        3 => format!(
            "/calc?expr={}",
            form(&format!("({}+{})*{}/2", random.below(99), random.below(99), random.below(9)))
        ),
        4 => format!("/color?c=%23{}", token(random, HEX, 6)),
        _ => format!(
            "/cart?add={}&qty={}&size=10%22&options={}",
            random.below(99_999),
            random.below(9),
            form("color:red;size:M")
        ),
    }
}

/// One benign access line.
pub(crate) fn line(random: &mut Random, at: usize) -> String {
    let target = match random.below(20) {
        0..=5 => search(random),
        6..=7 => identifiers(random),
        8..=9 => tracking(random),
        10..=12 => interface(random),
        13..=15 => files(random),
        16..=17 => texts(random),
        18 => forms(random),
        _ => ["/", "/health", "/login", "/api/health", "/metrics", "/ws"][random.below(6)].to_owned(),
    };
    Surroundings::of(random, at).line(&target)
}

/// What stands around the target in an access line.
pub(crate) struct Surroundings {
    client: String,
    time: String,
    method: &'static str,
    answer: String,
    referer: &'static str,
    agent: &'static str,
}

impl Surroundings {
    pub(crate) fn of(random: &mut Random, at: usize) -> Self {
        let method = ["GET", "GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "PUT"][random.below(8)];
        let status = [200, 200, 200, 200, 304, 301, 302, 204, 404][random.below(9)];
        let referer = random.one_of(&REFERERS);
        let agent = random.one_of(&AGENTS);
        Surroundings {
            client: format!("10.{}.{}.{}", random.below(256), random.below(256), random.below(256)),
            time: format!("24/Nov/2026:{:02}:{:02}:{:02} +0000", at / 3600 % 24, at / 60 % 60, at % 60),
            method,
            answer: format!("{status} {}", random.below(60_000)),
            referer,
            agent,
        }
    }

    /// As visitors of files send it.
    pub(crate) fn reading(self) -> Self {
        Surroundings { method: if self.method == "HEAD" { "HEAD" } else { "GET" }, ..self }
    }

    pub(crate) fn line(&self, target: &str) -> String {
        let Surroundings { client, time, method, answer, referer, agent } = self;
        let target = target.replace('"', "%22");
        format!("{client} - - [{time}] \"{method} {target} HTTP/1.1\" {answer} \"{referer}\" \"{agent}\"")
    }
}
