package peer

import (
	"errors"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

const repairedStreamIDURI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

const (
	opusType, vp8Type, rtxType = 111, 96, 97
)

// Opus and VP8 as they are negotiated; the payload types are Chromium's.
var (
	Opus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "nack"}}}
	VP8 = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000,
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "goog-remb"}, {Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}}
	retransmission = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}
)

// mediaEngine offers the codecs and header extensions that browsers do.
func mediaEngine() (*webrtc.MediaEngine, error) {
	engine := &webrtc.MediaEngine{}
	err := errors.Join(
		engine.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: opusType, RTPCodecCapability: Opus}, webrtc.RTPCodecTypeAudio),
		engine.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: vp8Type, RTPCodecCapability: VP8}, webrtc.RTPCodecTypeVideo),
		engine.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: rtxType, RTPCodecCapability: retransmission}, webrtc.RTPCodecTypeVideo),
	)
	audio := []string{sdp.SDESMidURI, sdp.ABSSendTimeURI, sdp.TransportCCURI, sdp.AudioLevelURI}
	video := []string{sdp.SDESMidURI, sdp.ABSSendTimeURI, sdp.TransportCCURI, sdp.SDESRTPStreamIDURI, repairedStreamIDURI}
	for kind, uris := range map[webrtc.RTPCodecType][]string{webrtc.RTPCodecTypeAudio: audio, webrtc.RTPCodecTypeVideo: video} {
		for _, uri := range uris {
			err = errors.Join(err, engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind))
		}
	}
	return engine, err
}
