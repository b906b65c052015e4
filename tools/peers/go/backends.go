package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	raftwal "github.com/hashicorp/raft-wal"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nsqio/go-diskqueue"
	tidwall "github.com/tidwall/wal"
)

var backends = map[string]opener{
	"raft-wal":    openRaftWal,
	"tidwall-wal": openTidwall,
	"nats":        openNats,
	"diskqueue":   openDiskQueue,
}

const takeWait = 100 * time.Millisecond

// — hashicorp/raft-wal: each StoreLogs is written and synced before it returns —

type raftLog struct {
	log *raftwal.WAL
	// Indexes are to follow each other without a gap, so writers take turns, as Raft's one leader loop does.
	turn sync.Mutex
	next uint64
}

func openRaftWal(directory string) (backend, error) {
	log, err := raftwal.Open(directory)
	if err != nil {
		return nil, err
	}
	last, err := log.LastIndex()
	return &raftLog{log: log, next: last + 1}, err
}

func (r *raftLog) put(bodies [][]byte) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	entries := make([]*raft.Log, len(bodies))
	for index, body := range bodies {
		entries[index] = &raft.Log{Index: r.next + uint64(index), Term: 1, Type: raft.LogCommand, Data: body}
	}
	if err := r.log.StoreLogs(entries); err != nil {
		return err
	}
	r.next += uint64(len(bodies))
	return nil
}

func (r *raftLog) taker() (taker, error) { return nil, errNoQueue }
func (r *raftLog) close() error          { return r.log.Close() }

// — tidwall/wal: synced at each Write and WriteBatch, which is its default —

type tidwallLog struct {
	log *tidwall.Log
	// As above: an index that is not the next one is refused.
	turn sync.Mutex
	next uint64
}

func openTidwall(directory string) (backend, error) {
	log, err := tidwall.Open(directory, nil)
	if err != nil {
		return nil, err
	}
	last, err := log.LastIndex()
	return &tidwallLog{log: log, next: last + 1}, err
}

func (t *tidwallLog) put(bodies [][]byte) error {
	t.turn.Lock()
	defer t.turn.Unlock()
	if len(bodies) == 1 {
		t.next++
		return t.log.Write(t.next-1, bodies[0])
	}
	var batch tidwall.Batch
	for _, body := range bodies {
		batch.Write(t.next, body)
		t.next++
	}
	return t.log.WriteBatch(&batch)
}

func (t *tidwallLog) taker() (taker, error) { return nil, errNoQueue }
func (t *tidwallLog) close() error          { return t.log.Close() }

// — nsqio/go-diskqueue as nsqd configures it: synced every 2,500 messages or every 2 s, acknowledged before —

type diskQueue struct {
	queue diskqueue.Interface
}

func openDiskQueue(directory string) (backend, error) {
	silent := func(diskqueue.LogLevel, string, ...interface{}) {}
	return &diskQueue{diskqueue.New("bench", directory, 100<<20, 1, 16<<20, 2500, 2*time.Second, silent)}, nil
}

// put has no call for a batch: one message after the other.
func (d *diskQueue) put(bodies [][]byte) error {
	for _, body := range bodies {
		if err := d.queue.Put(body); err != nil {
			return err
		}
	}
	return nil
}

// taker: what is read is gone, there is nothing to acknowledge.
func (d *diskQueue) taker() (taker, error) {
	return func(count int) (int, time.Duration, error) {
		start := time.Now()
		timeout := time.NewTimer(takeWait)
		defer timeout.Stop()
		taken := 0
		for ; taken < count; taken++ {
			select {
			case <-d.queue.ReadChan():
			case <-timeout.C:
				return taken, time.Since(start), nil
			}
		}
		return taken, time.Since(start), nil
	}, nil
}

func (d *diskQueue) close() error { return d.queue.Close() }

// — NATS JetStream in this process, file store, defaults: synced every two minutes, acknowledged before —

type natsStream struct {
	server *server.Server
	conn   *nats.Conn
	stream nats.JetStreamContext
}

// The default buffers refuse what 64 producers with a thousand events each have under way.
const pendingEventsMax = 200_000
const pendingBytesMax = 2 << 30

func openNats(directory string) (backend, error) {
	inside, err := server.NewServer(&server.Options{
		JetStream: true, StoreDir: directory, DontListen: true, NoLog: true, NoSigs: true,
		StreamMaxBufferedMsgs: pendingEventsMax, StreamMaxBufferedSize: pendingBytesMax, MaxPending: pendingBytesMax,
	})
	if err != nil {
		return nil, err
	}
	inside.Start()
	if !inside.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("the NATS server was not ready after 10 s")
	}
	result := &natsStream{server: inside}
	if result.conn, err = nats.Connect("", nats.InProcessServer(inside)); err != nil {
		return nil, errors.Join(err, result.close())
	}
	if result.stream, err = result.conn.JetStream(nats.PublishAsyncMaxPending(pendingEventsMax)); err != nil {
		return nil, errors.Join(err, result.close())
	}
	stream := &nats.StreamConfig{
		Name: "bench", Subjects: []string{"bench"}, Storage: nats.FileStorage, Retention: nats.WorkQueuePolicy,
	}
	if _, err = result.stream.AddStream(stream); err != nil {
		return nil, errors.Join(err, result.close())
	}
	return result, nil
}

func (n *natsStream) put(bodies [][]byte) error {
	if len(bodies) == 1 {
		_, err := n.stream.Publish("bench", bodies[0])
		return err
	}
	accepted := make([]nats.PubAckFuture, len(bodies))
	for index, body := range bodies {
		future, err := n.stream.PublishAsync("bench", body)
		if err != nil {
			return err
		}
		accepted[index] = future
	}
	for _, future := range accepted {
		select {
		case <-future.Ok():
		case err := <-future.Err():
			return err
		}
	}
	return nil
}

func (n *natsStream) taker() (taker, error) {
	subscription, err := n.stream.PullSubscribe("bench", "taker", nats.MaxAckPending(pendingEventsMax))
	if err != nil {
		return nil, err
	}
	return func(count int) (int, time.Duration, error) {
		messages, err := subscription.Fetch(count, nats.MaxWait(takeWait))
		if err != nil && !errors.Is(err, nats.ErrTimeout) {
			return 0, 0, err
		}
		start := time.Now()
		for index, message := range messages {
			acknowledge := message.Ack
			if index == len(messages)-1 {
				acknowledge = message.AckSync
			}
			if err := acknowledge(); err != nil {
				return index, time.Since(start), fmt.Errorf("acknowledging: %w", err)
			}
		}
		return len(messages), time.Since(start), nil
	}, nil
}

func (n *natsStream) close() error {
	if n.conn != nil {
		n.conn.Close()
	}
	n.server.Shutdown()
	n.server.WaitForShutdown()
	return nil
}
