//! The rate of `apply` on the store alone: no HTTP, no cryptography, one batch after another.

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use payonce_core::{
    AppId, Attempts, Currency, EventType, Fact, Fen, Json, MerchantId, NotificationId, OrderKey, OutTradeNo,
    Paid, Policy, Submission, Terms, UnixMillis, WechatPaymentId, apply,
    fact::{Content, Source},
    store::Receipt,
};

use crate::{
    database::{Database, Kind},
    process,
};

/// What a callback's resource looks like, in size.
const DETAIL: &str = r#"{"transaction_id":"4200000000202603020000000001","amount":{"payer_total":5990,"total":5990,"currency":"CNY","payer_currency":"CNY"},"mchid":"1900000001","trade_state":"SUCCESS","bank_type":"OTHERS","success_time":"2026-03-02T09:15:07+08:00","payer":{"openid":"oTESTopenid0000000000000001"},"out_trade_no":"ORDER20260302A","appid":"wx0123456789abcdef","trade_state_desc":"支付成功","trade_type":"JSAPI"}"#;

const NOW: UnixMillis = UnixMillis(1_772_414_107_000);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Payments to apply.
    #[arg(long, default_value_t = 200_000)]
    payments: u32,
    /// Facts in a transaction.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// The database to measure.
    #[arg(long, default_value = "sqlite")]
    store: Kind,
}

#[expect(clippy::print_stdout, reason = "the figures are what the program is for")]
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("payonce-bench-").tempdir_in(".")?;
    let database = Database::make(options.store, folder.path())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let store = runtime.block_on(database.open())?;
    let commit = |batch: &[Submission]| -> anyhow::Result<Duration> {
        let started = Instant::now();
        for outcome in runtime.block_on(apply(&*store, batch, &Policy::default(), NOW, &Attempts(1))) {
            outcome?;
        }
        Ok(started.elapsed())
    };
    let numbers: Vec<u32> = (0..options.payments).collect();
    let timed = |fact: fn(u32) -> anyhow::Result<Submission>| -> anyhow::Result<Duration> {
        numbers.chunks(options.batch).try_fold(Duration::ZERO, |spent, some| {
            let batch = some.iter().map(|&n| fact(n)).collect::<Result<Vec<_>, _>>()?;
            Ok(spent + commit(&batch)?)
        })
    };
    for (what, fact) in [("registrations", registration as fn(u32) -> _), ("payments", payment)] {
        let before = Spent::so_far()?;
        let rate = f64::from(options.payments) / timed(fact)?.as_secs_f64();
        let after = Spent::so_far()?;
        println!(
            "{what:<14} {rate:>8.0}/s in batches of {}, {:.1} CPU µs and {} bytes written by this process each",
            options.batch,
            (after.cpu - before.cpu).as_secs_f64() * 1e6 / f64::from(options.payments),
            (after.bytes_written - before.bytes_written) / u64::from(options.payments),
        );
    }
    Ok(())
}

/// What this process has used; steadier than the clock on a machine that others use.
struct Spent {
    cpu: Duration,
    bytes_written: u64,
}

impl Spent {
    fn so_far() -> anyhow::Result<Self> {
        let io = std::fs::read_to_string("/proc/self/io")?;
        let bytes =
            io.lines().find_map(|line| line.strip_prefix("wchar: ")).context("wchar in /proc/self/io")?;
        Ok(Self { cpu: process::cpu("self")?, bytes_written: bytes.parse()? })
    }
}

fn registration(n: u32) -> anyhow::Result<Submission> {
    Ok(Fact::Registered { key: key(n)?, terms: terms()? }.into())
}

fn payment(n: u32) -> anyhow::Result<Submission> {
    let Terms { amount, currency, appid, .. } = terms()?;
    let key = key(n)?;
    let receipt = Receipt::new(
        key.merchant.clone(),
        NotificationId::parse(&format!("{:08x}-4a0e-5b1c-9d2f-{:012x}", n.reverse_bits(), n))?,
        EventType::parse("TRANSACTION.SUCCESS")?,
        NOW,
    );
    let number = format!("420000000020260302{:010}", n.reverse_bits());
    let content = Content {
        key,
        payment: WechatPaymentId::parse(&number)?,
        amount,
        currency,
        appid,
        sub_merchant: None,
    };
    let fact = Fact::Paid(Paid {
        content,
        paid_at: Some(NOW),
        source: Source::Callback,
        detail: Json::parse(DETAIL.to_owned())?,
    });
    Ok(Submission { fact, receipt: Some(receipt) })
}

fn key(n: u32) -> anyhow::Result<OrderKey> {
    let number = format!("20260302{:06}{:010}", n / 1000, n.reverse_bits());
    Ok(OrderKey { merchant: MerchantId::parse("1900000001")?, out_trade_no: OutTradeNo::parse(&number)? })
}

fn terms() -> anyhow::Result<Terms> {
    let (amount, currency) = (Fen::new(5990)?, Currency::CNY);
    Ok(Terms {
        amount,
        currency,
        appid: AppId::parse("wx0123456789abcdef")?,
        sub_merchant: None,
        expires_at: None,
    })
}
