//! A file of shapes becomes checked shapes. Every mistake is told, with its line and what to do; a shape with a mistake is
//! left out.

use event::catalog::OF_THE_PIPELINE;
use event::dataset::DATASETS;
use event::{DatasetId, Field, FieldType};
use hashbrown::HashMap;
use yaml::{Kind, Location, Node, YamlError};

use super::model::{
    About, Belongs, CarriedText, Condition, Conversion, EventShape, Filled, ShapeProblem, Signature, Signs, Table,
    Wanted, Way,
};
use super::words::{self, KnownWords};
use crate::address::is_ip;
use crate::near::{self, NameKind};

/// Shapes of one file.
const SHAPES_MAX: usize = 1000;
/// Elements of an array that a field can be taken from.
const ITEM_MAX: usize = 63;
/// What a shape is made of.
const PARTS: &[&str] = &[
    "shape",
    "like",
    "documentation",
    "example",
    "where",
    "unless",
    "dataset",
    "logsource",
    "fields",
    "set",
    "text",
    "guess",
    "only_lines",
];
/// Words behind `as`.
const CONVERSIONS: &[(&str, Conversion)] = &[
    ("text", Conversion::Text),
    ("lower", Conversion::Lower),
    ("address", Conversion::Address),
    ("peer", Conversion::Peer),
    ("port", Conversion::Port),
    ("number", Conversion::Number),
    ("time", Conversion::Time),
    ("request", Conversion::Request),
    ("target", Conversion::Target),
    ("url", Conversion::Url),
    ("host", Conversion::Host),
    ("base", Conversion::Base),
    ("version", Conversion::Version),
    ("first", Conversion::Item(0)),
    ("join", Conversion::Join),
    ("bytes", Conversion::Bytes),
    ("seconds", Conversion::Seconds),
    ("milliseconds", Conversion::Milliseconds),
    ("account", Conversion::Account),
];

/// The word behind `as` means this.
pub(super) fn conversion(word: &str) -> Option<Conversion> {
    let known = CONVERSIONS.iter().find(|(known, _)| *known == word).map(|(_, conversion)| *conversion);
    let item = || {
        let number = word.strip_prefix("item ")?.parse::<usize>().ok().filter(|number| *number <= ITEM_MAX)?;
        Some(Conversion::Item(number as u8))
    };
    known.or_else(item)
}

/// What values of a field are where nothing else is said.
pub(super) fn usual_conversion(target: &str) -> Conversion {
    match Field::named(target).map(|(_, field)| field.kind) {
        Some(FieldType::Date) => Conversion::Time,
        Some(FieldType::Long) => Conversion::Number,
        Some(FieldType::Ip) => Conversion::Address,
        _ => Conversion::Text,
    }
}

/// Collects the problems of one file.
pub(super) struct Told<'a> {
    pub(super) path: &'a str,
    pub(super) problems: &'a mut Vec<ShapeProblem>,
    /// What an operator's words are compared with.
    pub(super) words: Option<&'a KnownWords>,
}

impl Told<'_> {
    pub(super) fn add(&mut self, place: Location, reason: impl Into<String>) {
        self.push(place, reason.into(), false);
    }

    fn push(&mut self, place: Location, reason: String, is_note: bool) {
        self.problems.push(ShapeProblem { path: self.path.to_owned(), line: place.line, reason, is_note });
    }

    /// Whether what was read so far has no mistakes.
    fn mistakes(&self) -> usize {
        self.problems.iter().filter(|problem| !problem.is_note).count()
    }

    /// Compares the name of a field with those that are known.
    fn field(&mut self, name: &str, place: Location) {
        match self.words.map_or(NameKind::Exactly, |words| words.field(name)) {
            NameKind::Exactly => {}
            NameKind::Nearly(meant) => self.push(place, near::slip(name, meant), false),
            NameKind::Not(nearest) => self.push(place, near::note(name, nearest), true),
        }
    }

    /// What a table or a constant gives must be a value of its field.
    fn value(&mut self, name: &str, text: &str, place: Location) {
        if let Some(reason) = unfit(name, text).or_else(|| words::unfit_word(name, text)) {
            self.add(place, reason);
        }
    }

    /// A text that is not empty.
    pub(super) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match node.text().filter(|text| !text.trim().is_empty()) {
            Some(text) => Some(text),
            None => {
                self.add(node.place, format!("{what}: a text is expected, not {}", node.shown()));
                None
            }
        }
    }

    /// One text or several.
    fn texts(&mut self, node: &Node, what: &str) -> Vec<String> {
        node.one_or_many().iter().filter_map(|item| self.text(item, what).map(str::to_owned)).collect()
    }

    /// `{meant: written}` with one written word or several.
    pub(super) fn words(&mut self, node: &Node) -> Table {
        let mut table = Table::default();
        for (meant, written) in self.pairs(node, "values") {
            for word in self.texts(written, &meant.text) {
                table.words.push((wanted_text(&word), meant.text.clone()));
            }
        }
        table
    }

    /// The pairs of a mapping.
    pub(super) fn pairs<'n>(&mut self, node: &'n Node, what: &str) -> &'n [(yaml::Key, Node)] {
        node.map().unwrap_or_else(|| {
            self.add(node.place, format!("{what}: a mapping is expected, not {}", node.shown()));
            &[]
        })
    }
}

/// The shapes of a file and the lines on which they begin. `signs`: keys that signatures name get the next numbers.
pub(super) fn shapes(
    (path, documents): (&str, Result<Vec<Node>, YamlError>),
    words: Option<&KnownWords>,
    signs: &mut HashMap<String, u16>,
    problems: &mut Vec<ShapeProblem>,
) -> Vec<(usize, EventShape)> {
    let mut told = Told { path, problems, words };
    let documents = match documents {
        Ok(documents) => documents,
        Err(error) => {
            told.add(error.place, error.message);
            return Vec::new();
        }
    };
    let nodes: Vec<&Node> = documents.iter().flat_map(Node::one_or_many).collect();
    if let Some(first) = nodes.get(SHAPES_MAX) {
        told.add(first.place, format!("a file holds at most {SHAPES_MAX} shapes: split it"));
    }
    let mut found: Vec<(usize, EventShape)> = Vec::new();
    for node in nodes.into_iter().take(SHAPES_MAX) {
        let before = told.mistakes();
        let like = node.get("like").and_then(|name| {
            let text = told.text(name, "like")?;
            let known = found.iter().find(|(_, shape)| shape.about.name == text).map(|(_, shape)| shape.clone());
            if known.is_none() {
                told.add(name.place, format!("like: no shape `{text}` stands before this one in the file: name one"));
            }
            known
        });
        let tables = like.as_ref().map(|like| like.tables.clone()).unwrap_or_default();
        let shape = Draft { told: &mut told, signs, tables }.shape(node, like);
        if let Some(shape) = shape.filter(|_| told.mistakes() == before) {
            found.push((node.place.line, shape));
        }
    }
    found
}

/// One shape while it is read.
struct Draft<'t, 'a> {
    told: &'t mut Told<'a>,
    signs: &'t mut HashMap<String, u16>,
    tables: Vec<Table>,
}

impl Draft<'_, '_> {
    /// `like`: its fields count where the shape does not name them itself.
    fn shape(mut self, node: &Node, like: Option<EventShape>) -> Option<EventShape> {
        for (key, _) in self.told.pairs(node, "a shape") {
            if !PARTS.contains(&key.text.as_str()) {
                let known = PARTS.join(", ");
                self.told.add(key.place, format!("`{}` is no part of a shape: use one of {known}", key.text));
            }
        }
        let mut about = About::default();
        for (key, into) in [
            ("shape", &mut about.name),
            ("documentation", &mut about.documentation),
            ("example", &mut about.example),
            ("dataset", &mut about.dataset),
        ] {
            match node.get(key) {
                Some(value) => *into = self.told.text(value, key).unwrap_or_default().to_owned(),
                None if key == "shape" || key == "dataset" => {
                    self.told.add(node.place, format!("the shape has no `{key}`: give it one"));
                }
                None => {}
            }
        }
        let signature = self.signature(node);
        let belongs = self.belongs(node, &mut about);
        let mut shape = EventShape {
            about,
            signature,
            belongs,
            fields: Vec::new(),
            tables: Vec::new(),
            constants: Vec::new(),
            text: None,
            guesses: self.is_yes(node.get("guess")),
            only_lines: self.is_yes(node.get("only_lines")),
        };
        if let Some(fields) = node.get("fields") {
            shape.fields = self.fields(fields);
        }
        if let Some(like) = like {
            let is_new = |filled: &Filled| !shape.fields.iter().any(|own| own.target == filled.target);
            let inherited: Vec<Filled> = like.fields.into_iter().filter(is_new).collect();
            shape.fields.extend(inherited);
            let is_new = |(name, _): &(String, String)| !shape.constants.iter().any(|(own, _)| own == name);
            let inherited: Vec<(String, String)> = like.constants.into_iter().filter(is_new).collect();
            shape.constants.extend(inherited);
        }
        for (key, value) in node.get("set").map_or(&[][..], |set| self.told.pairs(set, "set")) {
            if self.is_allowed(&key.text, key.place) {
                let text = self.told.text(value, &key.text).unwrap_or_default().to_owned();
                self.told.value(&key.text, &text, value.place);
                shape.constants.push((key.text.clone(), text));
            }
        }
        shape.text = node.get("text").map(|text| self.carried(text));
        shape.tables = self.tables;
        Some(shape)
    }

    fn is_yes(&mut self, node: Option<&Node>) -> bool {
        let Some(node) = node else { return false };
        let word = node.text().unwrap_or_default();
        if !["true", "false"].contains(&word) {
            self.told.add(node.place, format!("guess: true or false is expected, not {}", node.shown()));
        }
        word == "true"
    }

    fn sign(&mut self, key: &str) -> u16 {
        let next = self.signs.len() as u16;
        *self.signs.entry_ref(key).or_insert(next)
    }

    fn signature(&mut self, node: &Node) -> Signature {
        let mut signature = Signature::default();
        let Some(wanted) = node.get("where") else {
            self.told.add(node.place, "the shape has no `where`: name the keys by which it is known");
            return signature;
        };
        if wanted.one_or_many().is_empty() {
            self.told.add(
                wanted.place,
                "`where` names no key: every event would be of the shape; name the keys by which it is known",
            );
        }
        for item in wanted.one_or_many() {
            match &item.kind {
                Kind::List(_) => {
                    let mut any = Signs::default();
                    for key in self.told.texts(item, "where") {
                        any.insert(self.sign(&key));
                    }
                    signature.any.push(any);
                }
                Kind::Map(pairs) => {
                    for (key, value) in pairs {
                        signature.all.insert(self.sign(&key.text));
                        let values = self.told.texts(value, &key.text).iter().map(|text| wanted_text(text)).collect();
                        signature.conditions.push(Condition { key: key.text.clone(), values });
                    }
                }
                _ => {
                    if let Some(key) = self.told.text(item, "where") {
                        signature.all.insert(self.sign(key));
                    }
                }
            }
        }
        if let Some(unwanted) = node.get("unless") {
            for key in self.told.texts(unwanted, "unless") {
                signature.none.insert(self.sign(&key));
            }
        }
        signature
    }

    fn belongs(&mut self, node: &Node, about: &mut About) -> Belongs {
        let known = DATASETS.iter().position(|row| row.name == about.dataset && !row.is_unknown());
        if let (Some(words), Some(place)) = (self.told.words, node.get("dataset").map(|node| node.place))
            && let Some(reason) = words.dataset_slip(&about.dataset)
        {
            self.told.add(place, reason);
        }
        let Some(source) = node.get("logsource") else {
            return match known {
                Some(at) => Belongs::Known(DatasetId(at as u8)),
                None => Belongs::Named(about.dataset.clone()),
            };
        };
        if known.is_some() {
            let reason = "the dataset has its own log source: leave `logsource` out, or name another dataset";
            self.told.add(source.place, reason);
        }
        for (key, value) in self.told.pairs(source, "logsource") {
            let at = ["product", "category", "service"].iter().position(|known| *known == key.text);
            match at {
                Some(at) => {
                    about.logsource[at] = self.told.text(value, &key.text).map(str::to_lowercase);
                    let word = about.logsource[at].as_deref().unwrap_or_default();
                    if let Some(reason) = self.told.words.and_then(|words| words.source_slip(at, &key.text, word)) {
                        self.told.add(value.place, reason);
                    }
                }
                None => self.told.add(key.place, format!("`{}` is not product, category or service", key.text)),
            }
        }
        Belongs::Named(about.dataset.clone())
    }

    /// Fields of the pipeline are no shape's to write.
    fn is_allowed(&mut self, target: &str, place: Location) -> bool {
        let is_ours = OF_THE_PIPELINE.contains(&target);
        if is_ours || target.starts_with("logsource.") {
            self.told.add(place, format!("`{target}` is written by the pipeline: name another field"));
            return false;
        }
        self.told.field(target, place);
        true
    }

    fn fields(&mut self, node: &Node) -> Vec<Filled> {
        let mut fields = Vec::new();
        for (key, value) in self.told.pairs(node, "fields") {
            if !self.is_allowed(&key.text, key.place) {
                continue;
            }
            let ways: Vec<Way> = value.one_or_many().iter().flat_map(|way| self.ways(&key.text, way)).collect();
            if ways.is_empty() {
                self.told.add(key.place, format!("`{}` has no key that it comes from: name one", key.text));
            }
            fields.push(Filled { target: key.text.clone(), ways });
        }
        fields
    }

    /// `key`, or `{from: key or keys, as: word, values: {…}, otherwise: word}`.
    fn ways(&mut self, target: &str, node: &Node) -> Vec<Way> {
        let Kind::Map(pairs) = &node.kind else {
            let key = self.told.text(node, target);
            let conversion = usual_conversion(target);
            return key.map(|key| Way { key: key.to_owned(), conversion, table: None }).into_iter().collect();
        };
        let (mut keys, mut conversion_told, mut table) = (Vec::new(), None, None);
        for (key, value) in pairs {
            match key.text.as_str() {
                "from" => keys = self.told.texts(value, "from"),
                "as" => {
                    let word = self.told.text(value, "as").unwrap_or("text");
                    conversion_told = conversion(word);
                    if conversion_told.is_none() {
                        let known: Vec<&str> = CONVERSIONS.iter().map(|(word, _)| *word).collect();
                        let known = known.join(", ");
                        self.told.add(value.place, format!("as: unknown `{word}`: use one of {known}, item N"));
                    }
                }
                "values" => table = Some(self.told.words(value)),
                "otherwise" => {}
                other => {
                    let reason = format!("`{other}` is no part of a field: use from, as, values, otherwise");
                    self.told.add(key.place, reason);
                }
            }
        }
        if let Some(otherwise) = node.get("otherwise") {
            let word = self.told.text(otherwise, "otherwise").map(str::to_owned);
            table.get_or_insert_default().otherwise = word;
        }
        // The words of a table are compared as they stand, whatever becomes of them.
        let usual = if table.is_some() { Conversion::Text } else { usual_conversion(target) };
        let conversion = conversion_told.unwrap_or(usual);
        let table = table.map(|table| {
            for word in words::given(&table) {
                self.told.value(target, word, node.place);
            }
            self.tables.push(table);
            (self.tables.len() - 1) as u16
        });
        keys.into_iter().map(|key| Way { key, conversion, table }).collect()
    }

    fn carried(&mut self, node: &Node) -> CarriedText {
        let mut carried = CarriedText::default();
        for (key, value) in self.told.pairs(node, "text") {
            match key.text.as_str() {
                "from" => carried.keys = self.told.texts(value, "from"),
                "program" => carried.program = self.told.texts(value, "program"),
                other => self.told.add(key.place, format!("`{other}` is no part of a text: use from, program")),
            }
        }
        if carried.keys.is_empty() {
            self.told.add(node.place, "the text has no key that it comes from: name it with `from`");
        }
        carried
    }
}

fn wanted_text(text: &str) -> Wanted {
    match text.strip_suffix('*') {
        Some(start) => Wanted { text: start.to_owned(), is_start: true },
        None => Wanted { text: text.to_owned(), is_start: false },
    }
}

/// Why a constant is no value of its field.
fn unfit(name: &str, text: &str) -> Option<String> {
    let (_, field) = Field::named(name)?;
    let wanted = match field.kind {
        FieldType::Keyword => return None,
        FieldType::Long if text.parse::<i64>().is_ok() => return None,
        FieldType::Ip if is_ip(text.as_bytes()) => return None,
        FieldType::Long => "a whole number",
        FieldType::Ip => "an address",
        FieldType::Date => "no constant: take it from a key under `fields`",
    };
    Some(format!("`{text}` is no value of {name}, which takes {wanted}"))
}
