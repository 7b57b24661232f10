//! One test an invariant: a valid program is corrupted in one place, and the violation is found, whatever else
//! it entails. Corrupted programs can still be printed.

use super::*;
use crate::callee::Callee;
use crate::entity::{CalleeId, Level, Loc, TypeId};
use crate::program::{Mode, Origin, RegionData, Role, SourceLoc, ValueData};
use crate::text::parse;
use crate::types::{Elem, Literal, Type};

/// Values 5 to 7 belong to the nested region, whose instruction is number 3 and whose operator number 4.
const BASE: &str = r#"evolute 0
level 1 = vjp @"a.rs":1
program (v0: f64[2] @"a.rs":2, v1: f64) -> (f64, f64) {
  v2 = element v0, 0
  v3.t1 = mul v2, v1 of v2 "name"
  v4 = pack f64[2] v2, v1
  v8, v9 = vjp v1, v1, v2 wrt 1 (v5: f64, v6: f64) {
    v7 = mul v5, v6
    yield v7
  }
  return v8, v9
}
"#;

fn base() -> Program {
    let program = parse(BASE).expect("the base is well formed");
    assert_eq!(verify(&program), Ok(()));
    program
}

fn violations(program: &Program) -> Vec<String> {
    let _ = program.to_string();
    match verify(program) {
        Err(IrError::Invalid { violations }) => violations,
        other => panic!("expected violations, found {other:?}"),
    }
}

#[track_caller]
fn check<R>(corrupt: impl FnOnce(&mut Program) -> R, expected: &str) {
    let mut program = base();
    let _ = corrupt(&mut program);
    let found = violations(&program);
    assert!(found.iter().any(|v| v.contains(expected)), "expected {expected:?}, found {found:#?}");
}

const V: fn(u32) -> Value = Value::from_u32;
const I: fn(u32) -> Inst = Inst::from_u32;
const BODY: Region = Region::from_u32(1);
const NOWHERE: u32 = 99;

#[test]
fn invariant_1_types() {
    check(|p| p.types[TypeId::from_u32(0)] = Type::scalar(Elem::F32), "the first types are not the scalars");
    check(|p| p.types[TypeId::from_u32(1)] = Type::scalar(Elem::F64), "two types are equal");
    check(|p| p.types = Table::new(), "the first types are not the scalars");
}

#[test]
fn invariant_2_places() {
    let place = |line| Some(SourceLoc { file: "a.rs".into(), line });
    check(|p| p.locs[Loc::from_u32(0)] = place(9), "place 0 is not unknown");
    check(|p| p.locs[Loc::from_u32(2)] = None, "two source lines are equal");
    check(|p| p.locs[Loc::from_u32(2)] = place(1), "two source lines are equal");
    check(|p| p.locs = Table::new(), "place 0 is not unknown");
}

#[test]
fn invariant_3_levels() {
    check(
        |p| p.levels[Level::from_u32(0)].mode = Some(Mode::Forward),
        "level0: level 0, and no other, has no mode",
    );
    check(|p| p.levels[Level::from_u32(1)].mode = None, "level1: level 0, and no other, has no mode");
    check(|p| p.levels[Level::from_u32(0)].loc = Loc::from_u32(1), "level 0 has a place");
    check(|p| p.levels[Level::from_u32(1)].loc = Loc::from_u32(NOWHERE), "level1: its place does not exist");
    check(|p| p.levels = Table::new(), "there is no level 0");
}

#[test]
fn invariant_4_indices() {
    check(|p| p.values[V(3)].ty = TypeId::from_u32(NOWHERE), "its type does not exist");
    check(|p| p.values[V(3)].region = Region::from_u32(NOWHERE), "its region does not exist");
    check(|p| p.values[V(3)].def = Def::Result(I(NOWHERE)), "its instruction does not exist");
    check(|p| p.values[V(3)].origin.loc = Loc::from_u32(NOWHERE), "its place does not exist");
    check(|p| p.values[V(3)].origin.level = Level::from_u32(NOWHERE), "its level does not exist");
    check(|p| p.values[V(3)].origin.of = Some(V(NOWHERE)), "what it is the derivative of does not exist");
    check(|p| p.operands[0] = V(NOWHERE), "an operand does not exist");
    check(|p| p.insts[I(1)].first_operand = u32::MAX, "an operand does not exist");
    check(|p| p.insts[I(1)].first_result = V(u32::MAX), "a result does not exist");
    check(|p| p.insts[I(1)].result_count = u32::MAX, "a result does not exist");
    check(
        |p| p.insts[I(4)].op = Op::Vjp { region: Region::from_u32(NOWHERE), wrt: 1 },
        "its region does not exist",
    );
    check(|p| p.insts[I(2)].op = Op::Pack(TypeId::from_u32(NOWHERE)), "a known type");
    check(|p| p.regions[BODY].params[0] = V(NOWHERE), "region1: a parameter or result does not exist");
    check(|p| p.regions[BODY].results[0] = V(NOWHERE), "region1: a parameter or result does not exist");
    check(|p| p.regions[BODY].insts[0] = I(NOWHERE), "region1: an instruction does not exist");
    check(|p| p.names.insert(V(NOWHERE), "x".into()), "v99 has a name but does not exist");
}

#[test]
fn invariant_5_first_appearances() {
    let place = |line| Some(SourceLoc { file: "b.rs".into(), line });
    check(|p| p.locs.push(place(1)), "source lines are not numbered as they first appear");
    check(
        |p| p.values[V(0)].origin.loc = Loc::from_u32(0),
        "source lines are not numbered as they first appear",
    );
    let swap = |p: &mut Program| {
        (p.levels[Level::from_u32(1)].loc, p.values[V(0)].origin.loc) = (Loc::from_u32(2), Loc::from_u32(1))
    };
    check(swap, "source lines are not numbered as they first appear");
    let unused = Type::array(Elem::I64, &[7]).expect("small");
    check(|p| p.types.push(unused), "types are not numbered as they first appear");
}

#[test]
fn invariant_6_regions() {
    let unused = RegionData::default();
    check(|p| p.regions.push(unused), "region2 is the body of no operator");
    check(|p| p.insts[I(4)].op = Op::Vjp { region: Program::ROOT, wrt: 1 }, "region0 is the body of several");
    check(
        |p| p.insts[I(3)].op = Op::Vjp { region: BODY, wrt: 1 },
        "region1 is the body of several operators",
    );
    check(|p| p.insts[I(4)].op = Op::Select, "region1 is the body of no operator");
    check(|p| p.regions = Table::new(), "there is no root region");
    assert_eq!(verify(&nested(MAX_DEPTH - 1).expect("as deep as may be")), Ok(()));
    assert_eq!(nested(MAX_DEPTH), Err(IrError::TooDeep { limit: MAX_DEPTH }));
}

/// `depth` operators within each other.
fn nested(depth: usize) -> Result<Program, IrError> {
    let mut builder = crate::Builder::new();
    for _ in 0..depth {
        builder.open_region();
    }
    for _ in 0..depth {
        let body = builder.close_region(&[])?;
        builder.operator(Mode::Forward, body, &[], &[])?;
    }
    builder.finish(&[])
}

#[test]
fn invariant_7_instructions() {
    check(|p| p.regions[BODY].insts.push(I(0)), "`v2 = element v0, 0`: it stands in several places");
    check(|p| p.regions[Program::ROOT].insts.push(I(0)), "`v2 = element v0, 0`: it stands in several places");
    check(|p| p.regions[BODY].insts.pop(), "`v7 = mul v5, v6`: it stands in no region");
}

#[test]
fn invariant_8_order() {
    check(|p| p.regions[Program::ROOT].insts.swap(1, 2), "inst2 stands where inst1 should");
    check(|p| p.regions[Program::ROOT].params.swap(0, 1), "v1 is defined where v0 should be");
    check(|p| p.operands.push(V(0)), "an operand belongs to no instruction");
    check(|p| p.insts[I(2)].first_operand -= 1, "its operands are not where the text's order has them");
    let unmet =
        ValueData { ty: TypeId::from_u32(0), region: BODY, def: Def::Param(2), origin: Origin::default() };
    check(|p| p.values.push(unmet), "v10: no region defines it");
    let renumber = |p: &mut Program| {
        let body = p.regions[BODY].clone();
        p.regions.push(body);
        p.insts[I(4)].op = Op::Vjp { region: Region::from_u32(2), wrt: 1 };
    };
    check(renumber, "region2 stands where region1 should");
}

#[test]
fn invariant_9_definitions() {
    check(|p| p.values[V(1)].def = Def::Param(0), "v1: it is not defined where it stands");
    check(|p| p.values[V(2)].def = Def::Result(I(1)), "it is not defined where it stands");
    check(|p| p.values[V(2)].region = BODY, "it belongs to another region than where it stands");
}

#[test]
fn invariant_10_isolation() {
    check(|p| p.operands[5] = V(0), "`v7 = mul v0, v6`: v0 is not a value defined above in its region");
    check(|p| p.operands[1] = V(5), "v5 is not a value defined above in its region");
    check(|p| p.operands[1] = V(3), "v3 is not a value defined above in its region");
    check(|p| p.regions[BODY].results[0] = V(1), "region1: its result v1 is not one of its values");
    check(|p| p.regions[Program::ROOT].results[0] = V(7), "region0: its result v7 is not one of its values");
}

#[test]
fn invariant_11_types() {
    check(|p| p.insts[I(1)].op = Op::Prim(crate::Prim::Not), "`not` expects 1 operands, found 2");
    check(|p| p.insts[I(0)].op = Op::Element(2), "`element` expects an array of more than 2 elements");
    check(|p| p.values[V(7)].ty = TypeId::from_u32(1), "its result cannot be of type f32");
    check(|p| p.insts[I(1)].op = Op::Const(Literal::I64(1)), "`const` expects 0 operands, found 2");
    check(|p| p.insts[I(3)].result_count = 2, "it has 2 results instead of one");
    check(|p| p.insts[I(3)].result_count = 0, "it has 0 results instead of one");
}

#[test]
fn invariant_12_operators() {
    check(|p| p.operands[8] = V(4), "it takes (f64, f64, f64)");
    check(|p| p.insts[I(4)].op = Op::Vjp { region: BODY, wrt: 0 }, "it gives (f64)");
    check(|p| p.insts[I(4)].op = Op::Vjp { region: BODY, wrt: 3 }, "`vjp` expects at least 3 parameters");
    check(
        |p| p.values[V(5)].ty = TypeId::from_u32(2),
        "`vjp` expects real parameters and results, found i64",
    );
    check(|p| p.values[V(9)].ty = TypeId::from_u32(1), "it gives (f64, f64)");
    check(|p| p.insts[I(4)].result_count = 1, "it gives (f64, f64)");
}

#[test]
fn invariant_15_calls() {
    let functions = "function f0 (v0: f64) -> (f64, f64) {\n  v1 = neg v0\n  return v1, v0\n}\nfunction f1 () -> () {\n  return\n}";
    let source = format!(
        "evolute 0\n{functions}\nprogram (v0: f64) -> (f64) {{\n  v1, v2 = call f0 (v0)\n  call f1 ()\n  return v2\n}}\n"
    );
    let base = parse(&source).expect("well formed");
    assert_eq!(verify(&base), Ok(()));
    let check = |corrupt: &dyn Fn(&mut Program), expected: &str| {
        let mut program = base.clone();
        corrupt(&mut program);
        let found = violations(&program);
        assert!(found.iter().any(|v| v.contains(expected)), "expected {expected:?}, found {found:#?}");
    };
    let [first, second, none] = [0, 1, NOWHERE].map(CalleeId::from_u32);
    check(&|p| p.insts[I(0)].op = Op::Call(none), "what it calls does not exist");
    check(&|p| p.insts[I(0)].op = Op::Call(second), "it takes ()");
    check(&|p| p.insts[I(1)].op = Op::Call(first), "callees are not numbered as they are first called");
    check(&|p| p.callees[second] = p.callees[first].clone(), "two callees are equal");
    check(&|p| p.values[V(1)].ty = TypeId::from_u32(1), "it gives (f64, f64)");
    let broken = |p: &mut Program| {
        let mut callee = p.callees[first].program().clone();
        callee.names.insert(V(NOWHERE), "x".into());
        p.callees[first] = Callee::new(callee);
    };
    check(&broken, "f0: v99 has a name but does not exist");
}

#[test]
fn invariant_16_derivatives_have_levels() {
    check(|p| p.values[V(3)].origin.level = Level::from_u32(0), "a derivative belongs to a level above 0");
    check(|p| p.values[V(0)].origin.role = Role::Cotangent, "v0.a0: a derivative belongs to a level above 0");
}

#[test]
fn invariant_17_level_0_may_use_derivatives() {
    let mut program = base();
    program.values[V(2)].origin.level = Level::from_u32(1);
    assert_eq!(verify(&program), Ok(()));
}

#[test]
fn all_violations_are_reported() {
    let mut program = base();
    program.values[V(7)].ty = TypeId::from_u32(1);
    program.values[V(3)].origin.level = Level::from_u32(0);
    program.names.insert(V(NOWHERE), "x".into());
    let found = violations(&program);
    for expected in ["cannot be of type f32", "a level above 0", "v99 has a name"] {
        assert!(found.iter().any(|v| v.contains(expected)), "{expected}: {found:#?}");
    }
}

/// Every index of every table set to every small number, zero and the largest: nothing panics.
#[test]
fn no_corruption_panics() {
    let count = base().values.len() as u32;
    for number in (0..count + 2).chain([u32::MAX / 2, u32::MAX - 1, u32::MAX]) {
        for row in 0..count {
            for field in 0..19 {
                let mut program = base();
                corrupt(&mut program, field, row, number);
                let _ = verify(&program).map_err(|error| error.to_string());
                let _ = program.to_string();
            }
        }
    }
}

fn corrupt(p: &mut Program, field: u32, row: u32, number: u32) {
    let inst = I(row % p.insts.len() as u32);
    let region = Region::from_u32(row % p.regions.len() as u32);
    let operand = row as usize % p.operands.len();
    match field {
        0 => p.values[V(row)].ty = TypeId::from_u32(number),
        1 => p.values[V(row)].region = Region::from_u32(number),
        2 => p.values[V(row)].def = Def::Result(I(number)),
        3 => p.values[V(row)].def = Def::Param(number),
        4 => p.values[V(row)].origin.loc = Loc::from_u32(number),
        5 => p.values[V(row)].origin.level = Level::from_u32(number),
        6 => p.values[V(row)].origin.of = Some(V(number)),
        7 => p.operands[operand] = V(number),
        8 => p.insts[inst].first_operand = number,
        9 => p.insts[inst].operand_count = number,
        10 => p.insts[inst].first_result = V(number),
        11 => p.insts[inst].result_count = number,
        12 => p.insts[inst].op = Op::Jvp { region: Region::from_u32(number), wrt: row },
        13 => p.insts[inst].op = Op::Vjp { region, wrt: number },
        14 => p.insts[inst].op = Op::Pack(TypeId::from_u32(number)),
        15 => p.insts[inst].op = Op::Element(number),
        16 => p.regions[region].params[0] = V(number),
        17 => p.regions[region].results[0] = V(number),
        _ => p.regions[region].insts.push(I(number)),
    }
}
