//! Functions for security work beside those of SQL. Each takes what a log may hold: a value that is none of its kind gives null,
//! never an error.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringViewArray};
use arrow_schema::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use event::Network;

const CIDR_MATCH: &str = "cidr_match";

/// All functions.
pub(super) fn all() -> Vec<ScalarUDF> {
    let table = [(Kind::CidrMatch, CIDR_MATCH, 2), (Kind::Entropy, "entropy", 1), (Kind::DomainOf, "domain_of", 1)];
    let function = |(kind, name, texts)| {
        let signature = Signature::exact(vec![DataType::Utf8View; texts], Volatility::Immutable);
        ScalarUDF::from(TextFunction { kind, name, signature })
    };
    table.into_iter().map(function).collect()
}

/// A function that whoever opens an archive brings along: texts in, one value out. It must give equal values for equal texts.
#[derive(Clone)]
pub struct HuntFunction {
    /// Its name in questions.
    pub name: &'static str,
    /// How many texts it takes.
    pub texts: usize,
    /// What it gives.
    pub returns: FunctionType,
    /// `None`: there is no value.
    pub of: FunctionOfTexts,
}

/// What such a function does.
pub type FunctionOfTexts = Arc<dyn Fn(&[&str]) -> Option<FunctionValue> + Send + Sync>;

/// The kind of value of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FunctionType {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// True or false.
    Truth,
}

/// A value of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionValue {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Truth(bool),
}

impl std::fmt::Debug for HuntFunction {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("HuntFunction").field("name", &self.name).finish_non_exhaustive()
    }
}

/// [`HuntFunction`] as the planner knows it: two of one name are equal.
#[derive(Debug)]
pub(super) struct BroughtFunction {
    function: HuntFunction,
    signature: Signature,
}

impl BroughtFunction {
    pub(super) fn new(function: HuntFunction) -> BroughtFunction {
        let signature = Signature::exact(vec![DataType::Utf8View; function.texts], Volatility::Immutable);
        BroughtFunction { function, signature }
    }
}

impl PartialEq for BroughtFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for BroughtFunction {}

impl std::hash::Hash for BroughtFunction {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for BroughtFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.function.returns {
            FunctionType::Text => DataType::Utf8View,
            FunctionType::Number => DataType::Int64,
            FunctionType::Truth => DataType::Boolean,
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let columns: Vec<&StringViewArray> = arrays.iter().map(|array| array.as_string_view()).collect();
        let mut texts: Vec<&str> = Vec::with_capacity(columns.len());
        // Logs repeat themselves: equal texts follow one another more often than not.
        let mut last: Option<(Vec<&str>, Option<FunctionValue>)> = None;
        let rows = rows.min(columns.first().map_or(0, |column| column.len()));
        let mut found: Vec<Option<FunctionValue>> = Vec::with_capacity(rows);
        for row in 0..rows {
            texts.clear();
            texts.extend(columns.iter().filter(|column| !column.is_null(row)).map(|column| column.value(row)));
            let value = match &last {
                _ if texts.len() < columns.len() => None,
                Some((known, value)) if *known == texts => value.clone(),
                _ => {
                    let value = (self.function.of)(&texts);
                    last = Some((texts.clone(), value.clone()));
                    value
                }
            };
            found.push(value);
        }
        Ok(ColumnarValue::Array(self.column(found)))
    }
}

impl BroughtFunction {
    fn column(&self, found: Vec<Option<FunctionValue>>) -> ArrayRef {
        let each = found.into_iter();
        match self.function.returns {
            FunctionType::Text => Arc::new(
                each.map(|value| match value {
                    Some(FunctionValue::Text(text)) => Some(text),
                    _ => None,
                })
                .collect::<StringViewArray>(),
            ),
            FunctionType::Number => Arc::new(
                each.map(|value| match value {
                    Some(FunctionValue::Number(number)) => Some(number),
                    _ => None,
                })
                .collect::<Int64Array>(),
            ),
            FunctionType::Truth => Arc::new(
                each.map(|value| match value {
                    Some(FunctionValue::Truth(truth)) => Some(truth),
                    _ => None,
                })
                .collect::<BooleanArray>(),
            ),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// `cidr_match(address, 'network[, network…]')`: whether the address is in one of the networks.
    CidrMatch,
    /// `entropy(text)`: bits of information of a byte, from 0 to 8.
    Entropy,
    /// `domain_of(name)`: the last two labels of a host name, three where the last two are such as `co.uk`.
    DomainOf,
}

/// A function of texts.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TextFunction {
    kind: Kind,
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for TextFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::CidrMatch => DataType::Boolean,
            Kind::Entropy => DataType::Float64,
            Kind::DomainOf => DataType::Utf8View,
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let networks = match self.kind {
            Kind::CidrMatch => networks(arguments.args.get(1))?,
            _ => Vec::new(),
        };
        let Some(first) = arguments.args.into_iter().next() else { return Ok(ScalarValue::Null.into()) };
        let texts = first.into_array(arguments.number_rows)?;
        let texts = texts.as_string_view();
        let array: ArrayRef = match self.kind {
            Kind::CidrMatch => {
                let is_in = |text: &str| {
                    let address: IpAddr = text.parse().ok()?;
                    Some(networks.iter().any(|network| network.holds(address)))
                };
                Arc::new(texts.iter().map(|text| is_in(text?)).collect::<BooleanArray>())
            }
            Kind::Entropy => Arc::new(texts.iter().map(|text| text.map(entropy)).collect::<Float64Array>()),
            Kind::DomainOf => Arc::new(texts.iter().map(|text| text.and_then(domain_of)).collect::<StringViewArray>()),
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// The networks of a text that is the same for all rows.
fn networks(argument: Option<&ColumnarValue>) -> Result<Vec<Network>> {
    let Some(ColumnarValue::Scalar(scalar)) = argument else {
        let reason = "cidr_match takes its networks as a text: cidr_match(source.ip, '10.0.0.0/8, 192.0.2.0/24')";
        return Err(DataFusionError::Plan(reason.to_owned()));
    };
    let text = scalar.try_as_str().flatten().unwrap_or("");
    let network =
        |text: &str| text.trim().parse().map_err(|error| DataFusionError::Plan(format!("cidr_match: {error}")));
    text.split(',').map(network).collect()
}

/// For a condition that an address lies in networks of IPv4: with what the texts begin for which it is true. `None` for any other
/// condition. Numbers with zeros in front are no address to it, so that an address has one way to be written.
pub(super) fn beginnings_of_networks(condition: &Expr) -> Option<Vec<String>> {
    let Expr::ScalarFunction(call) = condition else { return None };
    let [Expr::Column(_), Expr::Literal(networks, _)] = &call.args[..] else { return None };
    let networks = self::networks(Some(&ColumnarValue::Scalar(networks.clone()))).ok()?;
    let beginning = |network: &Network| {
        let IpAddr::V4(start) = network.start() else { return None };
        let whole = usize::from(network.bits()) / 8;
        let octets = start.octets().into_iter().take(whole).map(|octet| octet.to_string());
        let beginning = octets.collect::<Vec<_>>().join(".");
        Some(if (1..4).contains(&whole) { beginning + "." } else { beginning })
    };
    let is_called = call.func.name() == CIDR_MATCH;
    is_called.then(|| networks.iter().map(beginning).collect()).flatten()
}

/// Shannon's entropy of the bytes, in bits.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let all = text.len() as f64;
    let part = |count: &u32| {
        let share = f64::from(*count) / all;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(part).sum()
}

/// Labels under which registries give names away in the third level.
const SECOND_LEVELS: [&str; 7] = ["co", "com", "net", "org", "gov", "ac", "edu"];

fn domain_of(name: &str) -> Option<&str> {
    let name = name.trim_end_matches('.');
    if name.parse::<IpAddr>().is_ok() || !name.contains('.') {
        return None;
    }
    let labels: Vec<&str> = name.rsplit('.').collect();
    let is_country = labels.first().is_some_and(|last| last.len() == 2);
    let is_third = is_country && labels.len() > 2 && SECOND_LEVELS.contains(&labels[1]);
    let wanted = if is_third { 3 } else { 2 };
    let length: usize = labels.iter().take(wanted).map(|label| label.len() + 1).sum::<usize>() - 1;
    name.get(name.len() - length..)
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    #[test]
    fn networks_tell_how_their_addresses_begin() {
        let asked = |networks: &str| {
            let function = all().into_iter().find(|function| function.name() == CIDR_MATCH).unwrap();
            beginnings_of_networks(&function.call(vec![col("ip"), lit(networks)]))
        };
        let some = |beginnings: &[&str]| Some(beginnings.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(asked("10.1.2.3/8, 192.0.2.64/26"), some(&["10.", "192.0.2."]));
        assert_eq!(asked("192.0.2.7/32, 172.16.0.0/12, 0.0.0.0/0"), some(&["192.0.2.7", "172.", ""]));
        assert_eq!((asked("10.0.0.0/8, 2001:db8::/32"), asked("x")), (None, None));
        let other = all().into_iter().find(|function| function.name() == "entropy").unwrap();
        assert_eq!(beginnings_of_networks(&other.call(vec![col("ip")])), None);
        let of_another = all().into_iter().find(|function| function.name() == CIDR_MATCH).unwrap();
        let within = of_another.call(vec![other.call(vec![col("ip")]), lit("10.0.0.0/8")]);
        assert_eq!(beginnings_of_networks(&within), None);
    }

    #[test]
    fn domains_are_what_somebody_registered() {
        for (name, domain) in [
            ("a.b.example.org", Some("example.org")),
            ("www.example.co.uk.", Some("example.co.uk")),
            ("co.uk", Some("co.uk")),
            ("localhost", None),
            ("192.0.2.1", None),
        ] {
            assert_eq!(domain_of(name), domain, "{name}");
        }
        assert_eq!(entropy("aaaa"), 0.0);
        assert_eq!(entropy("abcd"), 2.0);
    }
}
