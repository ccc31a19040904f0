//! code2Session: one try, unsigned, to another host. Its error texts hold no secret.

use wechatpay::api::{Code2Session, LoginError, Session};

use crate::{ClientError, Transport};

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginFailure {
    /// No answer. The code may be spent: ask the Mini Program for a new one.
    #[error(transparent)]
    Call(ClientError),
    /// WeChat says no.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl Transport {
    /// Who a login code belongs to. It is asked for once, since a code is good for one answer.
    ///
    /// ```no_run
    /// # async fn f(transport: wechatpay_client::Transport) -> Result<(), Box<dyn std::error::Error>> {
    /// use wechatpay::api::Code2Session;
    ///
    /// let call = Code2Session::new("wx0123456789abcdef", "secret of the Mini Program", "code of wx.login")?;
    /// let session = transport.login(&call).await?;
    /// println!("an openid of {} characters", session.openid.len()); // itself not for logs
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`LoginFailure`].
    pub async fn login(&self, call: &Code2Session) -> Result<Session, LoginFailure> {
        let incoming = self.exchange_login(&call.path_and_query()).await.map_err(LoginFailure::Call)?;
        Ok(call.read(&incoming.body)?)
    }
}
