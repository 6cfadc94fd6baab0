package grpcwire

import (
	"bufio"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Reply is how a call ended.
type Reply struct {
	Code    int
	Message string
	// Trailers with the prefix "x-".
	Trailers map[string]string
	Bytes    int
}

var (
	ErrTimeout = errors.New("deadline")
	ErrClosed  = errors.New("connection closed")
	ErrReset   = errors.New("stream reset")
)

type result struct {
	reply Reply
	err   error
}

type call struct {
	reply Reply
	done  chan result
}

// Client is one connection.
type Client struct {
	address string
	socket  net.Conn
	mutex   sync.Mutex
	writer  *bufio.Writer
	framer  *http2.Framer
	calls   map[uint32]*call
	next    uint32
	closed  bool
	read    uint32
}

const (
	windowBytes = 1 << 20
	unknownCode = 2
)

// Dial connects and says its SETTINGS; it does not wait for the peer's.
func Dial(address string, timeout time.Duration) (*Client, error) {
	socket, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return nil, err
	}
	c := &Client{address: address, socket: socket, calls: map[uint32]*call{}, next: 1}
	c.writer = bufio.NewWriterSize(socket, 4<<10)
	c.framer = http2.NewFramer(c.writer, bufio.NewReaderSize(socket, 4<<10))
	c.framer.SetReuseFrames()
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.writer.WriteString(http2.ClientPreface)
	c.framer.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: windowBytes},
	)
	go c.listen()
	return c, nil
}

// Close ends the connection at once.
func (c *Client) Close() { c.socket.Close() }

// Call makes a unary call. `extra`: name, value, …
func (c *Client) Call(path string, message []byte, timeout time.Duration, extra ...string) (Reply, error) {
	id, made, err := c.open(path, extra, timeout)
	if err != nil {
		return Reply{}, err
	}
	c.mutex.Lock()
	c.framer.WriteData(id, true, Message(message))
	err = c.writer.Flush()
	c.mutex.Unlock()
	if err != nil {
		return Reply{}, ErrClosed
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case done := <-made.done:
		return done.reply, done.err
	case <-timer.C:
		c.mutex.Lock()
		delete(c.calls, id)
		c.framer.WriteRSTStream(id, http2.ErrCodeCancel)
		c.writer.Flush()
		c.mutex.Unlock()
		return Reply{}, ErrTimeout
	}
}

// Stream opens a call that goes on; its end comes through the channel.
func (c *Client) Stream(path string) (send func(message []byte) error, ended <-chan error) {
	failed := make(chan error, 1)
	id, made, err := c.open(path, nil, 0)
	if err != nil {
		failed <- err
		return func([]byte) error { return err }, failed
	}
	go func() {
		done := <-made.done
		if done.err == nil {
			done.err = errors.New("code " + strconv.Itoa(done.reply.Code))
		}
		failed <- done.err
	}()
	return func(message []byte) error {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.framer.WriteData(id, false, Message(message))
		return c.writer.Flush()
	}, failed
}

func (c *Client) open(path string, extra []string, timeout time.Duration) (uint32, *call, error) {
	headers := []string{":method", "POST", ":scheme", "http", ":path", path, ":authority", c.address,
		"content-type", "application/grpc", "user-agent", "grpc-bench/1", "te", "trailers"}
	if timeout > 0 {
		headers = append(headers, "grpc-timeout", strconv.FormatInt(timeout.Milliseconds(), 10)+"m")
	}
	block := Block(append(headers, extra...)...)
	// What ends without a gRPC status is a proxy's own word.
	made := &call{reply: Reply{Code: unknownCode}, done: make(chan result, 1)}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.closed {
		return 0, nil, ErrClosed
	}
	id := c.next
	c.next += 2
	c.calls[id] = made
	c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true})
	if timeout == 0 {
		c.writer.Flush()
	}
	return id, made, nil
}

func (c *Client) listen() {
	for {
		frame, err := c.framer.ReadFrame()
		c.mutex.Lock()
		if err != nil {
			c.closed = true
			for _, made := range c.calls {
				made.done <- result{err: ErrClosed}
			}
			c.calls = nil
			c.mutex.Unlock()
			c.socket.Close()
			return
		}
		c.take(frame)
		c.mutex.Unlock()
	}
}

func (c *Client) take(frame http2.Frame) {
	made := c.calls[frame.Header().StreamID]
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			c.framer.WriteSettingsAck()
			c.writer.Flush()
		}
	case *http2.PingFrame:
		if !frame.IsAck() {
			c.framer.WritePing(true, frame.Data)
			c.writer.Flush()
		}
	case *http2.DataFrame:
		c.read += frame.Length
		if c.read > windowBytes/64 {
			c.framer.WriteWindowUpdate(0, c.read)
			c.writer.Flush()
			c.read = 0
		}
		if made != nil {
			made.reply.Bytes += len(frame.Data())
			c.endIf(frame.StreamEnded(), frame.StreamID, made)
		}
	case *http2.MetaHeadersFrame:
		if made != nil {
			made.reply.note(frame)
			c.endIf(frame.StreamEnded(), frame.StreamID, made)
		}
	case *http2.RSTStreamFrame:
		if made != nil {
			delete(c.calls, frame.StreamID)
			made.done <- result{err: ErrReset}
		}
	}
}

func (c *Client) endIf(ended bool, id uint32, made *call) {
	if ended {
		delete(c.calls, id)
		made.done <- result{reply: made.reply}
	}
}

func (r *Reply) note(frame *http2.MetaHeadersFrame) {
	for _, field := range frame.Fields {
		switch {
		case field.Name == "grpc-status":
			r.Code, _ = strconv.Atoi(field.Value)
		case field.Name == "grpc-message":
			r.Message = field.Value
		case len(field.Name) > 2 && field.Name[:2] == "x-":
			if r.Trailers == nil {
				r.Trailers = map[string]string{}
			}
			r.Trailers[field.Name] = field.Value
		}
	}
}
