package main

import (
	"bufio"
	"io"
	"net"
	"strings"

	"bench/grpcwire"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

var (
	openingBlock  = grpcwire.Block(":status", "200", "content-type", "application/grpc")
	okBlock       = grpcwire.Block("grpc-status", "0")
	onlyOkBlock   = onlyTrailers("0", "")
	notFoundBlock = onlyTrailers("13", "record not found")
	unknownBlock  = onlyTrailers("12", "unknown method")
)

func onlyTrailers(code, message string) []byte {
	return grpcwire.Block(":status", "200", "content-type", "application/grpc", "grpc-status", code, "grpc-message", message)
}

const (
	initialWindowBytes = 1 << 20
	creditBytes        = 16 << 10
)

type stream struct {
	path        string
	windowBytes int64
	// Of a GetScheduler, the only request that is read.
	request []byte
	reply   []byte
}

// One connection in one goroutine: answers are written as requests are read, and go out when nothing more has come.
type connection struct {
	answers     map[string][]byte
	reader      *bufio.Reader
	writer      *bufio.Writer
	framer      *http2.Framer
	streams     map[uint32]*stream
	waiting     []uint32
	windowBytes int64
	streamBytes int64
	readBytes   uint32
}

func newConnection(socket net.Conn, answers map[string][]byte) *connection {
	c := &connection{
		answers: answers,
		reader:  bufio.NewReaderSize(socket, 32<<10),
		writer:  bufio.NewWriterSize(socket, 32<<10),
		streams: map[uint32]*stream{},
		// RFC 9113 §6.9.2
		windowBytes: 65_535,
		streamBytes: 65_535,
	}
	c.framer = http2.NewFramer(c.writer, c.reader)
	c.framer.SetReuseFrames()
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	return c
}

func (c *connection) serve() {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.reader, preface); err != nil || string(preface) != http2.ClientPreface {
		return
	}
	c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: initialWindowBytes})
	for {
		if c.reader.Buffered() == 0 && c.writer.Flush() != nil {
			return
		}
		frame, err := c.framer.ReadFrame()
		if err != nil || !c.take(frame) {
			return
		}
	}
}

// False: the peer is leaving.
func (c *connection) take(frame http2.Frame) bool {
	switch frame := frame.(type) {
	case *http2.MetaHeadersFrame:
		c.streams[frame.StreamID] = &stream{path: frame.PseudoValue("path"), windowBytes: c.streamBytes}
		if frame.StreamEnded() {
			c.answer(frame.StreamID)
		}
	case *http2.DataFrame:
		c.credit(frame.Length)
		if stream := c.streams[frame.StreamID]; stream != nil && strings.HasSuffix(stream.path, "/GetScheduler") {
			stream.request = append(stream.request, frame.Data()...)
		}
		if frame.StreamEnded() {
			c.answer(frame.StreamID)
		}
	case *http2.WindowUpdateFrame:
		if frame.StreamID == 0 {
			c.windowBytes += int64(frame.Increment)
		} else if stream := c.streams[frame.StreamID]; stream != nil {
			stream.windowBytes += int64(frame.Increment)
		}
		c.resume()
	case *http2.SettingsFrame:
		c.settings(frame)
	case *http2.PingFrame:
		if !frame.IsAck() {
			c.framer.WritePing(true, frame.Data)
		}
	case *http2.RSTStreamFrame:
		delete(c.streams, frame.StreamID)
	}
	return true
}

func (c *connection) settings(frame *http2.SettingsFrame) {
	if frame.IsAck() {
		return
	}
	if window, ok := frame.Value(http2.SettingInitialWindowSize); ok {
		delta := int64(window) - c.streamBytes
		c.streamBytes = int64(window)
		for _, stream := range c.streams {
			stream.windowBytes += delta
		}
	}
	c.framer.WriteSettingsAck()
	c.resume()
}

func (c *connection) credit(bytes uint32) {
	c.readBytes += bytes
	if c.readBytes >= creditBytes {
		c.framer.WriteWindowUpdate(0, c.readBytes)
		c.readBytes = 0
	}
}

func (c *connection) answer(id uint32) {
	stream := c.streams[id]
	if stream == nil {
		return
	}
	count(stream.path)
	stream.reply = c.answers[stream.path]
	if strings.HasSuffix(stream.path, "/GetScheduler") {
		stream.reply = schedulerOf(stream.request)
	}
	switch {
	case stream.reply != nil:
		c.waiting = append(c.waiting, id)
		c.resume()
	case strings.HasSuffix(stream.path, "/KeepAlive"):
		c.end(id, onlyOkBlock)
	case strings.HasSuffix(stream.path, "/GetScheduler"):
		c.end(id, notFoundBlock)
	default:
		c.end(id, unknownBlock)
	}
}

func (c *connection) end(id uint32, block []byte) {
	delete(c.streams, id)
	c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true, EndStream: true})
}

// Writes the answers for which the caller has room; the rest wait for it.
func (c *connection) resume() {
	for len(c.waiting) > 0 {
		id := c.waiting[0]
		stream := c.streams[id]
		if stream == nil {
			c.waiting = c.waiting[1:]
			continue
		}
		answer := stream.reply
		bytes := int64(len(answer))
		if bytes > c.windowBytes || bytes > stream.windowBytes {
			return
		}
		c.windowBytes -= bytes
		c.waiting = c.waiting[1:]
		c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: openingBlock, EndHeaders: true})
		c.framer.WriteData(id, false, answer)
		c.end(id, okBlock)
	}
	c.waiting = nil
}
