//! From a request body to values in TagoIO's data format (docs.tago.io, “Sending data”).
//!
//! Until a payload parser exists, the serial is the last segment of `metadata.topic`, as in the parser that TagoIO's own
//! relay suggests. Pure: identifiers and the clock come in as arguments.

use serde_json::{Map, Value};

/// Serial of values that name no topic.
pub(super) const UNASSIGNED: &str = "unassigned";
/// Longest variable name, characters.
const MAX_VARIABLE: usize = 100;

/// A value to store.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NewValue {
    pub(super) serial: String,
    pub(super) variable: String,
    /// JSON text.
    pub(super) value: Option<String>,
    pub(super) unit: Option<String>,
    /// `None` when the sender named no group.
    pub(super) group: Option<String>,
    /// JSON text.
    pub(super) time: Option<String>,
    /// JSON text.
    pub(super) location: Option<String>,
    /// JSON text.
    pub(super) metadata: Option<String>,
}

/// A text body: one value of the variable `payload`, as TagoIO hands it to a payload parser.
pub(super) fn from_text(text: &str) -> Vec<NewValue> {
    vec![NewValue {
        serial: UNASSIGNED.to_owned(),
        variable: "payload".to_owned(),
        value: Some(Value::from(text).to_string()),
        unit: None,
        group: None,
        time: None,
        location: None,
        metadata: None,
    }]
}

/// A JSON body: one object or an array of them. An error says which item is wrong and why.
pub(super) fn from_json(body: Value) -> Result<Vec<NewValue>, String> {
    let items = match body {
        Value::Array(items) => items,
        item @ Value::Object(_) => vec![item],
        _ => return Err("The body must be an object or an array of objects".to_owned()),
    };
    let read = |(at, item)| from_item(item).map_err(|problem| format!("Item {at}: {problem}"));
    items.into_iter().enumerate().map(read).collect()
}

fn from_item(item: Value) -> Result<NewValue, &'static str> {
    let Value::Object(mut item) = item else { return Err("not an object") };
    let variable = match item.get("variable").and_then(Value::as_str).map(str::trim) {
        None | Some("") => return Err("variable is required"),
        Some(name) if name.chars().count() > MAX_VARIABLE => return Err("variable has more than 100 characters"),
        Some(name) => name.to_lowercase(),
    };
    let metadata = match item.remove("metadata") {
        None | Some(Value::Null) => None,
        Some(Value::Object(metadata)) => Some(metadata),
        Some(_) => return Err("metadata must be an object"),
    };
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => Some(text),
        None | Some(Value::Null) => None,
        Some(other) => Some(other.to_string()),
    };
    let mut json = |name: &str| item.remove(name).filter(|value| !value.is_null()).map(|value| value.to_string());
    Ok(NewValue {
        serial: metadata.as_ref().and_then(serial).unwrap_or_else(|| UNASSIGNED.to_owned()),
        variable,
        value: json("value"),
        time: json("time"),
        location: json("location"),
        unit: text(item.remove("unit")),
        // `serie` is the older name of `group`.
        group: text(item.remove("group").or_else(|| item.remove("serie"))),
        metadata: metadata.map(|metadata| Value::Object(metadata).to_string()),
    })
}

/// The last segment of the topic; TagoIO's brokers have spelled it `topic` and `mqtt_topic`, also as a list of one.
fn serial(metadata: &Map<String, Value>) -> Option<String> {
    let topic = metadata.get("topic").or_else(|| metadata.get("mqtt_topic"))?;
    let topic = topic.as_str().or_else(|| topic.as_array()?.first()?.as_str())?;
    topic.rsplit('/').find(|segment| !segment.is_empty()).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_keep_their_type_and_serial() {
        let body = json!([
            {"variable": "Payload", "value": "21", "metadata": {"topic": "plant/line-2/dev-07", "qos": 1}},
            {"variable": "t", "value": 21.5, "unit": "°C", "group": "g", "metadata": {"mqtt_topic": ["a/b/"]}},
            {"variable": "on", "value": true},
        ]);
        let values = from_json(body).unwrap();
        let short: Vec<_> =
            values.iter().map(|v| (v.serial.as_str(), v.variable.as_str(), v.value.as_deref().unwrap())).collect();
        assert_eq!(short, [("dev-07", "payload", "\"21\""), ("b", "t", "21.5"), (UNASSIGNED, "on", "true")]);
        assert_eq!(values[1].unit.as_deref(), Some("°C"));
    }

    #[test]
    fn problems_name_their_item() {
        for (body, problem) in [
            (json!("x"), "The body must be an object or an array of objects"),
            (json!([{"variable": "a"}, {"value": 1}]), "Item 1: variable is required"),
            (json!([1]), "Item 0: not an object"),
            (json!({"variable": "x".repeat(101)}), "Item 0: variable has more than 100 characters"),
            (json!({"variable": "a", "metadata": 1}), "Item 0: metadata must be an object"),
        ] {
            assert_eq!(from_json(body).unwrap_err(), problem);
        }
    }
}
