//! A request before it is sent, made to be spoilt: headers can be absent, doubled or any bytes.

use payonce_simulator::SignedCallback;

/// A request. The length of its body is told when it is written out.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    method: &'static str,
    pub path: String,
    headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Letter {
    pub(crate) fn get(path: &str) -> Self {
        Self { method: "GET", path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST", body: body.into(), ..Self::get(path) }
    }

    /// A callback to the path of a merchant.
    pub(crate) fn callback(mchid: &str, signed: &SignedCallback) -> Self {
        let letter = Self::post(&format!("/notify/v3/{mchid}"), signed.body().to_vec());
        signed.headers().into_iter().fold(letter, |letter, (name, value)| letter.and(name, value))
    }

    pub(crate) fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(crate) fn to(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    pub(crate) fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// One more header.
    pub(crate) fn and(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    /// Another value for a header.
    pub(crate) fn with(self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.without(name).and(name, value)
    }

    /// A header once more.
    pub(crate) fn twice(self, name: &str) -> Self {
        let value = self.header(name).to_vec();
        self.and(name, value)
    }

    pub(crate) fn header(&self, name: &str) -> &[u8] {
        let found = self.headers.iter().find(|(header, _)| header == name);
        &found.unwrap_or_else(|| panic!("no header {name}")).1
    }

    /// The same headers in reverse, their names in capitals, their values indented.
    pub(crate) fn shouted(mut self) -> Self {
        self.headers.reverse();
        for (name, value) in &mut self.headers {
            *name = name.to_ascii_uppercase();
            value.splice(..0, *b" \t ");
        }
        self
    }

    /// As it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(&[("content-length", &self.body.len().to_string())]);
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The head alone, with headers that say how the body will come.
    pub(crate) fn head(&self, framing: &[(&str, &str)]) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: payonce\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        for (name, value) in framing {
            head.extend(format!("{name}: {value}\r\n").bytes());
        }
        head.extend(b"\r\n");
        head
    }
}
