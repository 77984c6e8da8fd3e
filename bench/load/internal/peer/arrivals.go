package peer

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
	"golang.org/x/sys/unix"
)

const (
	remembered    = 4096
	receiveBuffer = 4 << 20
)

// Arrivals gives Pion sockets that note when the kernel received each RTP packet. SSRC and sequence number are not
// encrypted, so the time finds its packet again: the delay is the server's, not that of a busy load.
type Arrivals struct {
	*stdnet.Net
	ring [remembered]arrival
}

type arrival struct{ packet, at atomic.Uint64 }

func newArrivals() (*Arrivals, error) {
	inner, err := stdnet.NewNet()
	return &Arrivals{Net: inner}, err
}

func nameOf(ssrc uint32, sequence uint16) uint64 { return uint64(ssrc)<<16 | uint64(sequence) }

func (a *Arrivals) slot(ssrc uint32, sequence uint16) *arrival {
	// Streams are spread over the ring; within one, packets follow each other.
	return &a.ring[(ssrc*2654435761>>7+uint32(sequence))%remembered]
}

func (a *Arrivals) note(ssrc uint32, sequence uint16, at int64) {
	slot := a.slot(ssrc, sequence)
	slot.at.Store(uint64(at))
	slot.packet.Store(nameOf(ssrc, sequence))
}

// Of says when a packet arrived, in ns since 1970; now, when that was forgotten already or it was sent again under another SSRC.
func (a *Arrivals) Of(ssrc uint32, sequence uint16) int64 {
	slot := a.slot(ssrc, sequence)
	if slot.packet.Load() != nameOf(ssrc, sequence) {
		return time.Now().UnixNano()
	}
	return int64(slot.at.Load())
}

// ListenUDP is what Pion opens its sockets with.
func (a *Arrivals) ListenUDP(network string, address *net.UDPAddr) (transport.UDPConn, error) {
	socket, err := net.ListenUDP(network, address)
	if err != nil {
		return nil, err
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
		// More than the system's limit needs a right that not everybody has.
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
			failed = errors.Join(failed, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer))
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return &timedSocket{UDPConn: socket, arrivals: a}, nil
}

type timedSocket struct {
	*net.UDPConn
	arrivals *Arrivals
	control  [64]byte
}

// ReadFromAddrPort is called by one reader at a time.
func (s *timedSocket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, controlSize, _, from, err := s.UDPConn.ReadMsgUDPAddrPort(b, s.control[:])
	if err == nil && isRTP(b[:n]) {
		s.arrivals.note(binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint16(b[2:]), kernelTime(s.control[:controlSize]))
	}
	return n, from, err
}

// WriteToAddrPort is Pion's way to send.
func (s *timedSocket) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return s.UDPConn.WriteToUDPAddrPort(b, to)
}

// isRTP tells it from STUN, DTLS and RTCP (RFC 7983, RFC 5761 section 4).
func isRTP(packet []byte) bool {
	return len(packet) >= 12 && packet[0]>>6 == 2 && (packet[1] < 192 || packet[1] > 223)
}

// kernelTime of a received packet, in ns since 1970; now, if the kernel has not said it.
func kernelTime(control []byte) int64 {
	const timeSize = int(unsafe.Sizeof(unix.Timespec{}))
	header := unix.CmsgLen(0)
	if len(control) >= header+timeSize {
		said := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if said.Level == unix.SOL_SOCKET && said.Type == unix.SCM_TIMESTAMPNS {
			return (*unix.Timespec)(unsafe.Pointer(&control[header])).Nano()
		}
	}
	return time.Now().UnixNano()
}
