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

#[path = "gradbench/tool.rs"]
mod tool;

use std::io;

fn main() -> io::Result<()> {
    tool::serve(io::stdin().lock(), io::stdout().lock())
}
