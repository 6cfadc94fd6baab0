package main

import (
	"encoding/binary"
	"strings"

	"bench/grpcwire"
)

// Nodes of the benchmark are known, and active; nobody else is.
const knownPrefix = "bench-node-"

// The answer to a GetScheduler, or nil: "record not found". `frame` is the request with its length prefix.
func schedulerOf(frame []byte) []byte {
	if len(frame) < grpcwire.PrefixBytes {
		return nil
	}
	texts := textsOf(frame[grpcwire.PrefixBytes:])
	hostname, ip := texts[2], texts[4]
	if !strings.HasPrefix(hostname, knownPrefix) {
		return nil
	}
	message := grpcwire.Number(nil, 1, 1)
	message = grpcwire.Text(message, 2, hostname)
	message = grpcwire.Text(message, 5, ip)
	message = grpcwire.Number(message, 6, 8002)
	message = grpcwire.Text(message, 7, "active")
	return grpcwire.Message(grpcwire.Number(message, 8, 1))
}

// The fields of text of a protobuf message that has but these and numbers.
func textsOf(message []byte) map[uint64]string {
	texts := map[uint64]string{}
	for len(message) > 0 {
		tag, size := binary.Uvarint(message)
		if size <= 0 {
			return texts
		}
		message = message[size:]
		value, size := binary.Uvarint(message)
		if size <= 0 {
			return texts
		}
		message = message[size:]
		if tag&7 == 2 {
			if value > uint64(len(message)) {
				return texts
			}
			texts[tag>>3] = string(message[:value])
			message = message[value:]
		}
	}
	return texts
}
