//! Statements of bills and the download of their files.

use wechatpay::api::{
    AccountType, BillType, Call, DownloadFile, FundFlowBill, Operation, Rule, Statement, TradeBill,
};

use super::*;

#[test]
fn bytes_of_statements() {
    let trade = || TradeBill::new("2019-06-11").unwrap();
    let line = "GET /v3/bill/tradebill?bill_date=2019-06-11";
    assert_sent(&trade(), line, "");
    let all = trade().sub_mchid("1900000001").unwrap().bill_type(BillType::All);
    assert_sent(&all, &format!("{line}&sub_mchid=1900000001&bill_type=ALL"), "");
    assert_sent(&trade().gzip(), &format!("{line}&tar_type=GZIP"), "");
    let special = trade().bill_type(BillType::RefundSpecial);
    assert_sent(&special, &format!("{line}&bill_type=REF_SPECIAL"), "");
    let tomorrow = trade().bill_type(BillType::from("A&B"));
    assert_sent(&tomorrow, &format!("{line}&bill_type=A%26B"), "");

    let flow = || FundFlowBill::new("2019-06-11").unwrap();
    let line = "GET /v3/bill/fundflowbill?bill_date=2019-06-11";
    assert_sent(&flow(), line, "");
    let fees = flow().account_type(AccountType::Fees).gzip();
    assert_sent(&fees, &format!("{line}&account_type=FEES&tar_type=GZIP"), "");
    assert_eq!((all.operation(), fees.operation()), (Operation::Bill, Operation::Bill));
    assert_invalid(TradeBill::new("20190611"), "bill_date", &Rule::Date);
    assert_invalid(FundFlowBill::new("2019-06-31"), "bill_date", &Rule::Date);
}

#[test]
fn the_url_of_a_file_is_signed_unchanged() {
    let target = "/v3/billdownload/file?token=6XIv5TUPto7pByrTQKhd6kwvyKLG2uY2wMMR8cNXqaA_Cv_isgaUtBzp4QtiozLO&tartype=gzip";
    let answer = format!(
        r#"{{"hash_type":"SHA1","hash_value":"79bb0f45fc4c42234a918000b2668d689e2bde04","download_url":"https://api.mch.weixin.qq.com{target}"}}"#
    );
    let statement = TradeBill::new("2019-06-11").unwrap().read(answer.as_bytes()).unwrap();
    let expected = "79bb0f45fc4c42234a918000b2668d689e2bde04";
    assert_eq!((statement.hash_type.as_str(), statement.hash_value.as_str()), ("SHA1", expected));
    let file = statement.file().unwrap();
    assert_sent(&file, &format!("GET {target}"), "");
    assert_eq!((file.host(), file.answer_is_signed()), ("api.mch.weixin.qq.com", false));
    assert_eq!(file.read(b"\xEF\xBB\xBFbytes\r\n").unwrap(), b"\xEF\xBB\xBFbytes\r\n");
}

/// Whoever has the token of the URL, and the merchant's key, has the bill.
#[test]
fn debug_does_not_show_the_token() {
    let statement = Statement {
        hash_type: "SHA1".to_owned(),
        hash_value: "79bb".to_owned(),
        download_url: "https://api.mch.weixin.qq.com/v3/billdownload/file?token=SECRET".to_owned(),
    };
    let said = format!("{statement:?} {:?}", statement.file().unwrap());
    assert!(!said.contains("SECRET") && !said.contains("token") && said.contains("79bb"), "{said}");
}

#[test]
fn a_file_elsewhere_is_refused() {
    let statement = Statement {
        hash_type: "SHA1".to_owned(),
        hash_value: String::new(),
        download_url: "https://files.example.com/v3/billdownload/file?token=a".to_owned(),
    };
    assert_invalid(statement.file(), "download_url", &Rule::Host);
    let spaced = "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a b";
    assert_invalid(DownloadFile::new(spaced), "download_url", &Rule::Target);
}
