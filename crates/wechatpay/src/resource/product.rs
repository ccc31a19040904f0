//! Which of WeChat Pay's products a notification is of: the tables of every documented event type and original type.
//!
//! Invariants: `original_type` decides first, because several products share `TRANSACTION.SUCCESS`; a product with a
//! type of its own in [`crate::Resource`] is named only where event and original type agree. Both tables are sorted.
//! Deliberately absent: what the resource itself tells (see `shape`), and reading a product into names that nobody has
//! documented.

use Product::{
    AbnormalFunds, Applyment, BlockedTrade, BrandMemberCard, CampusPayment, Complaint, CorporateCard, Coupon,
    CreditRepayment, CrossBorderWallet, DeductionContract, DeliveryPlan, DiscountCard, DonationBudget,
    FacePay, Fapiao, InsurancePolicy, Mall, ManageRecord, MedicalInsurance, MemberCard, MerchantNotify,
    MerchantTransfer, Parking, ParkingFee, PayScore, Payment, PowerBankInsurance, ProductCoupon,
    ProfitSharing, Recharge, Refund, RiskTrade, SchoolDebt, SecurityEcho, Settlement, Unknown, Vehicle,
    Violation, Withdrawal,
};

/// WeChat Pay's products, as far as notifications tell them apart. Recognised is not typed: see [`crate::Resource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Product {
    /// A payment in ordinary mode, typed.
    Payment,
    /// A payment in partner mode, typed.
    PartnerPayment,
    /// A combine payment (合单), typed.
    CombinePayment,
    /// A payment by a deduction contract (委托代扣): `trade_type` `PAP` or `AUTH`.
    Deduction,
    /// A parking fee deducted, not deducted, or repaid later.
    Parking,
    /// A payment with an exchange rate.
    CrossBorderPayment,
    /// A campus fee deducted or not deducted.
    CampusPayment,
    /// A refund, ordinary or partner mode, typed.
    Refund,
    /// A refund with an exchange rate.
    CrossBorderRefund,
    /// A share of a payment moved (分账), typed.
    ProfitSharing,
    /// A transfer to a user, a batch of them, or a user's consent (商家转账), typed.
    MerchantTransfer,
    /// The self-test's callback, typed.
    SecurityEcho,
    /// A complaint was made or changed.
    Complaint,
    /// A merchant was punished, stopped, or appealed.
    Violation,
    /// An order looks risky.
    RiskTrade,
    /// Trades of a merchant were stopped, or an appeal against it moved.
    BlockedTrade,
    /// A record of how a merchant is managed.
    ManageRecord,
    /// What a partner subscribed to.
    MerchantNotify,
    /// An application of a merchant, such as for an H5 domain.
    Applyment,
    /// A withdrawal.
    Withdrawal,
    /// A settlement to a personal receiver.
    Settlement,
    /// A platform merchant's top-up.
    Recharge,
    /// Abnormal funds were forwarded.
    AbnormalFunds,
    /// Pay score (支付分).
    PayScore,
    /// The discount card (先享卡).
    DiscountCard,
    /// A deduction contract was made, renewed or ended.
    DeductionContract,
    /// An insurance policy's service was granted.
    InsurancePolicy,
    /// A credit card's automatic repayment.
    CreditRepayment,
    /// A coupon was received or used.
    Coupon,
    /// A product coupon (商品券).
    ProductCoupon,
    /// An electronic invoice (发票).
    Fapiao,
    /// A member card.
    MemberCard,
    /// A brand's member card and its points.
    BrandMemberCard,
    /// A delivery plan changed.
    DeliveryPlan,
    /// A mall's payment, refund or authorization (智慧商圈).
    Mall,
    /// A payment in part by medical insurance.
    MedicalInsurance,
    /// A vehicle's contract or its entrance.
    Vehicle,
    /// WeChat Pay asks for a parking fee. The answer needs a body.
    ParkingFee,
    /// A foreign wallet asks or tells. The answer needs a body.
    CrossBorderWallet,
    /// A face-pay contract.
    FacePay,
    /// A campus user's debt.
    SchoolDebt,
    /// A power bank's insurance.
    PowerBankInsurance,
    /// A donation's budget.
    DonationBudget,
    /// The corporate pay card (企业支付).
    CorporateCard,
    /// None of these: keep it, acknowledge it, and look at it.
    Unknown,
}

impl Product {
    /// The product that a documented event type belongs to; of `TRANSACTION.SUCCESS`, which is shared,
    /// [`Product::Payment`].
    #[must_use]
    pub fn of_event_type(event_type: &str) -> Option<Self> {
        look_up(&EVENT_TYPES, event_type)
    }

    /// The product by both names. Of payments and refunds the resource itself says more.
    pub(super) fn named(by_event: Option<Self>, original_type: Option<&str>) -> Self {
        let Some(original_type) = original_type else { return by_event.unwrap_or(Unknown) };
        match (look_up(&ORIGINAL_TYPES, original_type), by_event) {
            (Some(ProfitSharing), Some(Payment)) => ProfitSharing,
            (Some(Payment), Some(event @ (Parking | CampusPayment))) => event,
            (Some(named), Some(event)) if named == event => named,
            // Such as a new event of refunds. `transaction` alone names no product.
            (Some(named), None) if named != Payment => named,
            (None, Some(event)) if event.original_type().is_none() => event,
            _ => Unknown,
        }
    }

    /// The original type that a typed product's resource has.
    pub(crate) fn original_type(self) -> Option<&'static str> {
        match self {
            Self::Payment | Self::PartnerPayment | Self::CombinePayment => Some("transaction"),
            Self::Refund => Some("refund"),
            Self::ProfitSharing => Some("profitsharing"),
            Self::MerchantTransfer => Some("mch_payment"),
            Self::SecurityEcho => Some("security"),
            _ => None,
        }
    }
}

fn look_up(table: &[(&str, Product)], name: &str) -> Option<Product> {
    let position = table.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    Some(table[position].1)
}

/// From WeChat Pay's documentation of each product's callbacks, former names included.
static EVENT_TYPES: [(&str, Product); 106] = [
    ("ABNORMAL_FUND_PROCESSING.TRANSFER.SUCCESS", AbnormalFunds),
    ("APPLYMENT_STATE.APPROVED", Applyment),
    ("BLOCKRECORD.CHANGE", BlockedTrade),
    ("BLOCKSUBMISSION.CHANGE", BlockedTrade),
    ("BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON", BrandMemberCard),
    ("BRAND_MEMBER_CARD_SP.SYNC_USER_POINT", BrandMemberCard),
    ("BRAND_MEMBER_CARD_SP.USER_CARD.CREATE", BrandMemberCard),
    ("BRAND_MEMBER_CARD_SP.USER_CARD.DELETE", BrandMemberCard),
    ("BUDGET.CLOSED", DonationBudget),
    ("BUDGET.FINISHED", DonationBudget),
    ("BUDGET.LOCKED", DonationBudget),
    ("COMPLAINT.CREATE", Complaint),
    ("COMPLAINT.STATE_CHANGE", Complaint),
    ("COUPON.SEND", Coupon),
    ("COUPON.USE", Coupon),
    ("CREDIT_REPAYMENT.DEDUCTION_PAY", CreditRepayment),
    ("CREDIT_REPAYMENT.SIGN_CONTRACT", CreditRepayment),
    ("CREDIT_REPAYMENT.TERMINATE_CONTRACT", CreditRepayment),
    ("CROSS_BORDER_PAY.GET_MCH_INFO", CrossBorderWallet),
    ("CROSS_BORDER_PAY.PUSH_ORDER_INFO", CrossBorderWallet),
    ("DELIVERY_PLAN.CHANGE", DeliveryPlan),
    ("DELIVERY_PLAN_STATE.DELIVER", DeliveryPlan),
    ("DISCOUNT_CARD.AGREEMENT_ENDED", DiscountCard),
    ("DISCOUNT_CARD.GET_CARD", DiscountCard),
    ("DISCOUNT_CARD.SETTLEMENT", DiscountCard),
    ("DISCOUNT_CARD.USER_ACCEPTED", DiscountCard),
    ("DISCOUNT_CARD.USER_PAID", DiscountCard),
    ("ECOMMERCE_ENTRUST.SIGN", DeductionContract),
    ("ECOMMERCE_ENTRUST.TERMINATE", DeductionContract),
    ("EDU_SCHOOL_PAY.USER_DEBT_STATE_UPDATE", SchoolDebt),
    ("ENTRUST.RELEASE", DeductionContract),
    ("ENTRUST.SIGN", DeductionContract),
    ("ENTRUST.SIGNING", DeductionContract),
    ("ENTRUST.TERMINATE", DeductionContract),
    ("ENTRUST.TERMINATE_INQUIRY", DeductionContract),
    ("ENTRUST.TERMINATE_RETENTION", DeductionContract),
    ("FACEPAY.USER_STATE_CHANGE", FacePay),
    ("FAPIAO.CARD_DISCARDED", Fapiao),
    ("FAPIAO.CARD_INSERTED", Fapiao),
    ("FAPIAO.ISSUED", Fapiao),
    ("FAPIAO.REVERSED", Fapiao),
    ("FAPIAO.USER_APPLIED", Fapiao),
    ("HIRE_POWER_BANK.RECEIVE_INSURANCE", PowerBankInsurance),
    ("INSURANCE_ENTRUST.RENEW", DeductionContract),
    ("INSURANCE_ENTRUST.SIGN", DeductionContract),
    ("INSURANCE_ENTRUST.TERMINATE", DeductionContract),
    ("INSURANCE_POLICY_MANAGEMENT.GRANTED", InsurancePolicy),
    ("MALL_AUTH.ACTIVATE_CARD", Mall),
    ("MALL_REFUND.SUCCESS", Mall),
    ("MALL_TRANSACTION.SUCCESS", Mall),
    ("MANAGERECORD.CHANGE", ManageRecord),
    ("MCHTRANSFER.AUTHORIZATION.CLOSED", MerchantTransfer),
    ("MCHTRANSFER.AUTHORIZATION.CONFIRMED", MerchantTransfer),
    ("MCHTRANSFER.BATCH.CLOSED", MerchantTransfer),
    ("MCHTRANSFER.BATCH.FINISHED", MerchantTransfer),
    ("MCHTRANSFER.BILL.FINISHED", MerchantTransfer),
    ("MCHTRANSFER.QQWALLETBILL.FINISHED", MerchantTransfer),
    ("MCHWITHDRAW.CHANGE", Withdrawal),
    ("MEDICAL_INSURANCE.SUCCESS", MedicalInsurance),
    ("MEMBERCARD.ACCEPT_CARD", MemberCard),
    ("MEMBERCARD.ACTIVATE_CARD", MemberCard),
    ("MEMBERCARD.USERCARD_MANAGE", MemberCard),
    ("MEMBERCARDSP.USER_CARD.CREATE", BrandMemberCard),
    ("MEMBERCARDSP.USER_CARD.DELETE", BrandMemberCard),
    ("MERCHANT_NOTIFY.NOTIFY", MerchantNotify),
    ("PAPAY.SIGN", DeductionContract),
    ("PAPAY.TERMINATE", DeductionContract),
    ("PARKING_FEE.QUERY_TRANS_INFO", ParkingFee),
    ("PAYSCORE.BIND_SERVICE_ACCOUNT", PayScore),
    ("PAYSCORE.MCH_PREPAY", PayScore),
    ("PAYSCORE.USER_ACCEPTED", PayScore),
    ("PAYSCORE.USER_CANCEL_SIGN_PLAN", PayScore),
    ("PAYSCORE.USER_CLOSE_SERVICE", PayScore),
    ("PAYSCORE.USER_CONFIRM", PayScore),
    ("PAYSCORE.USER_OPEN_SERVICE", PayScore),
    ("PAYSCORE.USER_PAID", PayScore),
    ("PAYSCORE.USER_SIGN_PLAN", PayScore),
    ("PRODUCT_COUPON.SEND", ProductCoupon),
    ("PRODUCT_COUPON_SP.IMAGE_GENERATION", ProductCoupon),
    ("PRODUCT_COUPON_SP.SEND", ProductCoupon),
    ("PROFITSHARING.RETURN", ProfitSharing),
    ("PROFITSHARING.SUCCESS", ProfitSharing),
    ("RECHARGE.CLOSED", Recharge),
    ("RECHARGE.FUND_RETURNED", Recharge),
    ("RECHARGE.SUCCESS", Recharge),
    ("REFUND.ABNORMAL", Refund),
    ("REFUND.CLOSED", Refund),
    ("REFUND.SUCCESS", Refund),
    ("RISKTRADE.IDENTIFICATION", RiskTrade),
    ("SECURITY_ECHO.SUCCESS", SecurityEcho),
    ("SETTLEMENT.SUCCESS", Settlement),
    ("TRANSACTION.FAIL", Parking),
    ("TRANSACTION.INDUSTRY_FAILED", CampusPayment),
    ("TRANSACTION.INDUSTRY_SUCCESS", CampusPayment),
    ("TRANSACTION.PAY_BACK", Parking),
    ("TRANSACTION.SUCCESS", Payment),
    ("VEHICLE.ENTRANCE_STATE_CHANGE", Vehicle),
    ("VEHICLE.USER_STATE_CHANGE", Vehicle),
    ("VIOLATION.APPEAL", Violation),
    ("VIOLATION.INTERCEPT", Violation),
    ("VIOLATION.PUNISH", Violation),
    ("WEBIZPAY.AUTHORIZED", CorporateCard),
    ("WEBIZPAY.PAYMENTREFUNDSUCCESS", CorporateCard),
    ("WEBIZPAY.PAYMENTSUCCESS", CorporateCard),
    ("WEBIZPAY.QUOTACARDEXPIRED", CorporateCard),
    ("WEBIZPAY.REVOKED", CorporateCard),
];

/// The types of what is encrypted, as far as WeChat Pay documents them; one is misspelled by it.
static ORIGINAL_TYPES: [(&str, Product); 32] = [
    ("abnormal_fund_processing", AbnormalFunds),
    ("applyment", Applyment),
    ("block_record", BlockedTrade),
    ("block_submisison_record", BlockedTrade),
    ("complaint", Complaint),
    ("coupon", Coupon),
    ("credit_repayment", CreditRepayment),
    ("cross_border_pay", CrossBorderWallet),
    ("delivery_plan", DeliveryPlan),
    ("entrust", DeductionContract),
    ("facepay", FacePay),
    ("insurance_entrust", DeductionContract),
    ("insurance_policy_management", InsurancePolicy),
    ("mall_refund", Mall),
    ("manage_record", ManageRecord),
    ("mch_payment", MerchantTransfer),
    ("mch_withdraw", Withdrawal),
    ("membercard", MemberCard),
    ("merchant_notify", MerchantNotify),
    ("parking_fee", ParkingFee),
    ("payscore", PayScore),
    ("point_coupon", BrandMemberCard),
    ("product_coupon", ProductCoupon),
    ("profitsharing", ProfitSharing),
    ("recharge", Recharge),
    ("refund", Refund),
    ("security", SecurityEcho),
    ("sync_user_point", BrandMemberCard),
    ("transaction", Payment),
    ("user_card", BrandMemberCard),
    ("violation", Violation),
    ("webizpay", CorporateCard),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SUPPORTED_NOTICES;

    /// Of each product with a type, each event is in the table of what is supported, and no other event is.
    #[test]
    fn supported_are_the_events_of_products_with_a_type() {
        let is_listed = |event: &str| SUPPORTED_NOTICES.iter().any(|notice| notice.events.contains(&event));
        for (event, product) in EVENT_TYPES {
            assert_eq!(product.original_type().is_some(), is_listed(event), "{event}");
        }
        for event in SUPPORTED_NOTICES.iter().flat_map(|notice| notice.events) {
            assert!(Product::of_event_type(event).is_some(), "{event}");
        }
    }

    #[test]
    fn the_tables_are_sorted_and_say_nothing_twice() {
        for table in [&EVENT_TYPES[..], &ORIGINAL_TYPES] {
            for pair in table.windows(2) {
                assert!(pair[0].0 < pair[1].0, "{} before {}", pair[0].0, pair[1].0);
            }
        }
        // Each type belongs to a product that an event has too, and those with a type here are named by it.
        for (name, product) in ORIGINAL_TYPES {
            assert!(EVENT_TYPES.iter().any(|(_, of_event)| *of_event == product), "{name}");
            assert!(product.original_type().is_none_or(|own| own == name), "{name}");
        }
    }
}
