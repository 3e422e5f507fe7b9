package diskbroker

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stentor-sse/stentor"
)

// Options configures [Open]. The zero value is ready to use.
type Options struct {
	// Size is how many messages are kept per channel. Zero means 10,000;
	// negative means none.
	Size int
	// Age is how long a message is kept. Zero means 24 h; negative means for ever.
	Age time.Duration
	// Bytes bounds what is kept in all: the texts, with an allowance of 64 bytes
	// for each message and 256 for each channel. Over it, what is oldest goes. The file
	// takes up to a third more. Zero means 1 GiB; negative means no bound.
	Bytes int64
	// Channels bounds how many channels the log remembers, those included
	// whose messages are all trimmed: so a quiet channel has an exact floor.
	// Over it, the one that was quiet for longest is forgotten, with what is
	// kept of it. Zero means 100,000; negative means no bound.
	Channels int
	// IdempotencyAge and IdempotencyKeys bound how long, and how many, idempotency keys
	// are remembered. Zero means 24 h and the newest 100,000; negative means no bound.
	IdempotencyAge  time.Duration
	IdempotencyKeys int
	// Rules are exceptions for some channels. The first whose pattern matches
	// holds; at most 64.
	Rules []Rule
	// Interval turns group commit off: Publish returns at once with the
	// durability "disk-async", and what came is written that often, or as soon as
	// it is 8 MiB. When a process that did so did not end with Close, the next Open
	// raises the floor of the whole log to the present, because nobody knows what it lost.
	// Zero or negative means that each Publish returns when its message is on disk.
	Interval time.Duration
	// ReadOnly opens what is there without changing it: nothing is trimmed and
	// Publish is refused. Several may do so at once, while nobody writes.
	ReadOnly bool
}

// Rule is how some channels are kept.
type Rule struct {
	// Pattern is a channel's name, or what names begin with and "*".
	Pattern string
	// Size, Age are as in [Options]; zero means what Options say.
	Size int
	Age  time.Duration
	// Bytes bounds what is kept of each of these channels. Zero or negative
	// means no bound but that of Options.
	Bytes int64
}

// maxRules bounds Options.Rules: each new channel is compared with all.
const maxRules = 64

func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	defaults(&c.Size, 10_000)
	defaults(&c.Age, 24*time.Hour)
	defaults(&c.Bytes, 1<<30)
	defaults(&c.Channels, 100_000)
	defaults(&c.IdempotencyAge, 24*time.Hour)
	defaults(&c.IdempotencyKeys, 100_000)
	if c.ReadOnly {
		c.Size, c.Age, c.Bytes, c.Channels, c.Rules = math.MaxInt, -1, -1, -1, nil
	}
	if len(c.Rules) > maxRules {
		return c, fmt.Errorf("%w rules: %d, at most %d are allowed", stentor.ErrInvalid, len(c.Rules), maxRules)
	}
	c.Rules = append([]Rule(nil), c.Rules...)
	for i := range c.Rules {
		r := &c.Rules[i]
		if name := strings.TrimSuffix(r.Pattern, "*"); name != "" || r.Pattern == "" {
			if err := stentor.Channel(name).Validate(); err != nil {
				return c, fmt.Errorf("diskbroker: rule %d: %w", i+1, err)
			}
		}
		if r.Size == 0 {
			r.Size = c.Size
		}
		if r.Age == 0 {
			r.Age = c.Age
		}
	}
	return c, nil
}

// durability is what receipts say of kept messages.
func (o *Options) durability() string {
	if o.Interval > 0 {
		return "disk-async"
	}
	return "disk"
}

func defaults[T ~int | ~int64](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// matches reports whether the rule is for a channel. Those of users, sessions and
// the like are nobody's pattern.
func (r *Rule) matches(name stentor.Channel) bool {
	if name == "" || name[0] < ' ' {
		return false
	}
	prefix, all := strings.CutSuffix(r.Pattern, "*")
	return all && strings.HasPrefix(string(name), prefix) || string(name) == r.Pattern
}
