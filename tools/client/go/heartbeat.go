// Package heartbeat is a client of heartbeatd: one file, no dependencies.
//
// The rules that every client of heartbeatd keeps, and why, are in docs/clients.md.
package heartbeat

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	frameMax = 4096
	parting  = time.Second // how long Close waits until the daemon has read the goodbye
	day      = 24 * time.Hour
)

// Options of a client. The zero value of each is the default given in brackets.
type Options struct {
	Address        string        // host:port [127.0.0.1:14000]
	ID             string        // the client's stable name: printable text of 1 to 128 bytes, no address [none]
	Group          string        // the group that the client says it is of: printable text of 1 to 64 bytes [none]
	Interval       time.Duration // declared, and between two heartbeats [10s]
	Gate           time.Duration // leave is declared when the last Touch is older [no gate]
	Base           time.Duration // the first pause before connecting again is at most this [1s]
	Cap            time.Duration // any pause is at most this [60s]
	ConnectTimeout time.Duration // an attempt to connect, with lookup and TLS, may take this [10s]
	IP             string        // the address to claim [our end of the connection]
	Token          string        // sent in the first heartbeat of each connection [none]
	TLS            *tls.Config   // [no TLS]

	// OnFrame is called from one goroutine with each frame of the daemon that is an object. [none]
	OnFrame func(frame map[string]any)
}

// Client holds one connection to heartbeatd and beats on it. All methods may be called from any goroutine.
type Client struct {
	options Options
	cancel  context.CancelFunc
	ended   chan struct{} // closed when nothing of the client runs any more
	changed chan struct{} // holds one entry when the declaration has changed

	mutex   sync.Mutex
	touched time.Time
	status  string
	note    string
	goodbye bool
}

// notice is what the daemon says when it closes a connection.
type notice struct {
	barred     bool // for a reason of rule 3
	retryAfter time.Duration
}

// Start begins to connect. It fails only for options that are out of their bounds.
func Start(options Options) (*Client, error) {
	if options.Address == "" {
		options.Address = "127.0.0.1:14000"
	}
	for _, each := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{{&options.Interval, 10 * time.Second}, {&options.Base, time.Second}, {&options.Cap, time.Minute},
		{&options.ConnectTimeout, 10 * time.Second}, {&options.Gate, 0}} {
		if *each.value < 0 {
			return nil, errors.New("heartbeat: a negative duration")
		}
		if *each.value == 0 {
			*each.value = each.otherwise
		}
	}
	if options.ID != "" {
		if err := checkID(options.ID); err != nil {
			return nil, err
		}
	}
	if options.Group != "" {
		if err := checkText("the group", options.Group, 64); err != nil {
			return nil, err
		}
	}
	running, cancel := context.WithCancel(context.Background())
	client := &Client{options: options, cancel: cancel, ended: make(chan struct{}), changed: make(chan struct{}, 1),
		touched: time.Now(), status: "alive"}
	go client.run(running)
	return client, nil
}

// Touch says that the work goes on.
func (c *Client) Touch() {
	c.mutex.Lock()
	c.touched = time.Now()
	c.mutex.Unlock()
}

// Leave declares leave from now on, until Alive. The note is printable text of at most 128 bytes, or empty.
func (c *Client) Leave(note string) error {
	if note != "" {
		if err := checkText("the note", note, 128); err != nil {
			return err
		}
	}
	c.declare("leave", note)
	return nil
}

// Alive takes Leave back.
func (c *Client) Alive() { c.declare("alive", "") }

// Close says goodbye where there is a connection, and ends; it takes at most a second. Called by a defer of a function
// that panics it says none, because a crash is no orderly end, and the panic goes on.
func (c *Client) Close() {
	if crash := recover(); crash != nil {
		c.Abandon()
		panic(crash)
	}
	c.mutex.Lock()
	c.goodbye = true
	c.mutex.Unlock()
	c.Abandon()
}

// Abandon ends without a goodbye: the daemon sees that the connection is gone.
func (c *Client) Abandon() {
	c.cancel()
	<-c.ended
}

func (c *Client) declare(status, note string) {
	c.mutex.Lock()
	c.status, c.note = status, note
	c.mutex.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// declared is what the next heartbeat says: what the caller said last, and leave while the gate is closed.
func (c *Client) declared() (status, note string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	silent := time.Since(c.touched)
	if c.status == "alive" && c.options.Gate > 0 && silent > c.options.Gate {
		return "leave", fmt.Sprintf("no sign of work for %.0f s", silent.Seconds())
	}
	return c.status, c.note
}

func (c *Client) run(running context.Context) {
	defer close(c.ended)
	failures := 0
	for {
		var lasted time.Duration
		var said notice
		if connection, err := c.connect(running); err == nil {
			begun := time.Now()
			said = c.converse(running, connection)
			lasted = time.Since(begun)
		}
		if lasted >= c.options.Interval {
			failures = 0
		}
		if said.barred {
			failures = 32
		}
		// At the cap half of it is waited for in any case: two programs with one id take over once a cap each at most.
		least, longest := c.options.Cap/2, c.options.Cap
		if failures < 32 && c.options.Base < c.options.Cap>>failures {
			least, longest = 0, c.options.Base<<failures
		} else if failures == 0 {
			least = 0
		}
		if failures < 32 {
			failures++
		}
		select {
		case <-time.After(least + draw(longest-least) + said.retryAfter):
		case <-running.Done():
			return
		}
	}
}

func (c *Client) connect(running context.Context) (net.Conn, error) {
	attempt, cancel := context.WithTimeout(running, c.options.ConnectTimeout)
	defer cancel()
	if c.options.TLS != nil {
		return (&tls.Dialer{Config: c.options.TLS}).DialContext(attempt, "tcp", c.options.Address)
	}
	return (&net.Dialer{}).DialContext(attempt, "tcp", c.options.Address)
}

// converse beats until the connection or the client ends, and returns what the daemon said at its end.
func (c *Client) converse(running context.Context, connection net.Conn) notice {
	defer connection.Close()
	heard := make(chan notice, 1)
	go func() { heard <- c.listen(connection) }()

	// Without a buffer: while the writer waits for the kernel it takes nothing, and what it does not take is not sent.
	frames := make(chan []byte)
	defer close(frames)
	go func() {
		for frame := range frames {
			if _, err := connection.Write(frame); err != nil {
				return // the listener sees the end, and what the daemon said before it
			}
		}
	}()

	first := true
	frames <- c.heartbeat(connection, first)
	begun := time.Now()
	timer := time.NewTimer(c.options.Interval)
	defer timer.Stop()
	// A declaration that found the writer busy. It goes out as soon as the writer is free, and says what holds then; a
	// heartbeat that was due at such a moment is not sent later.
	var owed chan<- []byte
	var declaration []byte
	for {
		select {
		case <-timer.C:
			spent := time.Since(begun)
			timer.Reset(c.options.Interval - spent%c.options.Interval)
		case <-c.changed:
			owed = frames
		case owed <- declaration:
			owed = nil
			continue
		case said := <-heard:
			return said
		case <-running.Done():
			c.part(connection, frames, heard)
			return notice{}
		}
		declaration = c.heartbeat(connection, false)
		select {
		case frames <- declaration:
			owed = nil
		default:
		}
	}
}

// part says goodbye, ends our half, and waits until the daemon has read it: so no reset overtakes the goodbye.
func (c *Client) part(connection net.Conn, frames chan<- []byte, heard <-chan notice) {
	c.mutex.Lock()
	goodbye := c.goodbye
	c.mutex.Unlock()
	if !goodbye {
		return
	}
	late := time.After(parting)
	select {
	case frames <- c.encode(connection, "close", "", false):
	case <-heard:
		return
	case <-late:
		return
	}
	// The writer has taken the goodbye; it takes the next, empty frame when that is written.
	select {
	case frames <- nil:
	case <-heard:
		return
	case <-late:
		return
	}
	if half, ok := connection.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	select {
	case <-heard:
	case <-late:
	}
}

// listen reads frames until the connection ends.
func (c *Client) listen(connection net.Conn) (said notice) {
	var prefix [4]byte
	for {
		if _, err := io.ReadFull(connection, prefix[:]); err != nil {
			return said
		}
		size := int32(binary.BigEndian.Uint32(prefix[:]))
		if size < 1 || size > frameMax {
			connection.Close() // no server of heartbeats
			return said
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(connection, body); err != nil {
			return said
		}
		var read map[string]any
		if json.Unmarshal(body, &read) != nil || read == nil {
			continue // a client ignores what it cannot read
		}
		if read["type"] == "status" && read["status"] == "close" {
			said = notice{}
			switch read["reason"] {
			case "superseded", "kicked", "unauthorized", "crash":
				said.barred = true
			}
			if asked, ok := read["retry_after_ms"].(float64); ok && asked > 0 {
				said.retryAfter = day
				if asked < float64(day/time.Millisecond) {
					said.retryAfter = time.Duration(asked) * time.Millisecond
				}
			}
		}
		if c.options.OnFrame != nil {
			c.options.OnFrame(read)
		}
	}
}

func (c *Client) heartbeat(connection net.Conn, first bool) []byte {
	status, note := c.declared()
	return c.encode(connection, status, note, first)
}

// encode makes the frame of one heartbeat. The first of a connection asks for notices, and carries what the client is.
func (c *Client) encode(connection net.Conn, status, note string, first bool) []byte {
	ip := c.options.IP
	if ip == "" {
		ip, _, _ = net.SplitHostPort(connection.LocalAddr().String())
	}
	members := struct {
		IP       string `json:"ip"`
		Status   string `json:"status"`
		PID      int    `json:"pid"`
		ID       string `json:"id,omitempty"`
		Note     string `json:"note,omitempty"`
		Group    string `json:"group,omitempty"`
		Interval int64  `json:"interval_ms,omitempty"`
		Notify   bool   `json:"notify,omitempty"`
		Token    string `json:"token,omitempty"`
	}{IP: ip, Status: status, PID: os.Getpid(), ID: c.options.ID, Note: note, Notify: first}
	if first {
		members.Group, members.Token = c.options.Group, c.options.Token
		members.Interval = c.options.Interval.Milliseconds()
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(members) // cannot fail for such members; ends with a newline
	text := bytes.TrimRight(body.Bytes(), "\n")
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
}

// draw is a duration from 0 to most, and not the same in two processes that started together.
func draw(most time.Duration) time.Duration {
	drawn, err := rand.Int(rand.Reader, big.NewInt(int64(most)+1))
	if err != nil {
		return most
	}
	return time.Duration(drawn.Int64())
}

func checkID(id string) error {
	if readsAsAddress(id) {
		return fmt.Errorf("heartbeat: the id reads as an address: %q", id)
	}
	return checkText("the id", id, 128)
}

// readsAsAddress says whether the daemon takes the text for an address: with brackets, a zone and a port, or without.
func readsAsAddress(text string) bool {
	host, port := text, ""
	if strings.HasPrefix(text, "[") {
		end := strings.Index(text, "]")
		if end < 0 {
			return false
		}
		host, port = text[1:end], text[end+1:]
	} else if colon := strings.Index(text, ":"); colon >= 0 && colon == strings.LastIndex(text, ":") {
		host, port = text[:colon], text[colon:]
	}
	if port != "" && (port[0] != ':' || len(port) == 1 || strings.Trim(port[1:], "0123456789") != "") {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

func checkText(name, text string, most int) error {
	for _, letter := range text {
		if !unicode.IsPrint(letter) {
			return fmt.Errorf("heartbeat: %s is not printable: %q", name, text)
		}
	}
	if len(text) < 1 || len(text) > most {
		return fmt.Errorf("heartbeat: %s must have 1 to %d bytes: %q", name, most, text)
	}
	return nil
}
