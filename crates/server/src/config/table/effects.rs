//! The rows of `[[effects]]`.

use super::{Key, Kind, Sample, Section};

/// `effects.name`
pub(in crate::config) static EFFECT_NAME: Key = Key {
    section: Section::Effects,
    name: "name",
    kind: Kind::EffectName,
    sample: Sample::Example("shop-paid"),
    doc: "How it is called in logs and where it failed: each name once, and the same after every start.",
};

/// `effects.on`
pub(in crate::config) static EFFECT_ON: Key = Key {
    section: Section::Effects,
    name: "on",
    kind: Kind::MessageKinds,
    sample: Sample::Example("payment.succeeded"),
    doc: "For which messages. * stands for all, payment.* for those that begin so.",
};

/// `effects.statements.sql`
pub(in crate::config) static EFFECT_SQL: Key = Key {
    section: Section::EffectStatements,
    name: "sql",
    kind: Kind::Sql,
    sample: Sample::Example("UPDATE shop_orders SET paid = 1 WHERE no = :out_trade_no AND paid = 0"),
    doc: "One statement. It does not have to stand a second time: it is executed once.",
};

/// `effects.statements.rows`
pub(in crate::config) static EFFECT_ROWS: Key = Key {
    section: Section::EffectStatements,
    name: "rows",
    kind: Kind::Rows,
    sample: Sample::Default("1"),
    doc: "How many rows it should touch. With another number nothing of the payment is committed, the callback is\n\
          answered 503, and WeChat Pay sends it again.",
};
