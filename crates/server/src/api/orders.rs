//! `POST /v1/orders` and `GET /v1/orders/{out_trade_no}`.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{
        FromRequest, Path, Query, Request, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use payonce_core::{
    AppId, Currency, Fact, Fen, MerchantId, OrderKey, OrderState, OutTradeNo, Outcome, Terms, UnixMillis,
    decide::Standing,
    message::rfc3339,
    store::{OrderView, PaymentView},
};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::{ingest::Shed, server::App};

/// An order that the merchant placed with WeChat by itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    /// May be left out if one merchant is configured.
    mchid: Option<String>,
    out_trade_no: String,
    /// In fen.
    amount: i64,
    /// `CNY` if left out, as with WeChat.
    currency: Option<String>,
    appid: String,
    /// In partner mode, the sub-merchant that gets the money.
    sub_mchid: Option<String>,
    /// WeChat's `time_expire`, RFC 3339.
    expires_at: Option<String>,
}

/// Registers an order: 201 the first time, 200 for the same again, 409 for other terms under its number.
pub(crate) async fn register(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let body = Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::TooLarge
        } else {
            ApiError::Body(rejection.body_text())
        }
    })?;
    let registration: Registration =
        serde_json::from_slice(&body).map_err(|error| ApiError::Body(error.to_string()))?;
    let (key, terms) = terms_of(&app, registration)?;
    let fact = Fact::Registered { key: key.clone(), terms };
    let verdict = app.intake().and_then(|intake| intake.submit(fact.into())).map_err(api_error_of)?;
    let outcome = verdict.await.map_err(|_| ApiError::ShuttingDown)?.map_err(ApiError::from)?;
    let status = match outcome {
        Outcome::Applied | Outcome::Unmatched | Outcome::Incident => StatusCode::CREATED,
        Outcome::Duplicate => StatusCode::OK,
        Outcome::Refused => {
            return Err(ApiError::OtherTerms { out_trade_no: key.out_trade_no.to_string() });
        }
    };
    Ok((status, Json(view(&app, &key).await?)).into_response())
}

/// Shows an order.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    uri: Uri,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<Which>, QueryRejection>,
) -> Result<Json<OrderJson>, ApiError> {
    let Path(out_trade_no) = path.map_err(|_| ApiError::NoSuchRoute { path: uri.path().to_owned() })?;
    let Query(which) = query.map_err(|rejection| ApiError::Query(rejection.body_text()))?;
    let merchant = merchant(&app, which.mchid)?;
    let key = OrderKey { merchant, out_trade_no: OutTradeNo::parse(&out_trade_no)? };
    Ok(Json(view(&app, &key).await?))
}

/// Which merchant's order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    mchid: Option<String>,
}

fn terms_of(app: &App, registration: Registration) -> Result<(OrderKey, Terms), ApiError> {
    let key = OrderKey {
        merchant: merchant(app, registration.mchid)?,
        out_trade_no: OutTradeNo::parse(&registration.out_trade_no)?,
    };
    let amount = Fen::new(registration.amount)?;
    if amount == Fen::default() {
        return Err(ApiError::ZeroAmount);
    }
    let expires_at = match registration.expires_at {
        None => None,
        Some(text) => Some(text.parse::<Timestamp>().map_err(|_| ApiError::ExpiresAt)?),
    };
    let terms = Terms {
        amount,
        currency: registration.currency.as_deref().map_or(Ok(Currency::CNY), Currency::parse)?,
        appid: AppId::parse(&registration.appid)?,
        sub_merchant: registration.sub_mchid.as_deref().map(MerchantId::parse).transpose()?,
        expires_at: expires_at.map(|at| UnixMillis(at.as_millisecond())),
    };
    Ok((key, terms))
}

/// The merchant that is meant: the named one, which is configured or sells through one that is; or the only one that is
/// configured.
fn merchant(app: &App, named: Option<String>) -> Result<MerchantId, ApiError> {
    let merchants = app.merchants.load();
    match named {
        Some(mchid) => MerchantId::parse(&mchid)
            .ok()
            .filter(|id| {
                merchants.get(&mchid).is_some() || merchants.iter().any(|each| each.sellers.contains(id))
            })
            .ok_or(ApiError::UnknownMerchant { mchid }),
        None => {
            let mut all = merchants.iter();
            match (all.next(), all.next()) {
                (Some(only), None) => Ok(only.mchid.clone()),
                _ => Err(ApiError::WhichMerchant),
            }
        }
    }
}

async fn view(app: &App, key: &OrderKey) -> Result<OrderJson, ApiError> {
    match app.store.order(key).await? {
        Some(view) => Ok(OrderJson::from(view)),
        None => Err(ApiError::NoSuchOrder {
            mchid: key.merchant.to_string(),
            out_trade_no: key.out_trade_no.to_string(),
        }),
    }
}

fn api_error_of(shed: Shed) -> ApiError {
    match shed {
        Shed::QueueFull => ApiError::Overloaded,
        Shed::Closed => ApiError::ShuttingDown,
    }
}

/// An order as the API shows it. Amounts are in fen.
#[derive(Debug, Serialize)]
pub(crate) struct OrderJson {
    mchid: String,
    out_trade_no: String,
    amount: i64,
    currency: String,
    appid: String,
    sub_mchid: Option<String>,
    expires_at: Option<String>,
    registered_at: String,
    state: &'static str,
    late: bool,
    transaction_id: Option<String>,
    flagged: bool,
    payments: Vec<PaymentJson>,
    incidents: Vec<IncidentJson>,
}

#[derive(Debug, Serialize)]
struct PaymentJson {
    transaction_id: String,
    standing: &'static str,
    amount: i64,
    currency: String,
    appid: String,
    sub_mchid: Option<String>,
    paid_at: Option<String>,
    learnt_at: String,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct IncidentJson {
    kind: &'static str,
    opened_at: String,
}

impl From<OrderView> for OrderJson {
    fn from(view: OrderView) -> Self {
        let order = view.order;
        let (state, late, transaction_id) = match order.state {
            OrderState::Pending => ("pending", false, None),
            OrderState::Paid { by, late } => ("paid", late, Some(by.to_string())),
            OrderState::Closed => ("closed", false, None),
        };
        Self {
            mchid: order.key.merchant.to_string(),
            out_trade_no: order.key.out_trade_no.to_string(),
            amount: order.terms.amount.get(),
            currency: order.terms.currency.to_string(),
            appid: order.terms.appid.to_string(),
            sub_mchid: order.terms.sub_merchant.as_ref().map(MerchantId::to_string),
            expires_at: order.terms.expires_at.map(rfc3339),
            registered_at: rfc3339(order.registered_at),
            state,
            late,
            transaction_id,
            flagged: order.flagged,
            payments: view.payments.into_iter().map(PaymentJson::from).collect(),
            incidents: view
                .incidents
                .into_iter()
                .map(|incident| IncidentJson {
                    kind: incident.kind.as_str(),
                    opened_at: rfc3339(incident.opened_at),
                })
                .collect(),
        }
    }
}

impl From<PaymentView> for PaymentJson {
    fn from(payment: PaymentView) -> Self {
        Self {
            transaction_id: payment.content.payment.to_string(),
            standing: match payment.standing {
                Standing::Settling => "settling",
                Standing::Second => "second",
                Standing::Disputed => "disputed",
                Standing::Unmatched => "unmatched",
            },
            amount: payment.content.amount.get(),
            currency: payment.content.currency.to_string(),
            appid: payment.content.appid.to_string(),
            sub_mchid: payment.content.sub_merchant.as_ref().map(MerchantId::to_string),
            paid_at: payment.paid_at.map(rfc3339),
            learnt_at: rfc3339(payment.learnt_at),
            source: payment.source.as_str(),
        }
    }
}
