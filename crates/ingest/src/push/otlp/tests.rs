//! Records of both encodings give the same lines; what is broken costs itself alone.

use super::*;
use crate::push::sink::Report;

fn read(payload: &mut dyn Payload, body: &[u8]) -> Result<(String, Report), PayloadError> {
    let mut out = Vec::new();
    let mut take = |piece: &[u8]| {
        out.extend_from_slice(piece);
        Ok(())
    };
    let mut lines = Lines::new("test", &mut take);
    payload.read(&mut &body[..], &mut lines)?;
    let report = lines.finish()?;
    Ok((String::from_utf8(out).unwrap(), report))
}

fn pair(key: &str, value: &str) -> OtlpPair {
    OtlpPair { key: key.to_owned(), value: Some(text(value)) }
}

fn text(value: &str) -> OtlpAny {
    OtlpAny { value: Some(OtlpValue::String(value.to_owned())) }
}

fn wrapped(resource: &OtlpResource, records: &[Vec<u8>]) -> Vec<u8> {
    let (mut scope, mut logs, mut export) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        prost::encoding::bytes::encode(2, record, &mut scope);
    }
    // The resource may stand behind its records.
    prost::encoding::bytes::encode(2, &scope, &mut logs);
    prost::encoding::message::encode(1, resource, &mut logs);
    prost::encoding::bytes::encode(1, &logs, &mut export);
    export
}

#[test]
fn json_and_protobuf_give_the_same_lines() {
    let json = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"gate"}},{"key":"service.name","value":{"stringValue":"unknown_service"}}]},
        "scopeLogs":[{"scope":{"name":"s"},"logRecords":[
        {"timeUnixNano":"1795915781000000000","severityNumber":9,"severityText":"INFO","body":{"stringValue":"one"},"attributes":[{"key":"appname","value":{"stringValue":"sshd"}}],"traceId":"00"},
        {"observedTimeUnixNano":5,"attributes":[{"key":"n","value":{"intValue":"7"}},{"key":"l","value":{"arrayValue":{"values":[{"boolValue":true},{"doubleValue":1.5}]}}}]},
        {"body":{"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"b"}}]}}},
        {"timeUnixNano":{}},{}]}]}],"unknown":1}"#;
    let (lines, report) = read(&mut OtlpJson, json.as_bytes()).unwrap();
    let labels = "\"host.name\":\"gate\",\"service.name\":\"unknown_service\"";
    let wanted = [
        format!(
            "{{\"via\":\"otlp\",\"time\":\"1795915781000000000\",\"host\":\"gate\",\"program\":\"sshd\",\"severity\":\"INFO\",\"labels\":{{{labels},\"appname\":\"sshd\"}},\"text\":\"one\"}}\n"
        ),
        format!(
            "{{\"via\":\"otlp\",\"time\":\"5\",\"host\":\"gate\",\"labels\":{{{labels}}},\"text\":\"{{\\\"n\\\":7,\\\"l\\\":[true,1.5]}}\"}}\n"
        ),
        format!("{{\"via\":\"otlp\",\"host\":\"gate\",\"labels\":{{{labels}}},\"text\":\"{{\\\"a\\\":\\\"b\\\"}}\"}}\n"),
    ]
    .concat();
    assert_eq!(lines, format!("{wanted}{{\"timeUnixNano\":{{}}}}\n"));
    assert_eq!(report.poison, [("no_record", 1)]);
    assert_eq!(report.rejected, [("a record has neither body nor attributes", 1)]);

    let resource =
        OtlpResource { attributes: vec![pair("host.name", "gate"), pair("service.name", "unknown_service")] };
    let values = vec![OtlpAny { value: Some(OtlpValue::Bool(true)) }, OtlpAny { value: Some(OtlpValue::Double(1.5)) }];
    let array = OtlpAny { value: Some(OtlpValue::Array(super::super::otlp_messages::OtlpArray { values })) };
    let pairs = super::super::otlp_messages::OtlpPairs { values: vec![pair("a", "b")] };
    let records = [
        OtlpRecord {
            time_unix_nano: 1_795_915_781_000_000_000,
            severity_number: 9,
            severity_text: "INFO".to_owned(),
            body: Some(text("one")),
            attributes: vec![pair("appname", "sshd")],
            ..OtlpRecord::default()
        },
        OtlpRecord {
            observed_time_unix_nano: 5,
            attributes: vec![
                OtlpPair { key: "n".to_owned(), value: Some(OtlpAny { value: Some(OtlpValue::Int(7)) }) },
                OtlpPair { key: "l".to_owned(), value: Some(array) },
            ],
            ..OtlpRecord::default()
        },
        OtlpRecord { body: Some(OtlpAny { value: Some(OtlpValue::Pairs(pairs)) }), ..OtlpRecord::default() },
    ];
    let mut encoded: Vec<Vec<u8>> = records.iter().map(Message::encode_to_vec).collect();
    assert_eq!(read(&mut OtlpProtobuf, &wrapped(&resource, &encoded)).unwrap().0, wanted);
    encoded.push(b"\x2a\xff".to_vec());
    let (lines, report) = read(&mut OtlpProtobuf, &wrapped(&resource, &encoded)).unwrap();
    assert_eq!((lines, report.poison), (format!("{wanted}Kv8=\n"), vec![("no_record", 1)]));
}

#[test]
fn an_empty_request_is_sound_and_what_is_none_is_told() {
    for payload in [&mut OtlpJson as &mut dyn Payload, &mut OtlpProtobuf] {
        assert_eq!(read(payload, b"").unwrap().1.events, 0);
    }
    assert_eq!(read(&mut OtlpJson, b"{}").unwrap().1.events, 0);
    assert!(matches!(read(&mut OtlpJson, b"\x0a\x00"), Err(PayloadError::Format(_))));
    assert!(matches!(read(&mut OtlpProtobuf, b"{\"resourceLogs\":[]}"), Err(PayloadError::Format(_))));
    let deep = format!("{}{}", "{\"arrayValue\":{\"values\":[".repeat(200), "]}}".repeat(200));
    let body = format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{\"body\":{deep}}}]}}]}}]}}");
    // Too deep for a value: refused as a whole, or kept as it came and counted; never followed to its bottom.
    match read(&mut OtlpJson, body.as_bytes()) {
        Err(error) => assert!(matches!(error, PayloadError::Format(_))),
        Ok((_, report)) => assert_eq!(report.poison.len(), 1),
    }
}
