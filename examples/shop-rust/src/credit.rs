//! What a payment does in the shop: the customer's account is credited, one credit a fen.
//!
//! Invariant: nothing is done here against doing it twice. payonce tells of a payment once, and this happens in the
//! transaction that tells it, or not at all.

use async_trait::async_trait;
use payonce_core::{
    effect::{Effect, EffectError, EffectMessage, EffectTx, Prepared, Statement, StatementError},
    store::archive::Value,
};

/// The effect.
pub struct Credit {
    customer: Statement,
    close: Statement,
    credit: Statement,
}

impl Credit {
    /// Parses its statements.
    ///
    /// # Errors
    /// [`StatementError`], were one not a statement.
    pub fn new() -> Result<Self, StatementError> {
        Ok(Self {
            customer: Statement::parse("SELECT customer FROM shop_order WHERE no = :no")?,
            close: Statement::parse("UPDATE shop_order SET credited = credited + 1 WHERE no = :no")?,
            credit: Statement::parse(
                "UPDATE shop_account SET credits = credits + :fen WHERE customer = :customer",
            )?,
        })
    }
}

#[async_trait]
impl Effect for Credit {
    fn name(&self) -> &str {
        "credit"
    }

    /// payonce asks the database at the start whether it could execute these.
    fn prepared(&self) -> Vec<Prepared<'_>> {
        let prepared = |statement| Prepared { place: "shop-rust", statement, arguments: Vec::new() };
        [&self.customer, &self.close, &self.credit].map(prepared).into()
    }

    async fn run(&self, tx: &mut EffectTx<'_>, message: &EffectMessage<'_>) -> Result<(), EffectError> {
        let paid = message.payment.ok_or_else(|| EffectError::failed("the message is about no payment"))?;
        let (no, fen) = (paid.content.key.out_trade_no.as_str(), paid.content.amount);
        // An error leaves the payment unapplied too: WeChat Pay sends it again, by when somebody may have mended it.
        let found = tx.query(&self.customer, &[("no", no.into())]).await?;
        let Some([Value::Text(customer)]) = found.first().map(Vec::as_slice) else {
            return Err(EffectError::failed("the shop has no such order"));
        };
        tx.execute(&self.close, &[("no", no.into())]).await?;
        match tx.execute(&self.credit, &[("customer", customer.as_str().into()), ("fen", fen.into())]).await?
        {
            1 => Ok(()),
            _ => Err(EffectError::failed("the customer has no account")),
        }
    }
}
