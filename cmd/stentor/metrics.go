package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stentor-sse/stentor"
)

// metrics is what a server tells Prometheus.
type metrics struct {
	registry *prometheus.Registry
	starved  prometheus.Counter // times that there was no descriptor for a connection
}

func newMetrics(hub *stentor.Hub) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		starved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stentor_accept_starved_total",
			Help: "Times that a connection could not be taken because the limit of open files was reached.",
		}),
	}
	m.registry.MustRegister(
		m.starved, newHubCollector(hub),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func (m *metrics) handler() http.Handler {
	h := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		h.ServeHTTP(w, r)
	})
}

// hubCollector reads the counters of a hub when it is asked: nothing counts twice.
type hubCollector struct {
	hub  *stentor.Hub
	rows []hubMetric
}

type hubMetric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*stentor.Stats) float64
}

func newHubCollector(hub *stentor.Hub) *hubCollector {
	c := &hubCollector{hub: hub}
	gauge := func(name, help string, read func(*stentor.Stats) int) {
		c.rows = append(c.rows, hubMetric{
			prometheus.NewDesc("stentor_"+name, help, nil, nil), prometheus.GaugeValue,
			func(s *stentor.Stats) float64 { return float64(read(s)) },
		})
	}
	counter := func(name, help string, read func(*stentor.Stats) uint64) {
		c.rows = append(c.rows, hubMetric{
			prometheus.NewDesc("stentor_"+name+"_total", help, nil, nil), prometheus.CounterValue,
			func(s *stentor.Stats) float64 { return float64(read(s)) },
		})
	}
	gauge("subscriptions", "Subscriptions, those included whose reader may come back.", func(s *stentor.Stats) int { return s.Subscriptions })
	gauge("subscriptions_lingering", "Subscriptions whose reader has vanished and may come back.", func(s *stentor.Stats) int { return s.Lingering })
	gauge("channels", "Channels that somebody is on.", func(s *stentor.Stats) int { return s.Channels })
	gauge("dismissed_keys", "Keys that are refused.", func(s *stentor.Stats) int { return s.Dismissed })
	counter("subscribed", "Subscriptions that were ever made.", func(s *stentor.Stats) uint64 { return s.Subscribed })
	counter("ended", "Subscriptions whose delivery has ended.", func(s *stentor.Stats) uint64 { return s.Ended })
	counter("published", "Messages that were published here.", func(s *stentor.Stats) uint64 { return s.Published })
	counter("delivered", "Messages that were handed to readers.", func(s *stentor.Stats) uint64 { return s.Delivered })
	counter("behind", "Times that a slow reader fell back on its cursor.", func(s *stentor.Stats) uint64 { return s.Behind })
	counter("gaps", "Times that a reader was told that messages are missing.", func(s *stentor.Stats) uint64 { return s.Gaps })
	counter("dropped", "Messages that the broker gave out of order.", func(s *stentor.Stats) uint64 { return s.Dropped })
	counter("lost", "Ephemeral messages and notices that slow readers lost.", func(s *stentor.Stats) uint64 { return s.Lost })
	return c
}

// Describe implements prometheus.Collector.
func (c *hubCollector) Describe(to chan<- *prometheus.Desc) {
	for _, r := range c.rows {
		to <- r.desc
	}
}

// Collect implements prometheus.Collector.
func (c *hubCollector) Collect(to chan<- prometheus.Metric) {
	s := c.hub.Stats()
	for _, r := range c.rows {
		to <- prometheus.MustNewConstMetric(r.desc, r.kind, r.read(&s))
	}
}
