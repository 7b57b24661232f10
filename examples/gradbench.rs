//! Evolute as a tool of GradBench, the benchmark suite of differentiable programming
//! (<https://github.com/gradbench/gradbench>): all of its evals.
//!
//! The tool speaks the suite's protocol, a JSON message a line: it reads them from its standard input and answers on its
//! standard output. In a checkout of the suite,
//!
//!     ./gradbench run --eval "…/evals/gmm/run.py" --tool "…/target/release/examples/gradbench"
//!
//! runs an eval against it. By hand:
//!
//!     echo '{"id": 0, "kind": "evaluate", "module": "hello", "function": "double", "input": 3.0}' |
//!         cargo run --release --example gradbench
//!
//! Each eval has a file of its own in `gradbench/`: its mathematics in a traced function, its input, and what is
//! evaluated. A function is traced, differentiated and compiled once an input, which is reported as the timing
//! `prepare`, and then called as often as the input asks for, each time an `evaluate`.

#[path = "gradbench/evals.rs"]
mod evals;

use evals::job::Timing;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, BufRead, BufWriter, Write};

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

fn main() -> io::Result<()> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let response = match serde_json::from_str(&line?) {
            Ok(message) => respond(message),
            Err(error) => Response::failure(format!("not a message: {error}")),
        };
        serde_json::to_writer(&mut stdout, &response)?;
        writeln!(stdout)?;
        stdout.flush()?;
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
