// Command peer drives one Go log or queue for tools/peers: one command a line on stdin, one JSON document a line on
// stdout. Counted in the same way as forebay's own benchmarks, so that both can be measured in turns on one disk.
//
//	peer BACKEND        raft-wal | tidwall-wal | nats | diskqueue
//
//	put   DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS    ends early at EVENTS, where that is not 0
//	fill  DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS    puts EVENTS and closes
//	take  DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS    drains what was filled
//	mixed DIR PRODUCERS CONSUMERS BATCH BODY-BYTES WINDOW-MS EVENTS
//
// DIR is made. The end of stdin ends the process at once.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

type command struct {
	work      string
	directory string
	producers int
	consumers int
	batch     int
	bodyBytes int
	windowMs  int
	events    int
}

func main() {
	if len(os.Args) != 2 || backends[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: peer raft-wal|tidwall-wal|nats|diskqueue")
		os.Exit(64)
	}
	lines := make(chan string)
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			lines <- in.Text()
		}
		// Whoever asked is gone: nothing may go on writing.
		os.Exit(0)
	}()
	for line := range lines {
		answer, err := run(backends[os.Args[1]], line)
		if err != nil {
			answer = map[string]any{"error": err.Error()}
		}
		text, err := json.Marshal(answer)
		if err != nil {
			text = []byte(`{"error":"an answer that is no JSON"}`)
		}
		fmt.Println(string(text))
	}
}

func run(open opener, line string) (any, error) {
	asked, err := parse(line)
	if err != nil {
		return nil, err
	}
	return measure(open, asked)
}

func parse(line string) (command, error) {
	words := strings.Fields(line)
	if len(words) != 8 {
		return command{}, fmt.Errorf("8 words are needed: %q", line)
	}
	numbers := make([]int, 6)
	for index, word := range words[2:] {
		number, err := strconv.Atoi(word)
		if err != nil {
			return command{}, fmt.Errorf("not a number: %q", word)
		}
		numbers[index] = number
	}
	return command{words[0], words[1], numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]}, nil
}
