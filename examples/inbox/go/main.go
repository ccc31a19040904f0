// Takes payonce's messages over HTTP. Each has its effect on the shop's database exactly once.
//
// Environment: INBOX_SECRETS, the signing secret (during a rotation the new one and the old one, with a space between
// them), whsec_… or, of an ed25519 key, its public half whpk_…; INBOX_DATABASE, a file with the tables of ../schema.sql;
// INBOX_PORT, where to listen, 0 for any free port.
package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3"
)

const bodyBytesMax = 4 << 20

// [inbox]
// known refuses what is no secret. An empty key, or a short one, would be known to everybody.
func known(secrets []string) error {
	if len(secrets) == 0 {
		return errors.New("INBOX_SECRETS: no secret is there")
	}
	for at, secret := range secrets {
		kind, text, _ := strings.Cut(secret, "_")
		key, err := base64.StdEncoding.DecodeString(text)
		isShared := kind == "whsec" && len(key) >= 24
		isPublic := kind == "whpk" && len(key) == ed25519.PublicKeySize
		if err != nil || !isShared && !isPublic {
			return fmt.Errorf("INBOX_SECRETS: number %d is neither whsec_… (of 24 bytes or more) nor whpk_…", at+1)
		}
	}
	return nil
}

// verified tells whether one of the secrets signed these very bytes in the last five minutes.
func verified(secrets []string, header http.Header, body []byte) bool {
	seconds, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if age := time.Since(time.Unix(seconds, 0)); err != nil || age.Abs() > 5*time.Minute {
		return false
	}
	signed := append([]byte(fmt.Sprintf("%s.%d.", header.Get("webhook-id"), seconds)), body...)
	for _, signature := range strings.Split(header.Get("webhook-signature"), " ") {
		version, text, _ := strings.Cut(signature, ",")
		theirs, err := base64.StdEncoding.DecodeString(text)
		for _, secret := range secrets {
			if err == nil && signedBy(secret, version, signed, theirs) {
				return true
			}
		}
	}
	return false
}

func signedBy(secret, version string, signed, theirs []byte) bool {
	kind, text, _ := strings.Cut(secret, "_")
	key, err := base64.StdEncoding.DecodeString(text)
	switch {
	case err != nil:
		return false
	case kind == "whsec" && version == "v1":
		ours := hmac.New(sha256.New, key)
		ours.Write(signed)
		return hmac.Equal(ours.Sum(nil), theirs) // in constant time
	case kind == "whpk" && version == "v1a":
		return ed25519.Verify(key, signed, theirs)
	}
	return false
}

type message struct {
	Type string `json:"type"`
	Data struct {
		OutTradeNo string `json:"out_trade_no"`
		Amount     int64  `json:"amount"`
	} `json:"data"`
}

// take has the effect of a message that had none yet. The inbox's row and the effect are committed together.
func take(database *sql.DB, id string, message message) error {
	tx, err := database.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after the commit
	added, err := tx.Exec("INSERT INTO inbox (id) VALUES (?) ON CONFLICT (id) DO NOTHING", id)
	if err != nil {
		return err
	}
	if rows, err := added.RowsAffected(); err != nil {
		return err
	} else if rows == 1 {
		if err := effect(tx, message); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// effect is what the shop does. It is free to add to what is there: for each message it is committed once.
func effect(tx *sql.Tx, message message) error {
	if message.Type != "payment.succeeded" {
		return nil
	}
	touched, err := tx.Exec("UPDATE shop_orders SET payments = payments + 1, paid_fen = paid_fen + ? WHERE no = ?",
		message.Data.Amount, message.Data.OutTradeNo)
	if err != nil {
		return err
	}
	if rows, err := touched.RowsAffected(); err != nil || rows != 1 {
		return fmt.Errorf("order %s: %d rows, %v", message.Data.OutTradeNo, rows, err)
	}
	return nil
}

// answer is the status: 2xx once it is committed, and only then.
func answer(database *sql.DB, secrets []string, header http.Header, body []byte) (int, error) {
	if !verified(secrets, header, body) {
		return http.StatusUnauthorized, nil
	}
	var message message
	if err := json.Unmarshal(body, &message); err != nil {
		return http.StatusInternalServerError, err
	}
	if err := take(database, header.Get("webhook-id"), message); err != nil {
		return http.StatusInternalServerError, err // payonce sends it again
	}
	return http.StatusNoContent, nil
}

// [/inbox]

func main() {
	secrets := strings.Fields(os.Getenv("INBOX_SECRETS"))
	if err := known(secrets); err != nil {
		log.Fatal(err)
	}
	// A transaction locks the database when it begins, and waits for others.
	database, err := sql.Open("sqlite3", "file:"+os.Getenv("INBOX_DATABASE")+"?_txlock=immediate&_busy_timeout=5000")
	if err != nil {
		log.Fatal(err)
	}
	port := os.Getenv("INBOX_PORT")
	if port == "" {
		port = "8000"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, bodyBytesMax))
		if err != nil {
			response.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		status, err := answer(database, secrets, request.Header, body)
		if err != nil {
			log.Print(err)
		}
		response.WriteHeader(status)
	})))
}
