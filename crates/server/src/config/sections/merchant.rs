//! `[[merchants]]`: who they are, their secrets and the keys by which WeChat Pay signs to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use payonce_core::MerchantId;
use wechatpay::{ApiV3Key, KeyError, MerchantCertificate, MerchantKey, PlatformKey, v2::ApiV2Key};
use wechatpay_client::KeyRing;

use crate::config::{
    document::Group,
    environment::MERCHANT_PREFIX,
    error::{Problem, Warning},
    load::{Loader, Reported, read},
    place::Place,
    settings::{Merchant, SigningPair},
    table::{
        Key, Raw, Section,
        rows::{
            API_CERTIFICATE_FILE, APIV2_KEY, APIV2_KEY_FILE, APIV3_KEY, APIV3_KEY_FILE, CERTIFICATE_FILE,
            MCHID, PRIVATE_KEY_FILE, PUBLIC_KEY_FILE, PUBLIC_KEY_ID, SELLERS,
        },
    },
};

impl Loader<'_> {
    /// All that are without error; errors are reported, also what makes one merchant clash with another.
    pub(in crate::config) fn merchants(&mut self, root: &Group) -> Vec<Merchant> {
        let mut places = BTreeMap::new();
        let mut variables = BTreeSet::new();
        let mut merchants = Vec::new();
        for group in root.groups.iter().filter(|group| group.section == Section::Merchants) {
            self.effective.open(Section::Merchants);
            let mchid = self.mchid(group, &mut places);
            let sellers = self.sellers(group);
            let text = mchid.as_ref().ok().map(MerchantId::as_str);
            variables.extend(APIV3_KEY.variable(text));
            let apiv3_key = self.apiv3_key(group, text);
            variables.extend(APIV2_KEY.variable(text));
            let apiv2_key = self.apiv2_key(group, text);
            let certificate = self.signing_pair(group);
            let may_download = !matches!(certificate, Ok(None));
            let keys = self.platform_keys(group, may_download);
            if let (Ok(mchid), Ok(sellers), Ok(apiv3_key), Ok(apiv2_key), Ok(certificate), Ok(keys)) =
                (mchid, sellers, apiv3_key, apiv2_key, certificate, keys)
            {
                let keys = Arc::new(KeyRing::new(keys));
                merchants.push(Merchant { mchid, sellers, keys, apiv3_key, apiv2_key, certificate });
            }
        }
        let strangers = self.environment.of(MERCHANT_PREFIX).filter(|name| !variables.contains(*name));
        self.warnings.extend(strangers.map(|name| Warning::NoSuchMerchant { name: name.to_owned() }));
        merchants
    }

    fn mchid(
        &mut self,
        group: &Group,
        places: &mut BTreeMap<MerchantId, Place>,
    ) -> Result<MerchantId, Reported> {
        let (text, place) = self.required(group, &MCHID)?;
        let problem = match MerchantId::parse(&text) {
            Ok(mchid) => match places.get(&mchid) {
                None => {
                    places.insert(mchid.clone(), place);
                    return Ok(mchid);
                }
                Some(first) => Problem::Duplicate { value: text, first: Box::new(first.clone()) },
            },
            Err(_) => MCHID.kind.mismatch(&Raw::Text(text)),
        };
        Err(self.report(group.error(MCHID.name, place, problem)))
    }

    /// Those whose orders it combines; none if it does not say.
    fn sellers(&mut self, group: &Group) -> Result<BTreeSet<MerchantId>, Reported> {
        let Some(given) = self.given(group, &SELLERS) else { return Ok(BTreeSet::new()) };
        let seller = |raw: &Raw| match raw {
            Raw::Text(text) => MerchantId::parse(text).ok(),
            _ => None,
        };
        let sellers = match &given.raw {
            Raw::List(values) => values.iter().map(seller).collect(),
            _ => None,
        };
        if sellers.is_some() {
            self.effective.line(&SELLERS, &given.raw, &given.place);
        }
        sellers.ok_or_else(|| {
            let problem = SELLERS.kind.mismatch(&given.raw);
            self.report(group.error(SELLERS.name, given.place, problem))
        })
    }

    pub(in crate::config) fn required(
        &mut self,
        group: &Group,
        key: &'static Key,
    ) -> Result<(String, Place), Reported> {
        match self.text(group, key)? {
            Some(text) => Ok(text),
            None => Err(self.missing(group, key.name, &key.kind.expected())),
        }
    }

    pub(in crate::config) fn missing(&mut self, group: &Group, name: &str, expected: &str) -> Reported {
        let problem = Problem::Missing { expected: expected.to_owned() };
        self.report(group.error(name, group.place.clone(), problem))
    }

    fn apiv3_key(&mut self, group: &Group, mchid: Option<&str>) -> Result<ApiV3Key, Reported> {
        let Some(secret) = self.secret(group, &APIV3_KEY, &APIV3_KEY_FILE, mchid)? else {
            let variable = APIV3_KEY.variable(Some(mchid.unwrap_or("<MCHID>"))).unwrap_or_default();
            let expected = format!("the path of a file, or the environment variable {variable}");
            return Err(self.missing(group, APIV3_KEY_FILE.name, &expected));
        };
        ApiV3Key::new(&secret.text).map_err(|source| {
            let problem = Problem::Key { file: secret.file, source };
            self.report(group.error(secret.name, secret.place, problem))
        })
    }

    fn apiv2_key(&mut self, group: &Group, mchid: Option<&str>) -> Result<Option<ApiV2Key>, Reported> {
        let Some(secret) = self.secret(group, &APIV2_KEY, &APIV2_KEY_FILE, mchid)? else { return Ok(None) };
        let key = ApiV2Key::new(&secret.text).map_err(|source| {
            let problem = Problem::Key { file: secret.file, source };
            self.report(group.error(secret.name, secret.place, problem))
        });
        key.map(Some)
    }

    /// The merchant's certificate and its key; neither or both.
    fn signing_pair(&mut self, group: &Group) -> Result<Option<SigningPair>, Reported> {
        let (key, certificate) =
            (self.text(group, &PRIVATE_KEY_FILE), self.text(group, &API_CERTIFICATE_FILE));
        let (key_file, certificate_file) = match (key?, certificate?) {
            (Some(key), Some(certificate)) => (key, certificate),
            (None, None) => return Ok(None),
            (Some(_), None) => {
                return Err(self.missing(
                    group,
                    API_CERTIFICATE_FILE.name,
                    &API_CERTIFICATE_FILE.kind.expected(),
                ));
            }
            (None, Some(_)) => {
                return Err(self.missing(group, PRIVATE_KEY_FILE.name, &PRIVATE_KEY_FILE.kind.expected()));
            }
        };
        let place = key_file.1.clone();
        let certificate =
            self.pem_file(group, &API_CERTIFICATE_FILE, certificate_file, MerchantCertificate::from_pem)?;
        let serial = certificate.serial().to_string();
        let key = self
            .pem_file(group, &PRIVATE_KEY_FILE, key_file, |pem| MerchantKey::from_pkcs8_pem(&serial, pem))?;
        if !certificate.matches(&key) {
            return Err(self.report(group.error(PRIVATE_KEY_FILE.name, place, Problem::NotAPair)));
        }
        Ok(Some(SigningPair { certificate, key: Arc::new(key) }))
    }

    fn platform_keys(&mut self, merchant: &Group, may_download: bool) -> Result<Vec<PlatformKey>, Reported> {
        if merchant.groups.is_empty() && may_download {
            return Ok(Vec::new());
        }
        if merchant.groups.is_empty() {
            let expected = format!("at least one {}", Section::PlatformKeys.header());
            return Err(self.missing(merchant, Section::PlatformKeys.name(), &expected));
        }
        let mut places: BTreeMap<String, Place> = BTreeMap::new();
        let keys: Vec<_> = merchant
            .groups
            .iter()
            .map(|group| {
                self.effective.open(Section::PlatformKeys);
                let (key, place, name) = self.platform_key(group)?;
                let serial = key.serial().as_str().to_owned();
                if let Some(first) = places.get(&serial) {
                    let problem = Problem::Duplicate { value: serial, first: Box::new(first.clone()) };
                    return Err(self.report(group.error(name, place, problem)));
                }
                places.insert(serial, place);
                Ok(key)
            })
            .collect();
        keys.into_iter().collect()
    }

    /// The key, and the place and name of what gave its serial.
    fn platform_key(&mut self, group: &Group) -> Result<(PlatformKey, Place, &'static str), Reported> {
        let id = self.text(group, &PUBLIC_KEY_ID);
        let public_key = self.text(group, &PUBLIC_KEY_FILE);
        let certificate = self.text(group, &CERTIFICATE_FILE);
        match (id?, public_key?, certificate?) {
            (Some((id, place)), Some(file), None) => {
                let key = self.pem_file(group, &PUBLIC_KEY_FILE, file, |pem| {
                    PlatformKey::from_public_key_pem(&id, pem)
                })?;
                Ok((key, place, PUBLIC_KEY_ID.name))
            }
            (None, None, Some((file, place))) => {
                let named = (file, place.clone());
                let key =
                    self.pem_file(group, &CERTIFICATE_FILE, named, PlatformKey::from_certificate_pem)?;
                Ok((key, place, CERTIFICATE_FILE.name))
            }
            (Some(_), None, None) => {
                Err(self.missing(group, PUBLIC_KEY_FILE.name, &PUBLIC_KEY_FILE.kind.expected()))
            }
            (None, Some(_), None) => {
                Err(self.missing(group, PUBLIC_KEY_ID.name, &PUBLIC_KEY_ID.kind.expected()))
            }
            (None, None, None) => {
                let either = "with public_key_file, or certificate_file in place of both";
                let expected = format!("{} {either}", PUBLIC_KEY_ID.kind.expected());
                Err(self.missing(group, PUBLIC_KEY_ID.name, &expected))
            }
            (_, _, Some((_, place))) => {
                Err(self.report(group.error(CERTIFICATE_FILE.name, place, Problem::BothKinds)))
            }
        }
    }

    fn pem_file<T>(
        &mut self,
        group: &Group,
        key: &'static Key,
        (named, place): (String, Place),
        parse: impl FnOnce(&str) -> Result<T, KeyError>,
    ) -> Result<T, Reported> {
        let file = self.base.join(named);
        read(self.files, &file)
            .and_then(|(pem, _)| parse(&pem).map_err(|source| Problem::Key { file: Some(file), source }))
            .map_err(|problem| self.report(group.error(key.name, place, problem)))
    }
}
