//! Runs random cases, so many or for so long, and reports the first failure with its seed, shrunk.
//!
//! `EVOLUTE_RANDOM_SECONDS` runs each test for that time, from a seed of the clock; `EVOLUTE_RANDOM_SEED`
//! names the seed, which is that of the first case, the next one having the next seed.

use crate::choices::{Choices, shrink};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::{Duration, Instant, SystemTime};

/// What a check found wrong: the program and both results, to be read by a person.
pub(crate) type Outcome = Result<(), String>;

/// Runs `check` on `count` cases.
pub(crate) fn run(name: &str, count: u64, check: impl Fn(&mut Choices) -> Outcome) {
    let seconds = number("EVOLUTE_RANDOM_SECONDS");
    let seed = number("EVOLUTE_RANDOM_SEED").unwrap_or_else(|| seconds.map_or(1, |_| clock()));
    println!("{name}: EVOLUTE_RANDOM_SEED={seed}");
    let (start, mut done) = (Instant::now(), 0);
    let more = |done| match seconds {
        Some(seconds) => start.elapsed() < Duration::from_secs(seconds),
        None => done < count,
    };
    while more(done) {
        case(name, seed.wrapping_add(done), &check);
        done += 1;
    }
    println!("{name}: {done} programs in {:.1} s", start.elapsed().as_secs_f64());
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")))
}

fn clock() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970");
    now.as_secs() * 1_000_000
}

fn case(name: &str, seed: u64, check: &impl Fn(&mut Choices) -> Outcome) {
    let mut choices = Choices::seeded(seed);
    let Err(first) = outcome(check, &mut choices) else { return };
    let fails = |tape: &[u64]| outcome(check, &mut Choices::replay(tape)).is_err();
    let tape = shrink(choices.into_tape(), fails);
    // A failure that does not come again is reported as it was.
    let report = outcome(check, &mut Choices::replay(&tape)).err().unwrap_or(first);
    panic!("EVOLUTE_RANDOM_SEED={seed} fails `{name}`; shrunk:\n{report}");
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `check` finds; a panic of the library is a finding like others, and is not printed.
fn outcome(check: &impl Fn(&mut Choices) -> Outcome, choices: &mut Choices) -> Outcome {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let standard = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                standard(info);
            }
        }));
    });
    QUIET.set(true);
    let caught = catch_unwind(AssertUnwindSafe(|| check(choices)));
    QUIET.set(false);
    caught.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(format!("panicked: {text}"))
    })
}
