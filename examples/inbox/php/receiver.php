<?php
// Takes payonce's messages over HTTP. Each has its effect on the shop's database exactly once.
//
// Under any server that runs PHP, or PHP's own: PHP_CLI_SERVER_WORKERS=4 php -S 127.0.0.1:8000 receiver.php
// Environment: INBOX_SECRETS, the signing secret (during a rotation the new one and the old one, with a space between
// them), whsec_… or, of an ed25519 key, its public half whpk_…; INBOX_DATABASE, a file with the tables of ../schema.sql.
declare(strict_types=1);

// [inbox]
/** The secrets in this text. Refuses what is none: an empty key, or a short one, would be known to everybody. */
function known(string $text): array
{
    $secrets = explode(' ', $text);
    foreach ($secrets as $secret) {
        [$kind, $key] = explode('_', $secret, 2) + ['', ''];
        $bytes = strlen((string) base64_decode($key, true));
        if (!($kind === 'whsec' && $bytes >= 24) && !($kind === 'whpk' && $bytes === 32)) {
            throw new RuntimeException(
                'INBOX_SECRETS: expected whsec_… (of 24 bytes or more) or whpk_…, with a space between two of them'
            );
        }
    }
    return $secrets;
}

/** Whether one of the secrets signed these very bytes in the last five minutes. */
function verified(array $secrets, string $id, string $timestamp, string $signatures, string $body): bool
{
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $signed = "$id.$timestamp.$body";
    foreach (explode(' ', $signatures) as $signature) {
        [$version, $text] = explode(',', $signature, 2) + ['', ''];
        $theirs = (string) base64_decode($text, true);
        foreach ($secrets as $secret) {
            [$kind, $text] = explode('_', $secret, 2) + ['', ''];
            $key = (string) base64_decode($text, true);
            if ($kind === 'whsec' && $version === 'v1'
                && hash_equals(hash_hmac('sha256', $signed, $key, true), $theirs)) { // in constant time
                return true;
            }
            if ($kind === 'whpk' && $version === 'v1a' && strlen($theirs) === 64
                && sodium_crypto_sign_verify_detached($theirs, $signed, $key)) {
                return true;
            }
        }
    }
    return false;
}

/** Has the effect of a message that had none yet. The inbox's row and the effect are committed together. */
function take(PDO $database, string $id, array $message): void
{
    $database->exec('BEGIN IMMEDIATE'); // on PostgreSQL and MySQL: $database->beginTransaction()
    try {
        $added = $database->prepare('INSERT INTO inbox (id) VALUES (?) ON CONFLICT (id) DO NOTHING');
        $added->execute([$id]);
        if ($added->rowCount() === 1) {
            effect($database, $message);
        }
        $database->exec('COMMIT');
    } catch (Throwable $error) {
        $database->exec('ROLLBACK');
        throw $error;
    }
}

/** What the shop does. It is free to add to what is there: for each message it is committed once. */
function effect(PDO $database, array $message): void
{
    if ($message['type'] !== 'payment.succeeded') {
        return;
    }
    $paid = $message['data'];
    $touched = $database->prepare(
        'UPDATE shop_orders SET payments = payments + 1, paid_fen = paid_fen + ? WHERE no = ?'
    );
    $touched->execute([$paid['amount'], $paid['out_trade_no']]);
    if ($touched->rowCount() !== 1) {
        throw new RuntimeException("there is no order {$paid['out_trade_no']}");
    }
}

/** The status: 2xx once it is committed, and only then. */
function answer(string $secrets, array $server, string $body): int
{
    [$id, $timestamp, $signatures] = array_map(
        fn (string $name) => (string) ($server["HTTP_WEBHOOK_$name"] ?? ''),
        ['ID', 'TIMESTAMP', 'SIGNATURE'],
    );
    try {
        if (!verified(known($secrets), $id, $timestamp, $signatures, $body)) {
            return 401;
        }
        $database = new PDO('sqlite:' . getenv('INBOX_DATABASE'), null, null, [
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_TIMEOUT => 5,
        ]);
        take($database, $id, json_decode($body, true, 512, JSON_THROW_ON_ERROR));
        return 204;
    } catch (Throwable $error) {
        error_log((string) $error);
        return 500; // payonce sends it again
    }
}
// [/inbox]

$secrets = (string) getenv('INBOX_SECRETS');
http_response_code(answer($secrets, $_SERVER, (string) file_get_contents('php://input')));
