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
    insta::assert_snapshot!(setup(toml).refused(), @r##"
    payonce.toml:3:8: effects[0].name: expected a name of 1 to 64 letters, digits, hyphens and underscores, found "paid twice"
    payonce.toml:4:6: effects[0].on: expected a list of kinds of messages, such as ["payment.succeeded"] or ["payment.*"], found "payment.succeeded"
    payonce.toml:5:23: effects[0].statements[0].sql: there is no parameter :amonut; did you mean :amount?
    payonce.toml:5:82: effects[0].statements[0].rows: expected "1", "0..1", "1.." or "any", found "many"
    payonce.toml:9:6: effects[1].on: "支付" is no kind of message; expected one like "payment.succeeded", "payment.*" or "*"
    payonce.toml:11:11: effects[1].statements[0].sql: not a statement for an effect: it begins with COMMIT; expected one of INSERT, UPDATE, DELETE, SELECT, WITH, REPLACE, MERGE: what defines tables, ends the transaction or calls a procedure (which may end it) cannot be undone together with the payment
    payonce.toml:12:11: effects[1].statements[1].sql: there is no parameter :user; expected one of :message_id, :kind, :mchid, :out_trade_no, :transaction_id, :amount, :currency, :appid, :sub_mchid, :paid_at, :late, :sequence, :body
    payonce.toml:13:11: effects[1].statements[2].sql: there is no parameter :transation_id; did you mean :transaction_id?
    payonce.toml:13:46: effects[1].statements[2].row: there is no such key; did you mean `rows`?
    payonce.toml:14:3: effects[1].statements[3].sql: expected an SQL statement: INSERT, UPDATE, DELETE …, found nothing
    payonce.toml:14:12: effects[1].statements[3].rows: expected "1", "0..1", "1.." or "any", found -1
    payonce.toml:17:1: effects[2].statements: expected at least one [[effects.statements]], found nothing
    payonce.toml:18:8: effects[2].name: x stands already at payonce.toml:8:8; expected it once
    payonce.toml:19:6: effects[2].on: expected a list of kinds of messages, such as ["payment.succeeded"] or ["payment.*"], found []
    "##);
}
