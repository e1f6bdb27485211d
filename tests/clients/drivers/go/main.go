// The Go client under conformance.py: HOST PORT ID INTERVAL BASE CAP GATE GROUP [CA|- TOKEN], in milliseconds.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"heartbeatd.example/heartbeat"
)

func milliseconds(text string) time.Duration {
	number, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return time.Duration(number) * time.Millisecond
}

func main() {
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGTERM)
	options := heartbeat.Options{Address: net.JoinHostPort(os.Args[1], os.Args[2]), ID: os.Args[3],
		Interval: milliseconds(os.Args[4]), Base: milliseconds(os.Args[5]), Cap: milliseconds(os.Args[6]),
		Gate: milliseconds(os.Args[7]), Group: os.Args[8]}
	if len(os.Args) > 9 {
		options.Token = os.Args[10]
	}
	if len(os.Args) > 9 && os.Args[9] != "-" {
		certificate, err := os.ReadFile(os.Args[9])
		if err != nil {
			panic(err)
		}
		options.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		options.TLS.RootCAs.AppendCertsFromPEM(certificate)
	}
	client, err := heartbeat.Start(options)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	orders := make(chan string)
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			orders <- lines.Text()
		}
	}()
	for {
		select {
		case <-ending:
			return
		case order := <-orders:
			if note := strings.TrimPrefix(order, "leave "); note != order {
				if err := client.Leave(note); err != nil {
					panic(err)
				}
			}
			switch order {
			case "touch":
				client.Touch()
			case "alive":
				client.Alive()
			case "crash":
				panic("a crash")
			case "ping":
				fmt.Println("pong")
			}
		}
	}
}
