// Package peer owns peer connections that behave towards a server as a browser's do.
package peer

import (
	"errors"
	"net"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

// Options of a connection.
type Options struct {
	// Profile of SRTP by its name.
	Profile string
	// Loopback: the server is on this machine, and so are all candidates.
	Loopback bool
}

// Sending opens a connection for what one publishes.
func Sending(o Options) (*webrtc.PeerConnection, error) {
	reports, e1 := report.NewSenderInterceptor()
	repairs, e2 := nack.NewResponderInterceptor()
	numbers, e3 := twcc.NewHeaderExtensionInterceptor()
	if err := errors.Join(e1, e2, e3); err != nil {
		return nil, err
	}
	connection, _, err := open(o, reports, repairs, numbers)
	return connection, err
}

// Receiving opens a connection for what others publish.
func Receiving(o Options) (*webrtc.PeerConnection, *Arrivals, error) {
	reports, e1 := report.NewReceiverInterceptor()
	feedback, e2 := twcc.NewSenderInterceptor()
	repairs, e3 := nack.NewGeneratorInterceptor()
	if err := errors.Join(e1, e2, e3); err != nil {
		return nil, nil, err
	}
	return open(o, reports, feedback, repairs)
}

func open(o Options, interceptors ...interceptor.Factory) (*webrtc.PeerConnection, *Arrivals, error) {
	if err := CheckProfile(o.Profile); err != nil {
		return nil, nil, err
	}
	engine, err := mediaEngine()
	if err != nil {
		return nil, nil, err
	}
	registry := &interceptor.Registry{}
	for _, each := range interceptors {
		registry.Add(each)
	}
	settings := webrtc.SettingEngine{}
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetSRTPProtectionProfiles(profiles[o.Profile]...)
	// Browsers answer setup:active always; Pion would be passive towards an ICE-lite offer, and choose the profile itself.
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleClient); err != nil {
		return nil, nil, err
	}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	settings.LoggerFactory = quiet
	if o.Loopback {
		settings.SetIncludeLoopbackCandidate(true)
		settings.SetIPFilter(net.IP.IsLoopback)
	}
	arrivals, err := newArrivals()
	if err != nil {
		return nil, nil, err
	}
	settings.SetNet(arrivals)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	connection, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	return connection, arrivals, err
}
