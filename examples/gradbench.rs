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
use serde::Deserialize;
use serde_json::{Value, json};
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

fn main() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(message) => respond(message),
            Err(error) => json!({ "success": false, "error": format!("not a message: {error}") }),
        };
        writeln!(stdout, "{answer}")?;
        stdout.flush()?;
    }
    Ok(())
}

fn respond(message: Message) -> Value {
    let Message { id, kind, module, function, input } = message;
    match kind.as_str() {
        "start" => json!({ "id": id, "tool": "evolute" }),
        "define" => json!({ "id": id, "success": evals::find(&module).is_some() }),
        "evaluate" => match evals::evaluate(&module, &function, input) {
            Ok((output, timings)) => {
                let timings: Vec<Value> = timings.iter().map(Timing::json).collect();
                json!({ "id": id, "success": true, "output": output, "timings": timings })
            }
            Err(error) => json!({ "id": id, "success": false, "error": error.to_string() }),
        },
        _ => json!({ "id": id }),
    }
}
