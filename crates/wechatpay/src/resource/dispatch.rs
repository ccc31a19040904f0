//! Which type a resource is read as, by its names and its fields.
//!
//! Invariants: no payment of another product is taken for an ordinary one; what has a type and is not as that type is
//! documented is refused; what has none, and every undocumented event, is passed on whatever it holds, as long as it is
//! JSON. An ordinary payment, which most callbacks are, is read once.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};

use super::shape::{self, Shape};
use super::{
    CombineTransaction, PartnerTransaction, Payment, Product, ProfitSharing, Refund, SecurityEcho,
    Transaction, TransferAuthorization, TransferBatch, TransferBill,
};

const UNPAID_SUB_ORDER: &str = "no sub_orders, or one without transaction_id or amount";

/// The decrypted resource by type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Resource {
    /// An ordinary payment.
    Transaction(Box<Transaction>),
    /// A payment in partner mode.
    PartnerTransaction(Box<PartnerTransaction>),
    /// A combine payment, with all its orders.
    CombineTransaction(Box<CombineTransaction>),
    /// A domestic refund, ordinary or partner mode.
    Refund(Box<Refund>),
    /// A share of a payment moved.
    ProfitSharing(Box<ProfitSharing>),
    /// A transfer to a user is final.
    TransferBill(Box<TransferBill>),
    /// A batch of transfers, of the older product, is final.
    TransferBatch(Box<TransferBatch>),
    /// A user's consent to transfers was given or ended.
    TransferAuthorization(Box<TransferAuthorization>),
    /// The self-test's message.
    SecurityEcho(Box<SecurityEcho>),
    /// Anything else: see [`crate::Notification::product`] and [`crate::Notification::plaintext`].
    Other,
}

impl Resource {
    /// The payments that this tells of: one, of a combine payment one a sub-order, of anything else none.
    pub fn payments(&self) -> impl Iterator<Item = Payment<'_>> {
        let (one, combined) = match self {
            Self::Transaction(transaction) => (transaction.payment(), None),
            Self::PartnerTransaction(transaction) => (transaction.payment(), None),
            Self::CombineTransaction(transaction) => (None, Some(transaction.payments())),
            _ => (None, None),
        };
        one.into_iter().chain(combined.into_iter().flatten())
    }
}

/// What was read, or why it was not as that product has it.
type Read = Result<(Product, Resource), (Product, serde_json::Error)>;

/// Tells the product and reads the resource. An `original_type` is not empty.
pub(crate) fn open(event_type: &str, original_type: Option<&str>, plaintext: &str) -> Read {
    let by_event = Product::of_event_type(event_type);
    let product = Product::named(by_event, original_type);
    match product {
        // What happened is part of what a resource says: under an event that is not known it is not read.
        _ if by_event.is_none() => passed_on(product, plaintext),
        Product::Payment => payment(original_type, plaintext),
        Product::Refund => refund(plaintext),
        Product::ProfitSharing => profit_sharing(plaintext),
        Product::MerchantTransfer => merchant_transfer(event_type, plaintext),
        Product::SecurityEcho => typed(product, plaintext, Resource::SecurityEcho),
        _ => passed_on(product, plaintext),
    }
}

fn payment(original_type: Option<&str>, plaintext: &str) -> Read {
    let ordinary = serde_json::from_str::<Transaction>(plaintext);
    let product = match &ordinary {
        Ok(transaction) if shape::is_plainly_ordinary(transaction) => Product::Payment,
        _ => parse::<Shape>(Product::Payment, plaintext)?.payment_product(),
    };
    match product {
        Product::Payment => {
            let of_product = |error| (product, error);
            let transaction = ordinary.map_err(of_product)?;
            transaction.payment().ok_or_else(|| of_product(missing("amount")))?;
            Ok((product, Resource::Transaction(Box::new(transaction))))
        }
        Product::PartnerPayment => {
            let transaction: PartnerTransaction = parse(product, plaintext)?;
            transaction.payment().ok_or_else(|| (product, missing("amount")))?;
            Ok((product, Resource::PartnerTransaction(Box::new(transaction))))
        }
        Product::CombinePayment => combine(plaintext),
        // Called a payment and looking like a share, it is neither with certainty.
        Product::ProfitSharing if original_type.is_some() => passed_on(Product::Unknown, plaintext),
        Product::ProfitSharing => profit_sharing(plaintext),
        _ => passed_on(product, plaintext),
    }
}

fn combine(plaintext: &str) -> Read {
    let product = Product::CombinePayment;
    let transaction: CombineTransaction = parse(product, plaintext)?;
    // None may be lost in silence: each is someone's payment.
    if transaction.sub_orders.is_empty() || transaction.payments().count() != transaction.sub_orders.len() {
        return Err((product, serde_json::Error::custom(UNPAID_SUB_ORDER)));
    }
    Ok((product, Resource::CombineTransaction(Box::new(transaction))))
}

fn refund(plaintext: &str) -> Read {
    let domestic = serde_json::from_str::<Refund>(plaintext);
    let product = match &domestic {
        Ok(refund) if shape::is_plainly_domestic(refund) => Product::Refund,
        _ if parse::<Shape>(Product::Refund, plaintext)?.is_cross_border() => Product::CrossBorderRefund,
        _ => Product::Refund,
    };
    if product == Product::CrossBorderRefund {
        return passed_on(product, plaintext);
    }
    let refund = domestic.map_err(|error| (product, error))?;
    refund.merchant().ok_or_else(|| (product, missing("mchid")))?;
    Ok((product, Resource::Refund(Box::new(refund))))
}

fn profit_sharing(plaintext: &str) -> Read {
    let product = Product::ProfitSharing;
    let movement: ProfitSharing = parse(product, plaintext)?;
    movement.merchant().ok_or_else(|| (product, missing("mchid")))?;
    Ok((product, Resource::ProfitSharing(Box::new(movement))))
}

fn merchant_transfer(event_type: &str, plaintext: &str) -> Read {
    let product = Product::MerchantTransfer;
    match event_type {
        "MCHTRANSFER.BILL.FINISHED" | "MCHTRANSFER.QQWALLETBILL.FINISHED" => {
            typed(product, plaintext, Resource::TransferBill)
        }
        "MCHTRANSFER.BATCH.FINISHED" | "MCHTRANSFER.BATCH.CLOSED" => {
            typed(product, plaintext, Resource::TransferBatch)
        }
        "MCHTRANSFER.AUTHORIZATION.CONFIRMED" | "MCHTRANSFER.AUTHORIZATION.CLOSED" => {
            typed(product, plaintext, Resource::TransferAuthorization)
        }
        _ => passed_on(product, plaintext),
    }
}

fn typed<T: DeserializeOwned>(product: Product, plaintext: &str, resource: fn(Box<T>) -> Resource) -> Read {
    Ok((product, resource(parse(product, plaintext)?)))
}

fn passed_on(product: Product, plaintext: &str) -> Read {
    let IgnoredAny = parse(product, plaintext)?;
    Ok((product, Resource::Other))
}

fn parse<'a, T: Deserialize<'a>>(
    product: Product,
    plaintext: &'a str,
) -> Result<T, (Product, serde_json::Error)> {
    serde_json::from_str(plaintext).map_err(|error| (product, error))
}

fn missing(field: &'static str) -> serde_json::Error {
    serde_json::Error::missing_field(field)
}
