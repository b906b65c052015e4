package main

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// backend is a log, or with take a queue.
type backend interface {
	// put returns when all bodies are accepted: durable, where the backend says so.
	put(bodies [][]byte) error
	// taker is called once for each consumer.
	taker() (taker, error)
	close() error
}

// taker takes up to count events, waiting at most a tenth of a second for the first, and acknowledges them. The
// duration is that of the acknowledgement, where there is one, else of all.
type taker func(count int) (int, time.Duration, error)

type opener func(directory string) (backend, error)

var errNoQueue = errors.New("a log, not a queue: it has no takers")

type figures struct {
	Events           int     `json:"events"`
	Commits          int     `json:"commits"`
	Seconds          float64 `json:"seconds"`
	EventsPerSecond  float64 `json:"eventsPerSecond"`
	CommitsPerSecond float64 `json:"commitsPerSecond"`
	P50Us            float64 `json:"p50Us"`
	P99Us            float64 `json:"p99Us"`
}

type answer struct {
	Put      *figures `json:"put,omitempty"`
	Taken    *figures `json:"taken,omitempty"`
	CpuCores float64  `json:"cpuCores"`
}

// side holds the commits of all producers or of all consumers.
type side struct {
	workers []samples
}

type samples struct {
	events    int
	durations []time.Duration
	last      time.Time
}

func (s *samples) add(events int, took time.Duration) {
	s.events += events
	s.durations = append(s.durations, took)
	s.last = time.Now()
}

func measure(open opener, asked command) (*answer, error) {
	if err := os.MkdirAll(asked.directory, 0o755); err != nil {
		return nil, err
	}
	queue, err := open(asked.directory)
	if err != nil {
		return nil, err
	}
	if asked.work == "fill" {
		return &answer{}, errors.Join(fill(queue, asked), queue.close())
	}
	result, err := drive(queue, asked)
	return result, errors.Join(err, queue.close())
}

func fill(queue backend, asked command) error {
	bodies := randomBodies(1000, asked.bodyBytes, 0)
	for left := asked.events; left > 0; left -= len(bodies) {
		if err := queue.put(bodies[:min(left, len(bodies))]); err != nil {
			return err
		}
	}
	return nil
}

func drive(queue backend, asked command) (*answer, error) {
	var puts, takes *side
	var tasks []func(deadline time.Time) error
	if asked.work != "take" {
		puts = &side{make([]samples, asked.producers)}
		var reserved atomic.Int64
		for index := range puts.workers {
			tasks = append(tasks, producer(queue, asked, &puts.workers[index], index, &reserved))
		}
	}
	if asked.work != "put" {
		takes = &side{make([]samples, asked.consumers)}
		for index := range takes.workers {
			take, err := queue.taker()
			if err != nil {
				return nil, err
			}
			tasks = append(tasks, consumer(take, asked, &takes.workers[index]))
		}
	}
	start, cpuBefore := time.Now(), cpuTime()
	if err := runAll(tasks, start.Add(time.Duration(asked.windowMs)*time.Millisecond)); err != nil {
		return nil, err
	}
	cores := (cpuTime() - cpuBefore).Seconds() / time.Since(start).Seconds()
	return &answer{Put: puts.figures(start), Taken: takes.figures(start), CpuCores: cores}, nil
}

func producer(queue backend, asked command, mine *samples, seed int, reserved *atomic.Int64) func(time.Time) error {
	bodies := randomBodies(asked.batch, asked.bodyBytes, seed)
	return func(deadline time.Time) error {
		for before := time.Now(); before.Before(deadline); before = mine.last {
			total := reserved.Add(int64(asked.batch))
			if asked.work == "put" && asked.events > 0 && total > int64(asked.events) {
				return nil
			}
			if err := queue.put(bodies); err != nil {
				return err
			}
			mine.add(len(bodies), time.Since(before))
		}
		return nil
	}
}

func consumer(take taker, asked command, mine *samples) func(time.Time) error {
	return func(deadline time.Time) error {
		for time.Now().Before(deadline) {
			count, took, err := take(asked.batch)
			if err != nil {
				return err
			}
			if count > 0 {
				mine.add(count, took)
			} else if asked.work == "take" {
				return nil
			}
		}
		return nil
	}
}

func runAll(tasks []func(time.Time) error, deadline time.Time) error {
	failures := make([]error, len(tasks))
	var all sync.WaitGroup
	for index, task := range tasks {
		all.Add(1)
		go func() {
			defer all.Done()
			failures[index] = task(deadline)
		}()
	}
	all.Wait()
	return errors.Join(failures...)
}

// figures counts up to the last commit: a wait for more is no work.
func (s *side) figures(start time.Time) *figures {
	if s == nil {
		return nil
	}
	var result figures
	var durations []time.Duration
	last := start
	for _, worker := range s.workers {
		result.Events += worker.events
		durations = append(durations, worker.durations...)
		if worker.last.After(last) {
			last = worker.last
		}
	}
	slices.Sort(durations)
	result.Commits = len(durations)
	result.Seconds = last.Sub(start).Seconds()
	if result.Seconds > 0 {
		result.EventsPerSecond = float64(result.Events) / result.Seconds
		result.CommitsPerSecond = float64(result.Commits) / result.Seconds
	}
	result.P50Us, result.P99Us = percentileUs(durations, 50), percentileUs(durations, 99)
	return &result
}

// percentileUs is the sample that this many hundredths lie at or below.
func percentileUs(sorted []time.Duration, hundredths int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	index := max(0, (hundredths*len(sorted)+99)/100-1)
	return float64(sorted[index].Nanoseconds()) / 1000
}

func randomBodies(count, bytes, seed int) [][]byte {
	source := rand.New(rand.NewSource(int64(seed)))
	bodies := make([][]byte, count)
	for index := range bodies {
		bodies[index] = make([]byte, bytes)
		if _, err := source.Read(bodies[index]); err != nil {
			panic(fmt.Sprint("random bytes: ", err))
		}
	}
	return bodies
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
