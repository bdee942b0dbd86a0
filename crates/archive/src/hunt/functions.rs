//! Functions for security work beside those of SQL. Each takes what a log may hold: a value that is none of its kind gives null,
//! never an error.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, StringViewArray};
use arrow_schema::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use event::Network;

/// All functions.
pub(super) fn all() -> Vec<ScalarUDF> {
    let table = [(Kind::CidrMatch, "cidr_match", 2), (Kind::Entropy, "entropy", 1), (Kind::DomainOf, "domain_of", 1)];
    let function = |(kind, name, texts)| {
        let signature = Signature::exact(vec![DataType::Utf8View; texts], Volatility::Immutable);
        ScalarUDF::from(TextFunction { kind, name, signature })
    };
    table.into_iter().map(function).collect()
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
    use super::*;

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
