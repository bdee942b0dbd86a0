//! The raw line as a function of the stored columns: what was stored as a form is made of the fields again, where a question
//! asks for the line.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field as ArrowField, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::restore::originals;

/// Takes the columns whose names it knows, in their order.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RawLine {
    names: Vec<String>,
    signature: Signature,
}

impl RawLine {
    pub(super) fn new(names: impl Iterator<Item = String>) -> RawLine {
        RawLine { names: names.collect(), signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for RawLine {
    fn name(&self) -> &str {
        "raw_line"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let fields = self.names.iter().zip(&arrays);
        let fields: Vec<ArrowField> =
            fields.map(|(name, array)| ArrowField::new(name, array.data_type().clone(), true)).collect();
        let arrays: Vec<ArrayRef> = arrays.into_iter().collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let rows = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?;
        Ok(ColumnarValue::Array(Arc::new(originals(&rows))))
    }
}
