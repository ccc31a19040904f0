// Takes payonce's messages over HTTP. Each has its effect on the shop's database exactly once.
//
// Java 17 with Gson and a JDBC driver: java -cp gson.jar:sqlite-jdbc.jar Receiver.java
// Environment: INBOX_SECRETS, the signing secret (during a rotation the new one and the old one, with a space between
// them), whsec_… or, of an ed25519 key, its public half whpk_…; INBOX_DATABASE, a file with the tables of ../schema.sql;
// INBOX_PORT, where to listen, 0 for any free port.

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Receiver {
    static final int BODY_BYTES_MAX = 4 * 1024 * 1024;

    // [inbox]
    /** The secrets in this text. Refuses what is none: an empty key, or a short one, would be known to everybody. */
    static List<String> known(String text) {
        List<String> secrets = List.of(text.split(" "));
        for (String secret : secrets) {
            byte[] key = Base64.getDecoder().decode(secret.substring(secret.indexOf('_') + 1));
            boolean isShared = secret.startsWith("whsec_") && key.length >= 24;
            boolean isPublic = secret.startsWith("whpk_") && key.length == 32;
            if (!isShared && !isPublic) {
                throw new IllegalArgumentException("INBOX_SECRETS: expected whsec_… (of 24 bytes or more) or whpk_…, "
                        + "with a space between two of them");
            }
        }
        return secrets;
    }

    /** Whether one of the secrets signed these very bytes in the last five minutes. */
    static boolean verified(List<String> secrets, String id, String timestamp, String signatures, byte[] body)
            throws GeneralSecurityException {
        if (!timestamp.matches("\\d{1,18}")
                || Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) > 300) {
            return false;
        }
        var signed = new ByteArrayOutputStream();
        signed.writeBytes((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        signed.writeBytes(body);
        for (String signature : signatures.split(" ")) {
            for (String secret : secrets) {
                if (signedBy(secret, signature, signed.toByteArray())) {
                    return true;
                }
            }
        }
        return false;
    }

    static boolean signedBy(String secret, String signature, byte[] signed) throws GeneralSecurityException {
        byte[] theirs;
        try {
            theirs = Base64.getDecoder().decode(signature.substring(signature.indexOf(',') + 1));
        } catch (IllegalArgumentException notBase64) {
            return false;
        }
        byte[] key = Base64.getDecoder().decode(secret.substring(secret.indexOf('_') + 1));
        if (secret.startsWith("whsec_") && signature.startsWith("v1,")) {
            Mac ours = Mac.getInstance("HmacSHA256");
            ours.init(new SecretKeySpec(key, "HmacSHA256"));
            return MessageDigest.isEqual(ours.doFinal(signed), theirs); // in constant time
        }
        if (secret.startsWith("whpk_") && signature.startsWith("v1a,") && theirs.length == 64) {
            // Java reads public keys as X.509 has them: before the key itself stands what kind it is.
            byte[] kind = HexFormat.of().parseHex("302a300506032b6570032100");
            var encoded = new ByteArrayOutputStream();
            encoded.writeBytes(kind);
            encoded.writeBytes(key);
            var ours = Signature.getInstance("Ed25519");
            ours.initVerify(
                    KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded.toByteArray())));
            ours.update(signed);
            return ours.verify(theirs);
        }
        return false;
    }

    /** Has the effect of a message that had none yet. The inbox's row and the effect are committed together. */
    static void take(Connection database, String id, JsonObject message) throws SQLException {
        database.setAutoCommit(false);
        try (var insert = database.prepareStatement("INSERT INTO inbox (id) VALUES (?) ON CONFLICT (id) DO NOTHING")) {
            insert.setString(1, id);
            if (insert.executeUpdate() == 1) {
                effect(database, message);
            }
            database.commit();
        } catch (SQLException | RuntimeException error) {
            database.rollback();
            throw error;
        }
    }

    /** What the shop does. It is free to add to what is there: for each message it is committed once. */
    static void effect(Connection database, JsonObject message) throws SQLException {
        if (!message.get("type").getAsString().equals("payment.succeeded")) {
            return;
        }
        JsonObject paid = message.getAsJsonObject("data");
        String order = paid.get("out_trade_no").getAsString();
        try (var update = database.prepareStatement(
                "UPDATE shop_orders SET payments = payments + 1, paid_fen = paid_fen + ? WHERE no = ?")) {
            update.setLong(1, paid.get("amount").getAsLong());
            update.setString(2, order);
            if (update.executeUpdate() != 1) {
                throw new SQLException("there is no order " + order);
            }
        }
    }

    /** The status: 2xx once it is committed, and only then. */
    static int answer(List<String> secrets, Headers headers, byte[] body) {
        String id = String.valueOf(headers.getFirst("webhook-id"));
        String timestamp = String.valueOf(headers.getFirst("webhook-timestamp"));
        String signatures = String.valueOf(headers.getFirst("webhook-signature"));
        try {
            if (!verified(secrets, id, timestamp, signatures, body)) {
                return 401;
            }
            try (Connection database = connect()) {
                String text = new String(body, StandardCharsets.UTF_8);
                take(database, id, JsonParser.parseString(text).getAsJsonObject());
            }
            return 204;
        } catch (Exception error) {
            error.printStackTrace();
            return 500; // payonce sends it again
        }
    }
    // [/inbox]

    static Connection connect() throws SQLException {
        var properties = new Properties();
        // A transaction locks the database when it begins, and waits for others.
        properties.setProperty("transaction_mode", "IMMEDIATE");
        properties.setProperty("busy_timeout", "5000");
        return DriverManager.getConnection("jdbc:sqlite:" + System.getenv("INBOX_DATABASE"), properties);
    }

    public static void main(String[] arguments) throws Exception {
        List<String> secrets = known(System.getenv().getOrDefault("INBOX_SECRETS", ""));
        int port = Integer.parseInt(System.getenv().getOrDefault("INBOX_PORT", "8000"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.createContext("/", exchange -> {
            byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
            int status = body.length > BODY_BYTES_MAX ? 413 : answer(secrets, exchange.getRequestHeaders(), body);
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
        System.out.println("listening on 127.0.0.1:" + server.getAddress().getPort());
    }
}
