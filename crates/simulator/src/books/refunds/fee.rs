//! WeChat's own fee, 0.60 % of a payment, and the part of it that a refund brings back.
//!
//! Invariants: whole fen; what goes back over all refunds of an order is never more than its fee, and all of it where all
//! of the order goes back. Deliberately absent: other rates.

/// In 1/10000.
const RATE: i64 = 60;

/// The fee of a payment, rounded half up.
pub(in crate::books) const fn fee_fen(amount_fen: i64) -> i64 {
    (amount_fen * RATE + 5000) / 10_000
}

/// What of the fee goes back with a refund, where so much of the order went back before.
pub(in crate::books) fn fee_back_fen(total_fen: i64, before_fen: i64, refund_fen: i64) -> i64 {
    let fee = i128::from(fee_fen(total_fen));
    let total = i128::from(total_fen.max(1));
    let part = |refunded: i64| (fee * i128::from(refunded) * 2 + total) / (total * 2);
    let back = part(before_fen.saturating_add(refund_fen)) - part(before_fen);
    i64::try_from(back).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_fee_make_the_whole() {
        assert_eq!((fee_fen(5990), fee_fen(1), fee_fen(83), fee_fen(84)), (36, 0, 0, 1));
        assert_eq!(fee_back_fen(5990, 0, 2000), 12);
        for parts in [vec![5990], vec![2000, 3990], vec![1; 50], vec![1999, 1999, 1992]] {
            let total: i64 = parts.iter().sum();
            let mut before = 0;
            let mut back = 0;
            for part in parts {
                back += fee_back_fen(total, before, part);
                before += part;
            }
            assert_eq!(back, fee_fen(total));
        }
    }
}
