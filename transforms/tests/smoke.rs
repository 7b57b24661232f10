//! Smoke.
use evolute_ir::*;
use evolute_transforms::*;
#[test]
fn rosen() {
    let mut b = Builder::new();
    let x = b.param(&Type::array(Elem::F64, &[3]).unwrap());
    let e: Vec<Value> = (0..3).map(|i| b.insert(Op::Element(i), &[x]).unwrap()).collect();
    let two = b.constant(Literal::I64(2));
    let one = b.constant(Literal::from(1.0));
    let hundred = b.constant(Literal::from(100.0));
    let mut f = None;
    for i in 0..2 {
        let q = b.insert(Op::Prim(Prim::Powi), &[e[i], two]).unwrap();
        let t = b.insert(Op::Prim(Prim::Sub), &[e[i + 1], q]).unwrap();
        let s = b.insert(Op::Prim(Prim::Powi), &[t, two]).unwrap();
        let a = b.insert(Op::Prim(Prim::Mul), &[hundred, s]).unwrap();
        let u = b.insert(Op::Prim(Prim::Sub), &[one, e[i]]).unwrap();
        let w = b.insert(Op::Prim(Prim::Powi), &[u, two]).unwrap();
        let r = b.insert(Op::Prim(Prim::Add), &[a, w]).unwrap();
        f = Some(match f {
            None => r,
            Some(f) => b.insert(Op::Prim(Prim::Add), &[f, r]).unwrap(),
        });
    }
    let p = b.finish(&[f.unwrap()]).unwrap();
    let h = derive::hvp(&p, &[0], None).unwrap();
    for s in Pipeline::new(Options::default()).stages(&h).unwrap() {
        println!("{s}");
    }
}
