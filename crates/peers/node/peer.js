// The SDK wechatpay-axios-plugin as a peer: reads {"task", "given"} a line, answers {"answer"} or {"error"} a line.
//
// What the SDK does itself is left to it: `verify` is the check that it makes of every answer, at the time that is given.
'use strict';

const http = require('http');

const {
  Aes: { AesEcb, AesGcm }, Decorator, Formatter, Hash, Rsa, Transformer, Wechatpay,
} = require('wechatpay-axios-plugin');

let settings;

const body = (given) => Buffer.from(given.body, 'base64').toString();

const verifyBy = (keys, { headers, now, ...given }) => {
  Formatter.timestamp = () => now;
  const text = body(given);
  // A refusal is another object than the text.
  return Decorator.responseVerifier(keys).call({}, text, headers, 200) === text;
};

const verify = (given) => verifyBy({ [settings.platform_serial]: settings.platform_public }, given);

// The SDK is given `mch_id` where it would insist on it, and the path of a call that has a sign.
const transformer = () => new Transformer(undefined, settings.apiv2_key);
const CALL = { url: '/pay/unifiedorder', method: 'POST' };

let client;
const notices = [];
const waiting = [];

// A refusal by WeChat Pay is an answer; one by the SDK, of an answer that it does not believe, is an error.
const answered = async (promise) => {
  try {
    const { status, data } = await promise;
    return { status, body: data || null };
  } catch (error) {
    if (!error.response || error.response.status < 300) { throw error; }
    return { status: error.response.status, body: error.response.data };
  }
};

const text = (request) => new Promise((resolve) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => resolve(Buffer.concat(chunks).toString()));
});

// The merchant's backend: takes what the SDK verifies and opens, and refuses all else.
const receive = async (request, response) => {
  const said = await text(request);
  const isOurs = Decorator.responseVerifier(settings.certs).call({}, said, request.headers, 200) === said;
  if (isOurs) {
    const notice = JSON.parse(said);
    const { ciphertext, nonce, associated_data: associatedData } = notice.resource;
    notice.resource = JSON.parse(AesGcm.decrypt(ciphertext, settings.apiv3_key, nonce, associatedData));
    const next = waiting.shift();
    if (next) { next(notice); } else { notices.push(notice); }
  }
  response.writeHead(isOurs ? 204 : 401).end();
};

const TASKS = {
  // The SDK's own option names the host.
  connect(given) {
    const pems = { ...given.certificates };
    if (given.public_key) { pems[given.public_key.id] = given.public_key.pem; }
    const certs = Object.fromEntries(
      Object.entries(pems).map(([serial, pem]) => [serial, Rsa.from(pem, Rsa.KEY_TYPE_PUBLIC)]),
    );
    settings = { ...given, certs };
    client = new Wechatpay({
      baseURL: `${given.base_url}/`,
      proxy: false,
      mchid: given.mchid,
      serial: given.merchant_serial,
      privateKey: Rsa.from(given.merchant_private_pem, Rsa.KEY_TYPE_PRIVATE),
      certs,
    });
    return null;
  },

  listen: () => new Promise((resolve) => {
    const server = http.createServer(receive);
    // It does not keep the process from ending.
    server.unref();
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}/notify`));
  }),

  received: () => (notices.length ? notices.shift() : new Promise((resolve) => { waiting.push(resolve); })),

  place: ({
    kind, amount_fen: total, openid, ...order
  }) => answered(client.v3.pay.transactions[kind].post({
    appid: settings.appid,
    mchid: settings.mchid,
    ...order,
    amount: { total, currency: 'CNY' },
    ...(kind === 'jsapi' ? { payer: { openid } } : {}),
  })),

  query: ({ out_trade_no }) => answered(client.v3.pay.transactions.outTradeNo.$out_trade_no$.get({
    params: { mchid: settings.mchid }, out_trade_no,
  })),

  close: ({ out_trade_no }) => answered(client.v3.pay.transactions.outTradeNo.$out_trade_no$.close.post(
    { mchid: settings.mchid }, { out_trade_no },
  )),

  refund: ({ refund_fen: refund, total_fen: total, ...asked }) => answered(
    client.v3.refund.domestic.refunds.post({ ...asked, amount: { refund, total, currency: 'CNY' } }),
  ),

  query_refund: ({ out_refund_no }) => answered(
    client.v3.refund.domestic.refunds.$out_refund_no$.get({ out_refund_no }),
  ),

  configure(given) {
    settings = {
      ...given,
      merchant_private: Rsa.from(given.merchant_private_pem, Rsa.KEY_TYPE_PRIVATE),
      platform_public: Rsa.from(given.platform_public_pem, Rsa.KEY_TYPE_PUBLIC),
      their_platform_private: Rsa.from(given.their_platform_private_pem, Rsa.KEY_TYPE_PRIVATE),
    };
    return null;
  },

  verify,

  // The SDK takes the certificate's serial from its user.
  verify_by_certificate({ certificate_pem: pem, serial, ...given }) {
    return verifyBy({ [serial]: Rsa.from(pem, Rsa.KEY_TYPE_PUBLIC) }, given);
  },

  open_callback(given) {
    if (!verify(given)) { return null; }
    const { ciphertext, nonce, associated_data: associatedData } = JSON.parse(body(given)).resource;
    return AesGcm.decrypt(ciphertext, settings.apiv3_key, nonce, associatedData);
  },

  sign_callback: (given) => Rsa.sign(
    Formatter.response(given.timestamp, given.nonce, body(given)), settings.their_platform_private,
  ),

  seal: (given) => AesGcm.encrypt(given.plaintext, settings.apiv3_key, given.nonce, given.associated_data),

  authorization({ method, url, timestamp, nonce, body: text }) {
    const signature = Rsa.sign(Formatter.request(method, url, timestamp, nonce, text), settings.merchant_private);
    return Formatter.authorization(settings.mchid, nonce, signature, timestamp, settings.merchant_serial);
  },

  pay_sign: ({ lines }) => Rsa.sign(Formatter.joinedByLineFeed(...lines), settings.merchant_private),

  encrypt: ({ text, public_pem: pem }) => Rsa.encrypt(text, Rsa.from(pem, Rsa.KEY_TYPE_PUBLIC)),

  decrypt: ({ ciphertext }) => Rsa.decrypt(ciphertext, settings.merchant_private),

  v2_sign: ({ sign_type: type, fields }) => Hash.sign(type, fields, settings.apiv2_key),

  v2_write: ({ fields }) => Transformer.toXml(fields),

  v2_read: ({ xml }) => Transformer.toObject(xml),

  // As the SDK sends a call: nonce and sign are added, then it is written.
  v2_send({ fields }) {
    const { request: [sign, write] } = transformer();
    return write.call(CALL, sign.call(CALL, fields));
  },

  // As the SDK takes an answer: read, its codes and its sign checked. A refusal is an object without these fields.
  v2_receive({ xml }) {
    const { response: [read, check] } = transformer();
    const fields = read.call(CALL, xml);
    return check.call(CALL, fields, {}, 200) === fields ? fields : null;
  },

  v2_seal: ({ text }) => AesEcb.encrypt(text, Hash.md5(settings.apiv2_key)),

  v2_open: ({ sealed }) => AesEcb.decrypt(sealed, Hash.md5(settings.apiv2_key)),
};

const answer = async (line) => {
  try {
    const { task, given } = JSON.parse(line);
    return { answer: await TASKS[task](given) };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
};

// Not by `readline`, which takes U+2028 for the end of a line too.
let pending = '';
let before = Promise.resolve();
const reply = async (line) => process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const lines = (pending + chunk).split('\n');
  pending = lines.pop();
  lines.forEach((line) => { before = before.then(() => reply(line)); });
});
