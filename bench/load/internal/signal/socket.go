// Package signal speaks LiveKit's signalling, client protocol v0: the messages that a load needs, and their socket.
package signal

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	handshakeTimeout = 10 * time.Second
	writeTimeout     = 10 * time.Second
	protocolVersion  = "15"
	largestRefusal   = 300
)

// Socket is one signalling connection. Send may be called from anywhere, Receive from one place.
type Socket struct {
	ws    *websocket.Conn
	write sync.Mutex
}

// Dial opens it; base is the server's address without /rtc. Errors say what the server answered.
func Dial(ctx context.Context, base, token string, autoSubscribe bool) (*Socket, error) {
	address, err := url.Parse(strings.TrimSuffix(base, "/") + "/rtc")
	if err != nil {
		return nil, err
	}
	subscribe := map[bool]string{true: "1", false: "0"}[autoSubscribe]
	address.RawQuery = url.Values{
		"access_token": {token}, "auto_subscribe": {subscribe}, "protocol": {protocolVersion},
		"sdk": {"go"}, "version": {"2.0.0"}, "adaptive_stream": {"0"},
	}.Encode()
	dialer := websocket.Dialer{HandshakeTimeout: handshakeTimeout, NetDialContext: dial}
	ws, response, err := dialer.DialContext(ctx, address.String(), nil)
	if err != nil {
		if response == nil {
			return nil, err
		}
		said, _ := io.ReadAll(io.LimitReader(response.Body, largestRefusal))
		return nil, fmt.Errorf("the server refused: %s %s", response.Status, said)
	}
	return &Socket{ws: ws}, nil
}

// Send writes one request.
func (s *Socket) Send(request []byte) error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return s.ws.WriteMessage(websocket.BinaryMessage, request)
}

// Receive waits for the next response.
func (s *Socket) Receive() (Response, error) {
	_, bytes, err := s.ws.ReadMessage()
	if err != nil {
		return Response{}, err
	}
	return Decode(bytes)
}

// Close ends the connection without a word.
func (s *Socket) Close() error { return s.ws.Close() }
