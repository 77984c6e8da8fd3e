package signal

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a message: a number, or bytes when it is a string or a message itself.
type field struct {
	number protowire.Number
	value  uint64
	bytes  []byte
}

// eachField visits the fields of a message in their order. What we do not know is passed over, as protobuf asks.
func eachField(message []byte, visit func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("not a protobuf message: %w", protowire.ParseError(n))
		}
		message = message[n:]
		found := field{number: number}
		switch kind {
		case protowire.VarintType:
			found.value, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			found.bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("field %d: %w", number, protowire.ParseError(n))
		}
		message = message[n:]
		if err := visit(found); err != nil {
			return err
		}
	}
	return nil
}

// message is built field by field; what has its default value is left out, as protobuf does.
type message []byte

func (m message) number(number protowire.Number, value uint64) message {
	if value == 0 {
		return m
	}
	return protowire.AppendVarint(protowire.AppendTag(m, number, protowire.VarintType), value)
}

func (m message) flag(number protowire.Number, value bool) message {
	return m.number(number, protowire.EncodeBool(value))
}

func (m message) text(number protowire.Number, value string) message {
	if value == "" {
		return m
	}
	return protowire.AppendString(protowire.AppendTag(m, number, protowire.BytesType), value)
}

// part adds a message, an empty one too: its presence says something.
func (m message) part(number protowire.Number, value message) message {
	return protowire.AppendBytes(protowire.AppendTag(m, number, protowire.BytesType), value)
}
