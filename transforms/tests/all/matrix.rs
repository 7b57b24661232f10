//! Runs every file of `tests/matrix`: a structural instruction alone, in a loop without carries and in one with carries.
//!
//! The expectation is five programs, differentiated and simplified: the primal, its jvp and vjp, forward over reverse and
//! reverse over reverse. So that no wrong one is blessed, each file also passes the checks of [`structures`](crate::structures)
//! on the very same programs, and those of machine code in `codegen/tests/structures`.
//!
//! Programs with linear systems are shown before the solver's iterations stand in their place.

use crate::matrix_files::{CONTEXTS, folder, read};
use crate::numbers::Rng;
use crate::structures::{Case, check};
use crate::texts;
use evolute_ir::{Inst, Linalg, LoopSpec, Method, Op, Program, Reduction, Region, Taken, Trips};
use evolute_transforms::inline::{Between, remove_operators};
use evolute_transforms::simplify::{When, simplify};
use evolute_transforms::{FpMode, Options, Pipeline, derive};
use std::path::Path;

/// Everything that is simplified, without fused multiply-adds, which say little to a reader.
const OPTIONS: Options = Options { fp: FpMode::Contract, simplify: true, fma: false, checked_indices: true };

#[test]
fn files() {
    texts::check(&folder(), demanded().len() * CONTEXTS.len(), outcome);
}

fn outcome(path: &Path, source: &str, _expected: &str) -> String {
    assert_eq!(texts::tested(path, source, "derivatives"), "", "{}", path.display());
    let case = Case::new(read(path, source));
    check(&path.display().to_string(), &case, OPTIONS, &mut Rng::new(7));
    let jvp = derive::jvp(&case.program, &case.wrt, None).expect("real");
    let vjp = derive::vjp(&case.program, &case.wrt, None).expect("real");
    let forward_over_reverse = derive::jvp(&vjp, &case.wrt, None).expect("real");
    let reverse_over_reverse = derive::vjp(&vjp, &case.wrt, None).expect("real");
    let shown = [
        ("primal", &case.program),
        ("jvp", &jvp),
        ("vjp", &vjp),
        ("forward over reverse", &forward_over_reverse),
        ("reverse over reverse", &reverse_over_reverse),
    ];
    shown.map(|(name, program)| format!("── {name}\n{}", simplified(program))).concat()
}

fn simplified(program: &Program) -> Program {
    if program.insts().values().any(|inst| matches!(inst.op, Op::LinearSolve { .. })) {
        let differentiated = remove_operators(program, Between::Simplify).expect("small");
        return simplify(&differentiated, When::Contract).expect("small").program;
    }
    Pipeline::new(OPTIONS).run(program).expect("small")
}

/// For each instruction, the folders that have to be there, and those of them that show the one at hand.
macro_rules! folders {
    ($program:ident, $inst:ident; $($op:pat => $all:expr, $own:expr;)*) => {
        fn demanded() -> Vec<String> {
            [$($all),*].concat()
        }

        fn shown_by($program: &Program, $inst: Inst) -> Vec<String> {
            match $program.op($inst) {
                $($op => $own,)*
            }
        }
    };
}

folders! { program, inst;
    // Those of the table are tested by what goes over the table.
    Op::Const(_) => vec![], vec![];
    Op::Prim(_) => vec![], vec![];
    Op::Cast(_) => names(["cast"]), names(["cast"]);
    Op::Select => names(["select"]), names(["select"]);
    Op::Element(_) => names(["element"]), names(["element"]);
    Op::Pack(_) => names(["pack"]), names(["pack"]);
    Op::Iota(_) => names(["iota"]), names(["iota"]);
    Op::View(..) => names(VIEWS), names(VIEWS);
    Op::Spread(..) => names(SPREADS), names(SPREADS);
    Op::Reduce(reduction, _) => Reduction::ALL.map(reduce).to_vec(), vec![reduce(reduction)];
    Op::Dot => names(["dot"]), names(["dot"]);
    Op::At => names(["at"]), names(["at"]);
    Op::AddAt => names(["add_at"]), names(["add_at"]);
    Op::External(_) => names(["external"]), names(["external"]);
    Op::Call(_) => names(["call"]), names(["call"]);
    Op::Linalg(linalg) => Linalg::ALL.map(library).to_vec(), vec![library(linalg)];
    Op::Loop { spec, .. } => names(LOOPS), looping(program.loop_spec(spec), program.results(inst).count());
    Op::Cond { sums: 0, .. } => names(["cond_values"]), names(["cond_values"]);
    Op::Cond { .. } => names(["cond_sums"]), names(["cond_sums"]);
    Op::Custom { .. } => names(["custom", "root"]), names(["custom", "root"]);
    Op::LinearSolve { inverse, solver, .. } => solves(), vec![solve(program.solver(solver).method, inverse.is_some())];
    Op::Jvp { .. } => names(["jvp"]), names(["jvp"]);
    Op::Vjp { .. } => names(["vjp"]), names(["vjp"]);
}

const VIEWS: [&str; 6] =
    ["view_broadcast", "view_slice", "view_strided_slice", "view_transpose", "view_reshape", "view_diagonal"];

const SPREADS: [&str; 3] = ["spread_pad", "spread_concat", "spread_overlap"];

const LOOPS: [&str; 10] = [
    "loop_fixed",
    "loop_counted",
    "loop_while",
    "loop_reverse",
    "loop_carries",
    "loop_rows",
    "loop_stacks",
    "loop_sums",
    "loop_ordered",
    "loop_checkpoint",
];

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(String::from).to_vec()
}

fn reduce(reduction: Reduction) -> String {
    format!("reduce_{}", reduction.name())
}

fn library(linalg: Linalg) -> String {
    format!("linalg_{}", linalg.name())
}

/// Each method, as it is and preconditioned.
fn solves() -> Vec<String> {
    let own = Method::ALL.map(|method| solve(method, false));
    let preconditioned = Method::ALL.into_iter().filter(|method| method.takes_inverse() == Taken::Optionally);
    own.into_iter().chain(preconditioned.map(|method| solve(method, true))).collect()
}

fn solve(method: Method, has_inverse: bool) -> String {
    let preconditioned = has_inverse && method.takes_inverse() == Taken::Optionally;
    format!("linear_solve_{}{}", method.name(), if preconditioned { "_preconditioned" } else { "" })
}

fn looping(spec: LoopSpec, results: usize) -> Vec<String> {
    let stacks = results - spec.first_carry_result() - (spec.carries + spec.sums) as usize;
    let trips = match spec.trips {
        Trips::Fixed(_) => "loop_fixed",
        Trips::Counted(_) => "loop_counted",
        Trips::While(_) => "loop_while",
    };
    let others = [
        (spec.reverse, "loop_reverse"),
        (spec.carries > 1, "loop_carries"),
        (spec.rows > 0, "loop_rows"),
        (stacks > 0, "loop_stacks"),
        (spec.sums > 0, "loop_sums"),
        (spec.ordered, "loop_ordered"),
        (spec.checkpoint.is_some(), "loop_checkpoint"),
    ];
    let others = others.into_iter().filter(|(has, _)| *has).map(|(_, name)| name);
    std::iter::once(trips).chain(others).map(String::from).collect()
}

#[test]
fn every_instruction_has_its_files() {
    for name in demanded() {
        for context in CONTEXTS {
            let path = folder().join(&name).join(context).with_extension("ir");
            let source = std::fs::read_to_string(&path).unwrap_or_else(|error| {
                panic!("`{name}` is not shown {context}: {}: {error}", path.display())
            });
            let program = read(&path, &source);
            let found = regions_around(&program, context)
                .into_iter()
                .flat_map(|region| &program.region(region).insts)
                .any(|&inst| shown_by(&program, inst).contains(&name));
            assert!(found, "{} does not show `{name}`", path.display());
        }
    }
}

#[test]
fn every_folder_is_of_an_instruction() {
    for entry in std::fs::read_dir(folder()).expect("the folder can be read") {
        let name = entry.expect("the folder can be read").file_name().into_string().expect("a name");
        assert!(demanded().contains(&name), "no instruction asks for `{name}`");
    }
}

/// The regions in which the instruction of a file may stand: those of the loop around it, if there is to be one.
fn regions_around(program: &Program, context: &str) -> Vec<Region> {
    let carries = match context {
        "alone" => return program.regions().keys().collect(),
        "in_map" => 0..=0,
        "in_scan" => 1..=u32::MAX,
        _ => panic!("there is no context `{context}`"),
    };
    let surrounds =
        |op| matches!(op, Op::Loop { spec, .. } if carries.contains(&program.loop_spec(spec).carries));
    let loops = program.region(Program::ROOT).insts.iter().filter(|&&inst| surrounds(program.op(inst)));
    assert!(loops.count() > 0, "no loop for {context}:\n{program}");
    program.regions().keys().filter(|&region| region != Program::ROOT).collect()
}
