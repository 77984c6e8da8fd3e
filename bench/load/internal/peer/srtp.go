package peer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/dtls/v3"
)

const (
	sha1   = dtls.SRTP_AES128_CM_HMAC_SHA1_80
	gcm128 = dtls.SRTP_AEAD_AES_128_GCM
	gcm256 = dtls.SRTP_AEAD_AES_256_GCM
)

// profiles by name, in the order of preference; "browser" is what Chromium offers.
var profiles = map[string][]dtls.SRTPProtectionProfile{
	"browser": {sha1, gcm256, gcm128},
	"cm":      {sha1},
	"gcm128":  {gcm128},
	"gcm256":  {gcm256},
}

// ProfileNames for people.
func ProfileNames() string {
	names := []string{}
	for name := range profiles {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// CheckProfile returns an error that says which names there are.
func CheckProfile(name string) error {
	if profiles[name] == nil {
		return fmt.Errorf("there are no SRTP profiles %q, only %s", name, ProfileNames())
	}
	return nil
}
