//! What a batch holds is what was put, and every text array passes Arrow's own full check.

use arrow_array::StringViewArray;
use arrow_array::cast::AsArray;

use super::*;
use crate::dataset::{ACCESS, JSON};

fn builder(text: &[u8]) -> BatchBuilder {
    BatchBuilder::new(Block::detached("test", text.to_vec(), Timestamp(0)), 4)
}

fn check(batch: &EventBatch) {
    for column in batch.records().columns() {
        if let Some(array) = column.as_string_view_opt() {
            let (views, buffers, nulls) = array.clone().into_parts();
            StringViewArray::try_new(views, buffers, nulls).expect("views are sound");
        }
    }
}

#[test]
fn text_inside_the_block_is_viewed_and_other_text_is_copied() {
    let mut builder = builder("short and a longer piece of text é\n".as_bytes());
    let buffer = builder.buffer();
    builder.text(field::MESSAGE, &buffer[0..5]);
    builder.text(field::URL_ORIGINAL, &buffer[10..34]);
    builder.text(field::URL_QUERY, &buffer[0..34]);
    builder.text(field::URL_PATH, b"elsewhere and long enough");
    builder.literal(field::EVENT_REASON, "a reason of the program itself");
    builder.end_row(0, ACCESS);
    let batch = builder.finish(Position::default());
    check(&batch);
    let value = |id| batch.text(id).unwrap().str(0).unwrap().to_owned();
    assert_eq!(value(field::MESSAGE), "short");
    assert_eq!(value(field::URL_ORIGINAL), "a longer piece of text \u{fffd}", "cut inside a character");
    assert_eq!(value(field::URL_PATH), "elsewhere and long enough");
    assert_eq!(value(field::EVENT_REASON), "a reason of the program itself");
    assert_eq!(value(field::EVENT_DATASET), "http.access");
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_the_arrays_stay_sound() {
    let mut builder = builder(b"ab\xff\xfe cd and more of it\n");
    let buffer = builder.buffer();
    builder.text(field::MESSAGE, &buffer[0..22]);
    builder.text(field::URL_PATH, &buffer[5..22]);
    builder.end_row(0, ACCESS);
    let batch = builder.finish(Position::default());
    check(&batch);
    assert_eq!(batch.text(field::MESSAGE).unwrap().str(0), Some("ab\u{fffd}\u{fffd} cd and more of it"));
    assert_eq!(batch.text(field::URL_PATH).unwrap().str(0), Some("cd and more of it"));
}

#[test]
fn rows_without_a_value_are_null_and_a_cleared_row_leaves_nothing() {
    let mut builder = builder(b"x\n");
    builder.end_row(0, ACCESS);
    builder.long(field::SOURCE_PORT, 7);
    builder.literal(field::MESSAGE, "gone");
    builder.clear_row();
    builder.end_row(0, ACCESS);
    builder.long(field::SOURCE_PORT, 9);
    builder.end_row(0, ACCESS);
    let batch = builder.finish(Position::default());
    check(&batch);
    let port = batch.long(field::SOURCE_PORT).unwrap();
    assert_eq!((0..3).map(|row| port.get(row)).collect::<Vec<_>>(), [None, None, Some(9)]);
    assert!(batch.text(field::MESSAGE).is_none());
}

#[test]
fn a_number_column_becomes_text_when_a_row_brings_text() {
    let mut builder = builder(b"x\n");
    builder.long(field::HTTP_RESPONSE_STATUS_CODE, 404);
    builder.end_row(0, ACCESS);
    builder.end_row(0, ACCESS);
    let id = builder.column_named("http.response.status_code").unwrap();
    builder.tagged_owned(id, "teapot", ValueTag::String);
    builder.end_row(0, JSON);
    builder.long(id, 200);
    builder.end_row(0, ACCESS);
    let batch = builder.finish(Position::default());
    check(&batch);
    let status = batch.text(id).unwrap();
    assert_eq!((0..4).map(|row| status.str(row)).collect::<Vec<_>>(), [Some("404"), None, Some("teapot"), Some("200")]);
    assert_eq!((status.tag(0), status.tag(2), status.tag(3)), (ValueTag::Number, ValueTag::String, ValueTag::Number));
}

#[test]
fn columns_outside_the_catalog_are_bounded() {
    let mut builder = builder(b"x\n");
    for count in 0..DYNAMIC_COLUMNS_MAX {
        builder.column_named(&format!("field.{count}")).unwrap();
    }
    assert_eq!(builder.column_named("one.more"), Err(TooManyColumns));
    assert!(builder.column_named("source.ip").is_ok(), "catalog fields always have a place");
}

#[test]
fn an_explicit_null_exists_but_has_no_value() {
    let mut builder = builder(b"x\n");
    let id = builder.column_named("a.b").unwrap();
    builder.tagged(id, b"", ValueTag::Null);
    builder.end_row(0, JSON);
    builder.end_row(0, JSON);
    let batch = builder.finish(Position::default());
    let column = batch.text_named("a.b").unwrap();
    assert_eq!((column.str(0), column.exists(0), column.exists(1)), (None, true, false));
}

/// Rules that count by the source go by one field, whether a line tells an address or a name.
#[test]
fn the_source_address_is_there_in_every_row_that_names_a_source() {
    let mut builder = builder(b"192.0.2.7 host.example.net\n");
    let buffer = builder.buffer();
    builder.text(field::SOURCE_IP, &buffer[0..9]);
    builder.end_row(0, ACCESS);
    let only_addresses = {
        let mut builder = super::tests::builder(b"192.0.2.7\n");
        let buffer = builder.buffer();
        builder.text(field::SOURCE_IP, &buffer[0..9]);
        builder.end_row(0, ACCESS);
        builder.end_row(0, ACCESS);
        builder.finish(Position::default())
    };
    let shared = |id| only_addresses.text(id).unwrap();
    assert_eq!(shared(field::SOURCE_ADDRESS).str(0), Some("192.0.2.7"));
    assert_eq!(shared(field::SOURCE_ADDRESS).str(1), None);
    builder.text(field::SOURCE_ADDRESS, &buffer[10..26]);
    builder.end_row(0, ACCESS);
    builder.end_row(0, ACCESS);
    let ip = builder.column_named("source.ip").unwrap();
    builder.tagged(ip, b"[\"192.0.2.8\"]", ValueTag::Array);
    builder.end_row(0, JSON);
    builder.tagged(ip, b"192.0.2.9", ValueTag::String);
    builder.tagged(field::SOURCE_ADDRESS, b"", ValueTag::Null);
    builder.end_row(0, JSON);
    let batch = builder.finish(Position::default());
    check(&batch);
    let address = batch.text(field::SOURCE_ADDRESS).unwrap();
    let found: Vec<_> = (0..5).map(|row| address.str(row)).collect();
    assert_eq!(found, [Some("192.0.2.7"), Some("host.example.net"), None, None, None]);
    assert!(address.exists(4) && !address.exists(3), "what a sender wrote stays, and nothing is made of a list");
}
