// Go's gorilla/websocket. `gorilla server` has a path for each thing that is tried, and prints its port and how each
// connection ends. `gorilla client URL SIZES` is led through the dialogue. Both print one object a line.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

type seen map[string]any

func tell(what seen) {
	line, err := json.Marshal(what)
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The end of a connection, as the error of a read says it.
func endOf(err error) []any {
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		return []any{closed.Code, closed.Text}
	}
	return []any{1006, err.Error()}
}

func sendClose(socket *websocket.Conn, code int, reason string) error {
	message := websocket.FormatCloseMessage(code, reason)
	return socket.WriteControl(websocket.CloseMessage, message, time.Now().Add(time.Minute))
}

// A text in frames of two bytes, which is what the buffer for writing holds.
func sendFragments(socket *websocket.Conn) error {
	// WriteMessage of a server makes one frame of it
	writer, err := socket.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	if _, err := writer.Write([]byte("Hello")); err != nil {
		return err
	}
	return writer.Close()
}

func ping(socket *websocket.Conn, payload string) error {
	return socket.WriteControl(websocket.PingMessage, []byte(payload), time.Now().Add(time.Minute))
}

const small = 2

func serve() {
	handle := func(response http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case "/missing":
			http.Error(response, "nothing here", http.StatusNotFound)
			return
		case "/forbidden":
			http.Error(response, "not for you", http.StatusForbidden)
			return
		}
		upgrader := websocket.Upgrader{Subprotocols: []string{"b"}, EnableCompression: true}
		if request.URL.Path == "/fragments" {
			upgrader.WriteBufferSize = small
		}
		socket, err := upgrader.Upgrade(response, request, nil)
		check(err)
		defer socket.Close()
		switch request.URL.Path {
		case "/fragments":
			check(sendFragments(socket))
		case "/ping":
			socket.SetPongHandler(func(payload string) error {
				if payload != "are you there?" {
					return errors.New("another payload")
				}
				return socket.WriteMessage(websocket.TextMessage, []byte("ponged"))
			})
			check(ping(socket, "are you there?"))
		case "/close":
			check(sendClose(socket, 4321, "enough €"))
		}
		for {
			kind, message, err := socket.ReadMessage()
			if err != nil {
				tell(seen{"closed": endOf(err)})
				return
			}
			check(socket.WriteMessage(kind, message))
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	tell(seen{"port": listener.Addr().(*net.TCPAddr).Port})
	check(http.Serve(listener, http.HandlerFunc(handle)))
}

func connect(base string, path string, dialer websocket.Dialer) (*websocket.Conn, *http.Response) {
	dialer.EnableCompression = true
	socket, response, err := dialer.Dial(base+path, nil)
	check(err)
	return socket, response
}

func refused(base string, path string) any {
	socket, response, err := websocket.DefaultDialer.Dial(base+path, nil)
	if err == nil {
		socket.Close()
		return "open"
	}
	if response == nil {
		return err.Error()
	}
	return response.StatusCode
}

func read(socket *websocket.Conn) string {
	_, message, err := socket.ReadMessage()
	check(err)
	return string(message)
}

func roundTrip(socket *websocket.Conn, kind int, message []byte) bool {
	check(socket.WriteMessage(kind, message))
	answerKind, answer, err := socket.ReadMessage()
	check(err)
	return answerKind == kind && bytes.Equal(answer, message)
}

func visit(base string, sizes []int) {
	socket, response := connect(base, "/echo", websocket.Dialer{Subprotocols: []string{"a", "b"}})
	tell(seen{"subprotocol": socket.Subprotocol(), "extensions": response.Header.Get("Sec-WebSocket-Extensions")})
	texts, binaries := []int{}, []int{}
	for _, size := range sizes {
		if roundTrip(socket, websocket.TextMessage, []byte(strings.Repeat("x", size))) {
			texts = append(texts, size)
		}
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i * 7)
		}
		if roundTrip(socket, websocket.BinaryMessage, data) {
			binaries = append(binaries, size)
		}
	}
	check(socket.WriteMessage(websocket.TextMessage, []byte("é € \U0001f600")))
	tell(seen{"texts": texts, "binaries": binaries, "unicode": read(socket)})
	socket.SetPongHandler(func(payload string) error {
		tell(seen{"pong": payload == "are you there?"})
		return nil
	})
	check(ping(socket, "are you there?"))
	check(sendClose(socket, 4000, "bye"))
	_, _, err := socket.ReadMessage()
	tell(seen{"closed": endOf(err)})
	socket.Close()

	socket, _ = connect(base, "/echo", websocket.Dialer{WriteBufferSize: small})
	roundTrip(socket, websocket.TextMessage, []byte{})
	check(sendFragments(socket))
	tell(seen{"fragmentsSent": read(socket)})
	leave(socket)

	socket, _ = connect(base, "/fragments", websocket.Dialer{})
	tell(seen{"fragments": read(socket)})
	leave(socket)

	socket, _ = connect(base, "/ping", websocket.Dialer{})
	tell(seen{"pinged": read(socket)})
	leave(socket)

	socket, _ = connect(base, "/close", websocket.Dialer{})
	_, _, err = socket.ReadMessage()
	tell(seen{"closedByServer": endOf(err)})
	socket.Close()

	tell(seen{"missing": refused(base, "/missing"), "forbidden": refused(base, "/forbidden")})
}

// The closing handshake, to its end.
func leave(socket *websocket.Conn) {
	check(sendClose(socket, websocket.CloseNormalClosure, ""))
	if _, _, err := socket.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		check(err)
	}
	socket.Close()
}

func main() {
	switch os.Args[1] {
	case "server":
		serve()
	case "client":
		var sizes []int
		check(json.Unmarshal([]byte(os.Args[3]), &sizes))
		visit(os.Args[2], sizes)
	}
}
