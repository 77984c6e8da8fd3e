package signal

import (
	"context"
	"net"
	"net/url"
	"strings"
)

// OnThisMachine says whether an address leads here: by a loopback address, or a name below localhost.
func OnThisMachine(address string) bool {
	u, err := url.Parse(address)
	return err == nil && isLocal(u.Hostname())
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// dial as browsers do, which never ask a name server for names below localhost (RFC 6761 section 6.3).
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil && strings.HasSuffix(host, ".localhost") {
		address = net.JoinHostPort("localhost", port)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}
