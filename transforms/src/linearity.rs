//! Is a program linear in its first parameter?
//!
//! In goes a program without derivative operators, of which the first parameter is the unknown; out comes what is not linear
//! in it, if anything is found. Each value is nothing (0 whatever the unknown is), known (independent of it), linear
//! in it, or neither; sums of what is known and what is linear are affine and refused. This is decided instruction by
//! instruction, without numbers: `x · x / x` is refused, and so is what an external function makes of the unknown.
//!
//! A loop's body is gone through until nothing changes, a function once for each pattern of its parameters.

use crate::structure::{param_parts, result_parts};
use evolute_ir::{
    CalleeId, Inst, Linalg, LoopSpec, Op, Prim, Program, Reduction, Region, SourceLoc, Table, Value,
};
use std::collections::BTreeMap;
use std::fmt;

/// What is not linear in the unknown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotLinear {
    /// The instruction's name in the text form; none of what has been captured.
    pub operation: Option<String>,
    /// What is wrong with it.
    pub fault: Fault,
    /// Its line.
    pub loc: Option<SourceLoc>,
}

/// What may be wrong with an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It depends on the unknown otherwise than linearly.
    Nonlinear,
    /// It gives a part that does not depend on the unknown.
    Affine,
}

/// `` `mul` is not linear in the unknown ``.
impl fmt::Display for NotLinear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.operation {
            Some(operation) => write!(f, "`{operation}` ")?,
            None => write!(f, "the result ")?,
        }
        f.write_str(match self.fault {
            Fault::Nonlinear => "is not linear in the unknown",
            Fault::Affine => "has a part that does not depend on the unknown",
        })
    }
}

/// How a value depends on the unknown. Of what comes together the greater counts, but for known and linear.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Dependence {
    Zero,
    Known,
    Linear,
    /// A fault, by its number.
    Not(usize),
}

use Dependence::{Known, Linear, Not, Zero};

impl Dependence {
    fn is_known(self) -> bool {
        matches!(self, Zero | Known)
    }
}

/// What is not linear in the first parameter of a program without derivative operators, of which each result is to be.
pub(crate) fn find_nonlinear(program: &Program) -> Option<NotLinear> {
    let mut found = Found::default();
    let unknown = |number: usize| if number == 0 { Linear } else { Known };
    let params: Vec<Dependence> = (0..program.root().params.len()).map(unknown).collect();
    let mut check = Check::new(program, &mut found);
    for result in check.run(Program::ROOT, &params).into_iter().zip(&program.root().results) {
        match result {
            (Zero | Linear, _) => {}
            (Known, &value) => return Some(check.fault_of(value, Fault::Affine)),
            (Not(number), _) => return Some(found.faults.swap_remove(number)),
        }
    }
    None
}

/// What has been found in all functions.
#[derive(Default)]
struct Found {
    faults: Vec<NotLinear>,
    /// The results of functions, by address and parameters.
    called: BTreeMap<(usize, Vec<Dependence>), Vec<Dependence>>,
}

/// One function.
struct Check<'a> {
    program: &'a Program,
    of: Table<Value, Dependence>,
    found: &'a mut Found,
}

impl<'a> Check<'a> {
    fn new(program: &'a Program, found: &'a mut Found) -> Self {
        Check { program, of: Table::filled(program.values().len(), Zero), found }
    }

    /// The results of a region with these parameters.
    fn run(&mut self, region: Region, params: &[Dependence]) -> Vec<Dependence> {
        let data = self.program.region(region);
        for (&param, &is) in data.params.iter().zip(params) {
            self.of[param] = is;
        }
        for &inst in &data.insts {
            self.inst(inst);
        }
        self.all(&data.results)
    }

    fn all(&self, values: &[Value]) -> Vec<Dependence> {
        values.iter().map(|&v| self.of[v]).collect()
    }

    fn fault_of(&self, value: Value, fault: Fault) -> NotLinear {
        let operation = self.program.def_inst(value).map(|inst| self.program.op(inst).name());
        NotLinear { operation, fault, loc: self.program.loc(value).cloned() }
    }

    fn fails(&mut self, inst: Inst, fault: Fault) -> Dependence {
        let value = self.program.results(inst).next();
        let found = value.map(|value| self.fault_of(value, fault));
        self.found.faults.extend(found);
        Not(self.found.faults.len() - 1)
    }

    fn inst(&mut self, inst: Inst) {
        let operands = self.all(self.program.operands(inst));
        let results = match self.program.op(inst) {
            Op::Loop { body, condition, spec } => {
                self.looping(inst, (body, condition), self.program.loop_spec(spec), &operands)
            }
            Op::Cond { yes, no, .. } => self.conditional(inst, [yes, no], &operands),
            Op::Call(id) => self.call(id, operands),
            Op::Custom { primal, rule } => self.custom(inst, [primal, rule], &operands),
            Op::Jvp { .. } | Op::Vjp { .. } => unreachable!("derivative operators are removed"),
            op => vec![self.single(inst, op, &operands)],
        };
        for (result, is) in self.program.results(inst).zip(results) {
            self.of[result] = is;
        }
    }

    /// The result of an instruction that has one.
    fn single(&mut self, inst: Inst, op: Op, x: &[Dependence]) -> Dependence {
        match op {
            Op::Const(literal) if literal.as_real() == Some(0.0) => Zero,
            Op::Const(_) | Op::Iota(_) => Known,
            Op::Prim(prim) => self.prim(inst, prim, x),
            Op::Element(_) | Op::View(..) | Op::Spread(..) | Op::Reduce(Reduction::Sum, _) => x[0],
            Op::Cast(elem) if elem.is_real() && self.has_real_operand(inst) => x[0],
            Op::Pack(_) => self.joined(inst, x),
            Op::Select => self.joined_if(inst, &x[..1], &x[1..]),
            Op::At => self.joined_if(inst, &x[1..], &x[..1]),
            Op::AddAt => self.joined_if(inst, &x[2..], &x[..2]),
            Op::Dot => self.product(inst, x[0], x[1]),
            Op::Linalg(Linalg::SolveTriangular { .. }) => self.joined_if(inst, &x[..1], &x[1..]),
            Op::Linalg(Linalg::LuSolve { .. }) => self.joined_if(inst, &x[..2], &x[2..]),
            Op::LinearSolve { .. } => self.joined_if(inst, &x[1..], &x[..1]),
            Op::Cast(_) | Op::Reduce(..) | Op::Linalg(_) | Op::External(_) => self.known(inst, x),
            Op::Loop { .. }
            | Op::Cond { .. }
            | Op::Call(_)
            | Op::Custom { .. }
            | Op::Jvp { .. }
            | Op::Vjp { .. } => unreachable!("it may have several results"),
        }
    }

    fn has_real_operand(&self, inst: Inst) -> bool {
        self.program.ty(self.program.operands(inst)[0]).elem.is_real()
    }

    fn prim(&mut self, inst: Inst, prim: Prim, x: &[Dependence]) -> Dependence {
        match prim {
            Prim::Neg => x[0],
            Prim::Add | Prim::Sub => self.joined(inst, x),
            Prim::Mul => self.product(inst, x[0], x[1]),
            Prim::Div => self.joined_if(inst, &x[1..], &x[..1]),
            Prim::MulAdd => {
                let product = self.product(inst, x[0], x[1]);
                self.joined(inst, &[product, x[2]])
            }
            _ => self.known(inst, x),
        }
    }

    /// What depends on values otherwise than linearly.
    fn known(&mut self, inst: Inst, x: &[Dependence]) -> Dependence {
        match x.iter().find(|x| !x.is_known()) {
            None => Known,
            Some(Linear) => self.fails(inst, Fault::Nonlinear),
            Some(&fault) => fault,
        }
    }

    /// What is one of several values, their sum, or made of them side by side.
    fn joined(&mut self, inst: Inst, x: &[Dependence]) -> Dependence {
        x.iter().fold(Zero, |joined, &x| match (joined, x) {
            (Known, Linear) | (Linear, Known) => self.fails(inst, Fault::Affine),
            (Not(_), _) => joined,
            (Zero | Known | Linear, _) => joined.max(x),
        })
    }

    /// As [`Check::joined`], where `others` are to be known.
    fn joined_if(&mut self, inst: Inst, others: &[Dependence], x: &[Dependence]) -> Dependence {
        match self.known(inst, others) {
            fault @ Not(_) => fault,
            Zero | Known | Linear => self.joined(inst, x),
        }
    }

    fn product(&mut self, inst: Inst, a: Dependence, b: Dependence) -> Dependence {
        match (a, b) {
            (Zero, _) | (_, Zero) => Zero,
            (Linear, Linear) => self.fails(inst, Fault::Nonlinear),
            (a, b) => a.max(b),
        }
    }

    fn conditional(&mut self, inst: Inst, branches: [Region; 2], x: &[Dependence]) -> Vec<Dependence> {
        let [yes, no] = branches.map(|region| self.run(region, &x[1..]));
        yes.into_iter().zip(no).map(|(yes, no)| self.joined_if(inst, &x[..1], &[yes, no])).collect()
    }

    fn call(&mut self, id: CalleeId, params: Vec<Dependence>) -> Vec<Dependence> {
        let callee = &self.program.callees()[id];
        let key = (callee.address(), params);
        if let Some(results) = self.found.called.get(&key) {
            return results.clone();
        }
        let results = Check::new(callee.program(), self.found).run(Program::ROOT, &key.1);
        self.found.called.insert(key, results.clone());
        results
    }

    /// A function with a rule is linear if its steps are, or if what the rule makes of a tangent does not depend on the
    /// point.
    fn custom(&mut self, inst: Inst, [primal, rule]: [Region; 2], x: &[Dependence]) -> Vec<Dependence> {
        let results = self.run(primal, x);
        let Some(&fault) = results.iter().find(|is| matches!(is, Not(_))) else { return results };
        let point = |&x: &Dependence| if x.is_known() { x } else { fault };
        let tangent = |&x: &Dependence| if x.is_known() { Zero } else { x };
        let is_real = |&v: &Value| self.program.ty(v).elem.is_real();
        let real = self.program.operands(inst).iter().map(is_real);
        let tangents = x.iter().zip(real).filter(|&(_, is_real)| is_real).map(|(x, _)| tangent(x));
        let points = results.iter().map(|_| fault).chain(x.iter().map(point));
        let params: Vec<Dependence> = tangents.chain(points).collect();
        let mut moved = self.run(rule, &params).into_iter();
        let mut result = |v| if is_real(v) { moved.next().unwrap_or(fault) } else { fault };
        self.program.results(inst).collect::<Vec<_>>().iter().map(&mut result).collect()
    }

    /// Carries and sums are what they start as and what an iteration makes of that, and so on. What they were found to be
    /// stays so while a loop around this one is gone through again.
    fn looping(
        &mut self,
        inst: Inst,
        (body, condition): (Region, Option<Region>),
        spec: LoopSpec,
        operands: &[Dependence],
    ) -> Vec<Dependence> {
        let data = self.program.region(body);
        let (control, start) = operands.split_at(spec.first_carry_operand());
        let again = carried(&spec, &data.params, &data.results);
        let mut params = [&[Known], start].concat();
        for &(number, _) in &again {
            params[number] = self.joined(inst, &[self.of[data.params[number]], params[number]]);
        }
        loop {
            self.run(body, &params);
            let mut next = params.clone();
            for &(number, result) in &again {
                next[number] = self.joined(inst, &[params[number], self.of[result]]);
            }
            if next == params {
                break;
            }
            params = next;
        }
        let mut control = control.to_vec();
        control.extend(condition.and_then(|region| self.condition(region, &spec, &data.params)));
        self.ends(inst, &spec, body, &control)
    }

    /// Whether a `while` goes on.
    fn condition(&mut self, region: Region, spec: &LoopSpec, params: &[Value]) -> Option<Dependence> {
        let own = param_parts(spec, params);
        let seen = [&params[..1], own.carries, own.captures].concat();
        let seen = self.all(&seen);
        self.run(region, &seen).pop()
    }

    /// The results of a loop that has been gone through.
    fn ends(&mut self, inst: Inst, spec: &LoopSpec, body: Region, control: &[Dependence]) -> Vec<Dependence> {
        let data = self.program.region(body);
        let (own, given) = (param_parts(spec, &data.params), result_parts(spec, &data.results));
        let mut ends = vec![Known; spec.first_carry_result()];
        ends.extend(self.all(&[own.carries, given.stacks, own.sums].concat()));
        ends.into_iter().map(|end| self.joined_if(inst, control, &[end])).collect()
    }
}

/// The carries and sums of a loop: the parameter's number, and what the body gives for it.
fn carried(spec: &LoopSpec, params: &[Value], results: &[Value]) -> Vec<(usize, Value)> {
    let given = result_parts(spec, results);
    let sums = spec.own_params() - param_parts(spec, params).sums.len();
    let carries = given.carries.iter().enumerate().map(|(number, &v)| (1 + number, v));
    carries.chain(given.sums.iter().enumerate().map(|(number, &v)| (sums + number, v))).collect()
}
