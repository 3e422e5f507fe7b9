package goclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-sse/stentor"
	"github.com/stentor-sse/stentor/client"
	"github.com/stentor-sse/stentor/eventsource"
	"github.com/stentor-sse/stentor/sse"
)

// [S-29] What ServiceStack's client for C# does, by the names of its own tests, against a real hub; and the same on the plain face.
func TestGoClient(t *testing.T) {
	for name, f := range map[string]func(*testing.T, *hall){
		"Can_connect_to_ServerEventsStream":                                   goConnects,
		"Does_fire_onJoin_events_for_multiple_Channels":                       goJoins,
		"Does_receive_messages":                                               goReceives,
		"Does_send_multiple_heartbeats":                                       goBeats,
		"Does_reconnect_on_lost_connection":                                   goReconnects,
		"Does_reconnect_when_remote_AppServer_restarts":                       goOutlivesTheServer,
		"Does_send_message_to_receivers":                                      goRoutes,
		"Does_receive_messages_on_to_clients_subscribed_on_multiple_channels": goSeveralChannels,
		"Does_receive_all_join_and_leave_messages":                            goPresence,
		"Can_subscribe_to_channels_whilst_connected":                          goChanges,
		"Only_allows_one_Thread_through_at_a_time":                            goFromManyGoroutines,
		"Does_clean_up_sse_id_subscriptions_regardless_of_config":             goLeavesNothing,
		"targets":            goTargets,
		"replay after a cut": goResumes,
		"dismissed":          goDismissed,
		"state":              goState,
		"left while away":    goLeavesWhileAway,
	} {
		t.Run(name, func(t *testing.T) { eachHall(t, hallOptions{}, f) })
	}
	t.Run("AuthMemoryServerEventsTests", func(t *testing.T) { eachHall(t, hallOptions{signedIn: true}, goSignsIn) })
	t.Run("several subscriptions of one user", func(t *testing.T) { eachHall(t, hallOptions{}, goTwice) })
}

func goConnects(t *testing.T, h *hall) {
	g := h.enter("home")
	o := g.me()
	if o.Subscription == "" || o.Member.User != "-1" || o.Member.Name != "user1" || o.Member.Meta["profileUrl"] == "" {
		t.Errorf("it is %+v", o)
	}
	switch beat := o.Heartbeat; {
	case h.face == client.Plain && beat != nil:
		t.Errorf("heartbeats: %+v", beat)
	case h.face == client.ServiceStack && (beat == nil || !strings.HasPrefix(beat.URL, h.srv.URL) || beat.Interval != 10*time.Second || beat.Lease != 30*time.Second):
		t.Errorf("heartbeats: %+v", beat)
	}
	if g.State() != eventsource.Open || g.LastEventID() == "" {
		t.Errorf("it is %v at %q", g.State(), g.LastEventID())
	}
	// GetStringFromUrlAsync_does_throw_error
	var r *client.Refusal
	if err := g.Call(t.Context(), "POST", "event-heartbeat?id=unknown", nil, nil); !errors.As(err, &r) || r.Status != 404 {
		t.Errorf("a heartbeat of nobody: %v", err)
	}
	// Does_not_fire_UnobservedTaskException
	if g.Close(); <-g.done != nil || len(g.troubles()) != 0 || h.hub.Count(stentor.Target{}) != 0 {
		t.Errorf("it was told of %v", g.troubles())
	}
}

func goJoins(t *testing.T, h *hall) {
	ada := h.enter("A", "B", "C")
	ada.expect("its own joins", "join A user1", "join B user1", "join C user1")
	bob := h.enter("A")
	ada.expect("one who comes", "join A user2")
	bob.take()
	bob.Close()
	if err := <-bob.done; err != nil {
		t.Error(err)
	}
	ada.expect("one who goes says so", "leave A user2")
	if len(ada.troubles()) != 0 {
		t.Errorf("told of %v", ada.troubles())
	}
}

func goReceives(t *testing.T, h *hall) {
	ada, bob := h.enter("home"), h.enter("home")
	var got []string
	type message struct {
		ID       int64
		FromName string
		Message  string
		Private  bool
	}
	client.On(ada.Client, "chat", func(m message, e sse.Event) {
		got = append(got, fmt.Sprint(m.FromName, ": ", m.Message, " ", e.Channel, " ", m.Private))
	})
	say := func(g *gopher, in map[string]string) {
		t.Helper()
		in["from"], in["channel"] = g.me().Subscription, "home"
		var answer message
		if err := g.Call(t.Context(), "POST", "api/PostChatToChannel", in, &answer); err != nil || answer.ID == 0 {
			t.Errorf("%+v, %v", answer, err)
		}
		settle()
	}
	say(ada, map[string]string{"message": "hi"})
	say(bob, map[string]string{"message": "<b>&"})
	say(bob, map[string]string{"message": "alone", "toUserId": ada.me().Member.User})
	equal(t, "ada", got, []string{"user1: hi home false", "user2: <b>& home false", "user2: alone  true"})
	if n := len(slices.DeleteFunc(bob.take(), func(s string) bool { return !strings.Contains(s, " chat {") })); n != 3 {
		t.Errorf("bob got %d", n)
	}
	var history struct{ Results []message }
	if err := ada.Call(t.Context(), "GET", "chathistory?channels=home", nil, &history); err != nil || len(history.Results) != 2 {
		t.Errorf("%+v, %v", history, err)
	}
}

// Does_send_multiple_heartbeats: they keep it there, and the plain face needs none.
func goBeats(t *testing.T, h *hall) {
	g := h.enter("home")
	beats := 0
	client.On(g.Client, "stentor.heartbeat", func(m client.Member, _ sse.Event) {
		if beats++; m.User != g.me().Member.User {
			t.Errorf("the heartbeat of %+v", m)
		}
	})
	id := g.me().Subscription
	time.Sleep(5 * time.Minute)
	settle()
	if want := map[client.Face]int{client.ServiceStack: 30}[h.face]; beats != want || g.me().Subscription != id || len(g.troubles()) != 0 {
		t.Errorf("%d heartbeats, want %d; told of %v", beats, want, g.troubles())
	}
}

func goReconnects(t *testing.T, h *hall) {
	ada, bob := h.enter("home"), h.enter("home")
	ada.take()
	h.hub.Reset()
	time.Sleep(30 * time.Second)
	for _, g := range []*gopher{ada, bob} {
		if g.State() != eventsource.Open {
			t.Errorf("it is %v", g.State())
		}
		g.take()
	}
	h.publish(on("home"), "text", "after")
	ada.expect("after the reset", "home text after")
	bob.expect("after the reset", "home text after")
}

func goOutlivesTheServer(t *testing.T, h *hall) {
	g := h.enter("home")
	if err := g.Join(t.Context(), "late"); err != nil {
		t.Fatal(err)
	}
	h.shutdown()
	time.Sleep(time.Minute)
	h.restart()
	time.Sleep(2 * time.Minute)
	g.take()
	h.publish(on("late"), "text", "hello")
	g.expect("from the new server", "late text hello")
}

type receiver struct{ got []string }

func (r *receiver) FooMethod(v any, e sse.Event) {
	r.got = append(r.got, fmt.Sprint("Foo ", v, " ", e.Channel))
}
func (r *receiver) Any(c CustomType)         { r.got = append(r.got, "type "+c.Name) }
func (r *receiver) NoSuchMethod(e sse.Event) { r.got = append(r.got, "none "+e.Type) }

// CustomType names a selector.
type CustomType struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// Does_send_message_to_Handler, to_named_receiver, to_global_receiver, raw strings, listeners of a trigger.
func goRoutes(t *testing.T, h *hall) {
	g := h.enter("home")
	named, global := &receiver{}, &receiver{}
	for name, r := range map[string]*receiver{"test": named, "cmd": global} {
		if _, err := client.Receive(g.Client, name, r); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	client.On(g.Client, "toggle", func(v any, e sse.Event) { got = append(got, fmt.Sprint(e.Type, " ", v)) })
	client.On(g.Client, "css.*", func(v string, e sse.Event) { got = append(got, e.Type+" "+v) })
	stop := client.On(g.Client, "trigger.changed", func(v string, _ sse.Event) { got = append(got, "one "+v) })
	client.On(g.Client, "trigger.changed", func(v string, _ sse.Event) { got = append(got, "two "+v) })
	typed, err := stentor.Typed(on("home"), CustomType{1, "ada"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.hub.Publish(t.Context(), typed); err != nil {
		t.Fatal(err)
	}
	h.publish(on("home"), "test.FooMethod", "x")
	h.publish(on("home"), "test.other", "x")
	if _, err := h.hub.Publish(t.Context(), stentor.Message{Target: on("home"), Type: "toggle$#channels", Data: "null", JSON: true}); err != nil {
		t.Fatal(err)
	}
	h.publish(on("home"), "css.background-image$#top", `url("x") ü`)
	h.publish(on("home"), "trigger.changed", "1")
	settle()
	stop()
	h.publish(on("home"), "trigger.changed", "2")
	settle()
	equal(t, "test", named.got, []string{"Foo x home", "none test.other"})
	equal(t, "cmd", global.got, []string{"type ada", "none toggle$#channels"})
	equal(t, "handlers", got, []string{"toggle$#channels <nil>", `css.background-image$#top url("x") ü`, "one 1", "two 1", "two 2"})
}

func goSeveralChannels(t *testing.T, h *hall) {
	all := map[string]*gopher{}
	for _, on := range []string{"A", "AB", "ABC", "ABCD"} {
		all[on] = h.enter(strings.Split(on, "")...)
	}
	for _, g := range all {
		g.take()
	}
	for range 2 {
		for _, ch := range []string{"A", "B", "C", "D"} {
			h.publish(on(ch), "chat", "to "+ch)
		}
	}
	for name, g := range all {
		var want []string
		for range 2 {
			for ch := range strings.SplitSeq(name, "") {
				want = append(want, ch+" chat to "+ch)
			}
		}
		g.expect(name, want...)
	}
	if got := names(all["A"], "A"); len(got) != 4 {
		t.Errorf("%q are on A", got)
	}
}

func goPresence(t *testing.T, h *hall) {
	a, b, ab := h.enter("A"), h.enter("B"), h.enter("A", "B")
	a.expect("A", "join A user1", "join A user3")
	b.expect("B", "join B user2", "join B user3")
	ab.expect("AB", "join A user3", "join B user3")
	equal(t, "on A", names(ab, "A"), []string{"user1", "user3"})
	equal(t, "on B", names(ab, "B"), []string{"user2", "user3"})
	var others []struct{ DisplayName string } // of a channel that it is not on
	if err := a.Call(t.Context(), "GET", "api/GetEventSubscribers?channels=B", nil, &others); err != nil || len(others) != 2 || others[0].DisplayName != "user2" {
		t.Errorf("%+v, %v", others, err)
	}
	ab.Close()
	<-ab.done
	a.expect("A", "leave A user3")
	b.expect("B", "leave B user3")
	equal(t, "on A", names(a, "A"), []string{"user1"})
}

func goChanges(t *testing.T, h *hall) {
	ada, bob := h.enter("A"), h.enter("A", "B")
	ada.take()
	h.publish(on("B"), "chat", "1")
	ada.expect("not yet")
	if err := ada.Join(t.Context(), "B", "C"); err != nil {
		t.Fatal(err)
	}
	ada.take()
	h.publish(on("B"), "chat", "2")
	ada.expect("joined", "B chat 2")
	equal(t, "on B", names(ada, "B"), []string{"user1", "user2"})
	equal(t, "on B, as bob sees it", names(bob, "B"), []string{"user1", "user2"})
	if err := ada.Leave(t.Context(), "B"); err != nil {
		t.Fatal(err)
	}
	ada.take()
	h.publish(on("B"), "chat", "3")
	h.publish(on("C"), "chat", "4")
	ada.expect("left", "C chat 4")
	equal(t, "on B, as bob sees it", names(bob, "B"), []string{"user2"})
	if got := h.hub.Members("C"); len(got) != 1 || !slices.Equal(ada.Channels(), []string{"A", "C"}) {
		t.Errorf("it is on %q; %d on C", ada.Channels(), len(got))
	}
	var r *client.Refusal
	if err := ada.Call(t.Context(), "POST", "event-subscribers/unknown", map[string]string{}, nil); !errors.As(err, &r) || r.Detail == "" {
		t.Errorf("of nobody: %v", err)
	}
}

// Starts, restarts and changes from everywhere leave one subscription, and in the end none.
func goFromManyGoroutines(t *testing.T, h *hall) {
	g := h.enter("A")
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			for range 10 {
				switch i % 3 {
				case 0:
					g.Restart()
				case 1:
					g.Join(t.Context(), "B")
				default:
					g.Leave(t.Context(), "B")
				}
			}
		})
	}
	all.Wait()
	time.Sleep(time.Minute)
	settle()
	if n := h.hub.Count(stentor.Target{}); n != 1 || g.State() != eventsource.Open {
		t.Errorf("%d subscriptions; it is %v", n, g.State())
	}
	all.Go(g.Close)
	all.Go(g.Close)
	all.Wait()
	if err := <-g.done; err != nil || h.hub.Count(stentor.Target{}) != 0 {
		t.Errorf("ended with %v; %d left", err, h.hub.Count(stentor.Target{}))
	}
}

func goLeavesNothing(t *testing.T, h *hall) {
	var all []*gopher
	for range 11 {
		all = append(all, h.enterAs(client.Options{Channels: []string{"A"}}))
	}
	for _, g := range all[1:] {
		g.Close()
		<-g.done
	}
	settle()
	if n := h.hub.Count(stentor.Target{}); n != 1 {
		t.Errorf("%d are left", n)
	}
}
