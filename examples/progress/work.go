package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// kind is something that can be done.
type kind struct {
	name, title string
	steps       int
	work        work
}

// work does a job and gives what is to be downloaded, nil for nothing. It tells how many steps
// are done, and what it does, as often as it likes, and ends when ctx does.
type work func(ctx context.Context, tell func(done int, note string)) ([]byte, error)

// kinds are all that there are. Put your own here.
func kinds(step time.Duration) []kind {
	return []kind{
		{"report", "Report of all orders", 120, report(120, step)},
		{"import", "Import of a price list", 200, prices(200, step)},
		{"archive", "Archive of the pictures", 1500, archive(1500, step)},
	}
}

// report writes a table.
func report(orders int, step time.Duration) work {
	return func(ctx context.Context, tell func(int, string)) ([]byte, error) {
		b := bytes.NewBufferString("order,items,amount\n")
		for n := 1; n <= orders; n++ {
			if err := pause(ctx, step); err != nil {
				return nil, err
			}
			fmt.Fprintf(b, "%d,%d,%d.%02d\n", 1000+n, 1+n*7%5, n*7919%640, n*37%100)
			tell(n, fmt.Sprintf("Order %d of %d", n, orders))
		}
		return b.Bytes(), nil
	}
}

// prices fails when it has come to a row with a mistake.
func prices(rows int, step time.Duration) work {
	return func(ctx context.Context, tell func(int, string)) ([]byte, error) {
		for n := 1; n <= rows; n++ {
			if err := pause(ctx, step); err != nil {
				return nil, err
			}
			if n == rows*2/3 {
				return nil, fmt.Errorf("row %d: the price is “soon”; write a number, and start it again", n)
			}
			tell(n, fmt.Sprintf("Row %d of %d", n, rows))
		}
		return nil, nil
	}
}

// archive takes long.
func archive(pictures int, step time.Duration) work {
	return func(ctx context.Context, tell func(int, string)) ([]byte, error) {
		for n := 1; n <= pictures; n++ {
			if err := pause(ctx, step); err != nil {
				return nil, err
			}
			tell(n, fmt.Sprintf("Picture %d of %d", n, pictures))
		}
		return fmt.Appendf(nil, "%d pictures\n", pictures), nil
	}
}

// pause waits for d, or for the end of ctx, which is its error.
func pause(ctx context.Context, d time.Duration) error {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
