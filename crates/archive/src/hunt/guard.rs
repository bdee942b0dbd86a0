//! What may be asked: one statement that reads. Names of fields with dots are put together, so that `source.ip` needs no quotes.
//! Nothing here knows the data.

use std::ops::ControlFlow;

use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::{self, AccessExpr, Expr, Ident, SetExpr, TableFactor, VisitMut, VisitorMut};
use event::Field;

use super::error::HuntError;
use crate::schema::columns;

/// Longest question, in bytes.
pub const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// Parts that a question may have: terms, functions, tables. Planning takes more than linear time in them.
const PARTS_MAX: usize = 4000;

/// The question as a statement, with the names of fields as one name each.
pub(super) fn read_only(question: &str) -> Result<Statement, HuntError> {
    if question.len() > QUESTION_BYTES_MAX {
        return Err(HuntError::Refused(format!("a question has at most {QUESTION_BYTES_MAX} bytes")));
    }
    let wrong = |error: DataFusionError| HuntError::Failed(error.strip_backtrace());
    let mut statements = DFParser::parse_sql(question).map_err(wrong)?;
    let only = statements.pop_front().filter(|_| statements.is_empty());
    let Some(statement) = only else {
        return Err(HuntError::Refused("ask one question at a time: one SELECT".to_owned()));
    };
    let Statement::Statement(mut statement) = statement else { return Err(refused()) };
    if !matches!(&*statement, ast::Statement::Query(_)) {
        return Err(refused());
    }
    let mut names = Names { parts: 0, fault: None };
    // Stops where a fault was found.
    let _stopped = VisitMut::visit(statement.as_mut(), &mut names);
    match names.fault {
        Some(fault) => Err(HuntError::Refused(fault)),
        None => Ok(Statement::Statement(statement)),
    }
}

/// Plans that write, set or define are refused, whatever statement they come from.
pub(super) fn only_reads() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

fn refused() -> HuntError {
    HuntError::Refused("only questions are answered: SELECT … FROM events …, or WITH … SELECT …".to_owned())
}

/// What is wrong with a question that cannot be planned, with the field that was perhaps meant.
pub(super) fn explain(error: &DataFusionError) -> HuntError {
    let text = error.strip_backtrace();
    let known = text.split(". Valid fields are").next().unwrap_or(&text);
    let missing = known.split("No field named ").nth(1).map(|rest| rest.trim_matches(['"', '.', ' ']).to_owned());
    match missing.and_then(|missing| nearest(&missing)) {
        Some(near) => HuntError::Failed(format!("{known}: did you mean {near}?")),
        None => HuntError::Failed(known.to_owned()),
    }
}

/// The known field that is most like this name.
pub(crate) fn nearest(name: &str) -> Option<String> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or("").to_owned();
    let all = columns().into_iter().map(|column| column.name().clone());
    let scored = all.map(|known| {
        let whole = strsim::normalized_damerau_levenshtein(&known, name);
        let ends = if last(&known) == last(name) { 0.3 } else { 0.0 };
        (known, whole + ends)
    });
    let best = scored.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (best.1 > 0.5).then_some(best.0)
}

/// Puts the names of fields together, and looks for what may not be asked.
struct Names {
    parts: usize,
    fault: Option<String>,
}

impl Names {
    fn count(&mut self) -> ControlFlow<()> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            self.fault = Some(format!("the question has more than {PARTS_MAX} parts: ask a shorter one"));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// The longest end of a name with dots that is a field, and how many parts stand in front of it.
fn field_of(parts: &[Ident]) -> Option<(usize, String)> {
    (0..parts.len().min(2)).find_map(|skipped| {
        let words: Vec<&str> = parts[skipped..].iter().map(|part| part.value.as_str()).collect();
        let name = words.join(".");
        let is_own = columns().iter().any(|column| *column.name() == name);
        (words.len() > 1 && (is_own || Field::named(&name).is_some())).then_some((skipped, name))
    })
}

/// The parts of a name with dots whose first part is a word of SQL.
fn parts_of(root: &Expr, chain: &[AccessExpr]) -> Option<Vec<Ident>> {
    let first = match root {
        Expr::Identifier(name) => name.clone(),
        Expr::Function(function) => match function.name.0.as_slice() {
            [only] => only.as_ident()?.clone(),
            _ => return None,
        },
        _ => return None,
    };
    let rest = chain.iter().map(|part| match part {
        AccessExpr::Dot(Expr::Identifier(name)) => Some(name.clone()),
        _ => None,
    });
    std::iter::once(Some(first)).chain(rest).collect()
}

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let quoted = |name: String| Ident::with_quote('"', name);
        match expression {
            Expr::CompoundIdentifier(parts) => {
                if let Some((skipped, name)) = field_of(parts) {
                    let table = parts.drain(..skipped).collect::<Vec<_>>();
                    *expression = match table.into_iter().next() {
                        Some(table) => Expr::CompoundIdentifier(vec![table, quoted(name)]),
                        None => Expr::Identifier(quoted(name)),
                    };
                }
            }
            // `user.name`: SQL knows a function `user`.
            Expr::CompoundFieldAccess { root, access_chain } => {
                let parts = parts_of(root, access_chain);
                if let Some((0, name)) = parts.as_deref().and_then(field_of) {
                    *expression = Expr::Identifier(quoted(name));
                }
            }
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.starts_with('@') => {
                *expression = Expr::Identifier(quoted(name.value.clone()));
            }
            _ => {}
        }
        self.count()
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        let fault = match table {
            TableFactor::Table { args: Some(_), .. }
            | TableFactor::TableFunction { .. }
            | TableFactor::Function { .. } => Some("functions that make tables cannot be asked".to_owned()),
            TableFactor::Table { name, .. } if name.0.len() > 1 => {
                Some(format!("there is no table {name}: ask FROM events"))
            }
            _ => None,
        };
        if fault.is_some() {
            self.fault = fault;
            return ControlFlow::Break(());
        }
        self.count()
    }

    fn pre_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<()> {
        let recurses = query.with.as_ref().is_some_and(|with| with.recursive);
        let writes =
            matches!(&*query.body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_));
        if recurses || writes || !query.locks.is_empty() {
            self.fault = Some("a question only reads: neither WITH RECURSIVE nor what writes or locks".to_owned());
            return ControlFlow::Break(());
        }
        self.count()
    }
}
