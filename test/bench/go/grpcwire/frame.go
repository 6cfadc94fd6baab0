// Package grpcwire has the little of gRPC over HTTP/2 that a stub and a load generator need, without a library that
// would cost more than what is measured.
package grpcwire

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/net/http2/hpack"
)

// PrefixBytes stand before each message: a flag and a length (PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
const PrefixBytes = 5

// Message is `payload` as it goes over the wire, uncompressed.
func Message(payload []byte) []byte {
	framed := make([]byte, PrefixBytes+len(payload))
	binary.BigEndian.PutUint32(framed[1:], uint32(len(payload)))
	copy(framed[PrefixBytes:], payload)
	return framed
}

// Block encodes headers without the dynamic table, so that the block is the same on every connection.
func Block(pairs ...string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSizeLimit(0)
	for at := 0; at+1 < len(pairs); at += 2 {
		encoder.WriteField(hpack.HeaderField{Name: pairs[at], Value: pairs[at+1]})
	}
	return block.Bytes()
}

// Text appends a protobuf field of text, unless it is empty.
func Text(message []byte, field byte, text string) []byte {
	if text == "" {
		return message
	}
	message = append(message, field<<3|2)
	message = binary.AppendUvarint(message, uint64(len(text)))
	return append(message, text...)
}

// Number appends a protobuf field of a number, unless it is 0.
func Number(message []byte, field byte, number uint64) []byte {
	if number == 0 {
		return message
	}
	return binary.AppendUvarint(append(message, field<<3), number)
}
