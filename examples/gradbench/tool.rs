//! The suite's protocol: a message a line, and the answer to each. What is wrong with a message is said in its answer.

#[path = "evals.rs"]
pub(crate) mod evals;

use evals::job::Timing;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, BufRead, Write};

/// A message of the suite. Of those whose kind is not known only the number matters.
#[derive(Deserialize)]
struct Message {
    id: i64,
    kind: String,
    #[serde(default)]
    module: String,
    #[serde(default)]
    function: String,
    #[serde(default)]
    input: Value,
}

/// The answer to a message. What does not belong to its kind is left out.
#[derive(Serialize, Default)]
struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    success: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<Vec<Timing>>,
}

/// Answers each line of the input, whatever it says, with one of the output.
pub(crate) fn serve(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    for line in input.split(b'\n') {
        let response = match serde_json::from_slice(&line?) {
            Ok(message) => respond(message),
            Err(error) => Response::failure(format!("not a message: {error}")),
        };
        let mut line = serde_json::to_vec(&response)?;
        line.push(b'\n');
        output.write_all(&line)?;
        output.flush()?;
    }
    Ok(())
}

fn respond(message: Message) -> Response {
    let Message { id, kind, module, function, input } = message;
    let response = match kind.as_str() {
        "start" => Response { tool: Some("evolute"), ..Response::default() },
        "define" => Response { success: Some(evals::find(&module).is_some()), ..Response::default() },
        "evaluate" => match evals::evaluate(&module, &function, input) {
            Ok((output, timings)) => Response {
                success: Some(true),
                output: Some(output),
                timings: Some(timings),
                ..Response::default()
            },
            Err(error) => Response::failure(error.to_string()),
        },
        _ => Response::default(),
    };
    Response { id: Some(id), ..response }
}

impl Response {
    fn failure(error: String) -> Response {
        Response { success: Some(false), error: Some(error), ..Response::default() }
    }
}
