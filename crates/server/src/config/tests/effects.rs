//! `[[effects]]`: what is taken, and what a wrong one is told.

use payonce_core::effect::Effect as _;

use super::*;

#[test]
fn effects_are_read_with_their_statements_in_order() {
    let toml = r#"
[[effects]]
name = "shop-paid"
on = ["payment.succeeded"]
statements = [
  { sql = "UPDATE a SET b = :amount WHERE c = :out_trade_no" },
  { sql = """
INSERT INTO log (body)
VALUES (:body);""", rows = 1 },
]

[[effects]]
name = "all_2"
on = ["order.closed", "wechat.*"]
[[effects.statements]]
sql = "DELETE FROM cart WHERE no = :out_trade_no"
rows = "0..1"
"#;
    let loaded = setup(toml).load().expect("valid");
    let found: Vec<_> = loaded.config.effects.iter().map(|each| (each.effect.name(), &each.on)).collect();
    let wants = |place: usize, kind: &str| found[place].1.wants(kind);
    assert_eq!((found[0].0, found[1].0, found.len()), ("shop-paid", "all_2", 2));
    assert!(wants(0, "payment.succeeded") && !wants(0, "order.closed"));
    assert!(wants(1, "wechat.REFUND.SUCCESS") && wants(1, "order.closed") && !wants(1, "payment.succeeded"));
    let prepared = loaded.config.effects[0].effect.prepared();
    let places: Vec<_> = prepared.iter().map(|each| (each.place, each.arguments.len())).collect();
    let expected = [
        ("payonce.toml:6:11: effects[0].statements[0].sql", 2),
        ("payonce.toml:7:11: effects[0].statements[1].sql", 1),
    ];
    assert_eq!(places, expected);
    let shown = loaded.effective.render();
    for line in
        ["name = \"shop-paid\"", "on = [\"order.closed\", \"wechat.*\"]", "rows = \"0..1\"", "rows = 1 "]
    {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn what_is_wrong_with_effects_is_told_all_at_once() {
    let toml = r#"
[[effects]]
name = "paid twice"
on = "payment.succeeded"
statements = [{ sql = "UPDATE a SET b = :amonut WHERE c = :out_trade_no", rows = "many" }]

[[effects]]
name = "x"
on = ["支付"]
statements = [
  { sql = "COMMIT" },
  { sql = "UPDATE a SET b = :user" },
  { sql = "UPDATE a SET b = :transation_id", row = "1" },
  { rows = -1 },
]

[[effects]]
name = "x"
on = []
"#;
    insta::assert_snapshot!(setup(toml).refused(), @"");
}
