//! The cases of `tests/data/oracle.json`. A malformed file is a panic that names the case and the field.

use serde_json::Value;

/// One case: a function at a point, with its expected values.
pub(crate) struct Case(Value);

/// The cases of a group, in the file's order.
pub(crate) fn cases(group: &str) -> Vec<Case> {
    let file: Value = serde_json::from_str(include_str!("../data/oracle.json")).expect("the file is JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    cases.iter().filter(|case| case["group"] == group).cloned().map(Case).collect()
}

/// The cases by name, in the file's order: one function a name.
pub(crate) fn by_name(cases: Vec<Case>) -> Vec<Vec<Case>> {
    let mut groups: Vec<Vec<Case>> = Vec::new();
    for case in cases {
        match groups.iter_mut().find(|group| group[0].name() == case.name()) {
            Some(group) => group.push(case),
            None => groups.push(vec![case]),
        }
    }
    groups
}

impl Case {
    pub(crate) fn id(&self) -> &str {
        self.text("id")
    }

    pub(crate) fn name(&self) -> &str {
        self.text("name")
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_else(|| panic!("{}: `{key}` is no text", self.0["id"]))
    }

    /// Whether a field is there, and neither null nor false.
    pub(crate) fn has(&self, key: &str) -> bool {
        !matches!(self.0[key], Value::Null | Value::Bool(false))
    }

    /// The field at a path such as `exact/hess`.
    fn field(&self, path: &str) -> &Value {
        path.split('/').fold(&self.0, |value, key| &value[key])
    }

    pub(crate) fn number(&self, path: &str) -> f64 {
        number(self.field(path)).unwrap_or_else(|| panic!("{}: `{path}` is no number", self.id()))
    }

    /// The numbers of a field: a list, a list of rows, or a single one.
    pub(crate) fn numbers(&self, path: &str) -> Vec<f64> {
        self.optional(path).unwrap_or_else(|| panic!("{}: `{path}` are no numbers", self.id()))
    }

    /// As [`numbers`](Case::numbers), `None` where the file has no such field.
    pub(crate) fn optional(&self, path: &str) -> Option<Vec<f64>> {
        flatten(self.field(path))
    }

    /// The labelled numbers of a field.
    pub(crate) fn labelled(&self, key: &str) -> Vec<(String, f64)> {
        let map = self.0[key].as_object().unwrap_or_else(|| panic!("{}: `{key}` is no map", self.id()));
        map.iter().map(|(label, value)| (label.clone(), number(value).expect("a number"))).collect()
    }
}

fn flatten(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(items) => {
            items.iter().map(flatten).collect::<Option<Vec<_>>>().map(|rows| rows.concat())
        }
        _ => number(value).map(|x| vec![x]),
    }
}

/// A decimal string, or a JSON number for tolerances: the nearest `f64`.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        _ => value.as_f64(),
    }
}
