//! Cutting long bodies into pieces, each a machine function of its own.
//!
//! Compile time grows faster than linearly within a function, and so does the stack that it takes. So no
//! function holds much more than a limit: from the inside out, the steps of a body that is too long are
//! taken together, in order, to pieces that are called. A piece is called where its steps stood.

use super::Step;

/// Cuts `steps`, and all that is nested in them, into pieces of about `limit` instructions.
pub(super) fn outline(steps: Vec<Step>, limit: usize, pieces: &mut Vec<Vec<Step>>) -> Vec<Step> {
    let mut steps: Vec<Step> = steps.into_iter().map(|step| within(step, limit, pieces)).collect();
    while steps.len() > 1 && weight(&steps) > limit {
        let before = steps.len();
        steps = gathered(steps, limit, pieces);
        if steps.len() == before {
            break;
        }
    }
    steps
}

fn weight(steps: &[Step]) -> usize {
    steps.iter().map(Step::weight).sum()
}

/// A step with its nested bodies cut.
fn within(mut step: Step, limit: usize, pieces: &mut Vec<Vec<Step>>) -> Step {
    if step.weight() <= limit {
        return step;
    }
    let mut cut = |steps: &mut Vec<Step>| *steps = outline(std::mem::take(steps), limit, pieces);
    match &mut step {
        // Two iterations at once share the scalars of one function.
        Step::Loop(looping) if looping.wide.is_some() => {}
        Step::Loop(looping) => {
            if let Some((steps, _)) = &mut looping.condition {
                cut(steps);
            }
            cut(&mut looping.body);
        }
        Step::Choice(choice) => choice.branches.iter_mut().for_each(cut),
        Step::Compute { .. }
        | Step::Constant { .. }
        | Step::Load { .. }
        | Step::Store { .. }
        | Step::Affine { .. }
        | Step::Check { .. }
        | Step::Part { .. }
        | Step::Nest(_)
        | Step::Kernel(_)
        | Step::External { .. }
        | Step::Function(_)
        | Step::Product(_)
        | Step::Library(_)
        | Step::Call(_) => {}
    }
    step
}

/// The steps as calls of pieces that hold them.
fn gathered(steps: Vec<Step>, limit: usize, pieces: &mut Vec<Vec<Step>>) -> Vec<Step> {
    let mut calls = Vec::new();
    let mut piece: Vec<Step> = Vec::new();
    let mut filled = 0;
    for step in steps {
        let weight = step.weight();
        if filled + weight > limit && piece.len() > 1 {
            calls.push(call(std::mem::take(&mut piece), pieces));
            filled = 0;
        }
        filled += weight;
        piece.push(step);
    }
    calls.push(call(piece, pieces));
    calls
}

fn call(piece: Vec<Step>, pieces: &mut Vec<Vec<Step>>) -> Step {
    pieces.push(piece);
    Step::Call(pieces.len() as u32 - 1)
}
