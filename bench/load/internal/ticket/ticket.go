// Package ticket owns the tokens with which people enter: made here with the server's key, or by somebody else and read from a file.
package ticket

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	lifetime      = 6 * time.Hour
	clockLeeway   = 10 * time.Second
	longestTicket = 1 << 20
)

// Ticket lets one person into one room.
type Ticket struct {
	URL, Token string
	// Room and Identity as the token says.
	Room, Identity string
}

type claims struct {
	Issuer    string `json:"iss,omitempty"`
	Subject   string `json:"sub"`
	NotBefore int64  `json:"nbf,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	Video     grants `json:"video"`
}

type grants struct {
	Room         string `json:"room"`
	RoomJoin     bool   `json:"roomJoin"`
	CanPublish   bool   `json:"canPublish"`
	CanSubscribe bool   `json:"canSubscribe"`
}

// Signer makes tokens as a LiveKit server's API key allows.
type Signer struct {
	URL, Key, Secret string
}

// Sign makes one (HS256).
func (s Signer) Sign(room, identity string, publishes bool, now time.Time) (Ticket, error) {
	body, err := json.Marshal(claims{
		Issuer: s.Key, Subject: identity, NotBefore: now.Add(-clockLeeway).Unix(), Expires: now.Add(lifetime).Unix(),
		Video: grants{Room: room, RoomJoin: true, CanPublish: publishes, CanSubscribe: true},
	})
	if err != nil {
		return Ticket{}, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(body)
	mac := hmac.New(sha256.New, []byte(s.Secret))
	mac.Write([]byte(signed))
	return Ticket{URL: s.URL, Token: signed + "." + encode(mac.Sum(nil)), Room: room, Identity: identity}, nil
}

// ReadAll reads tickets, one a line: "<token>", for usualURL, or "<url> <token>". Empty lines are passed over.
func ReadAll(lines io.Reader, usualURL string) ([]Ticket, error) {
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(make([]byte, 0, 64<<10), longestTicket)
	var tickets []Ticket
	for number := 1; scanner.Scan(); number++ {
		words := strings.Fields(scanner.Text())
		if len(words) == 0 {
			continue
		}
		if len(words) > 2 {
			return nil, fmt.Errorf("line %d of the tickets has %d words; it must be a token, or an address and a token", number, len(words))
		}
		t := Ticket{URL: usualURL, Token: words[len(words)-1]}
		if len(words) == 2 {
			t.URL = words[0]
		}
		if err := t.readClaims(); err != nil {
			return nil, fmt.Errorf("line %d of the tickets: %w", number, err)
		}
		tickets = append(tickets, t)
	}
	return tickets, scanner.Err()
}

// readClaims says whose ticket it is. The signature is the server's concern.
func (t *Ticket) readClaims() error {
	parts := strings.Split(t.Token, ".")
	if len(parts) != 3 {
		return errors.New("that is not a token: it must have three parts, with dots between them")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return fmt.Errorf("the token's second part is not base64url: %w", err)
	}
	var said claims
	if err := json.Unmarshal(body, &said); err != nil {
		return fmt.Errorf("the token's second part is not JSON: %w", err)
	}
	t.Room, t.Identity = said.Video.Room, said.Subject
	return nil
}
