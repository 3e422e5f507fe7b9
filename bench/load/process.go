//go:build linux

package load

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Usage is what a process has used so far.
type Usage struct {
	CPU          time.Duration // to the nanosecond, of all its threads
	User, Kernel time.Duration // the same in steps of 10 ms
	Resident     int64         // bytes of memory
	Peak         int64         // the most of them
}

// UsageOf is that of a process on this machine; zero when there is none.
func UsageOf(pid int) Usage {
	u := Usage{CPU: processTime(pid)}
	u.User, u.Kernel = ticks(pid)
	u.Resident, u.Peak = resident(pid)
	return u
}

func processTime(pid int) time.Duration {
	const scheduled = 2 // the clock of the scheduler, of a whole process
	var t syscall.Timespec
	clock := uintptr(^pid<<3 | scheduled)
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0
	}
	return time.Duration(t.Nano())
}

func ticks(pid int) (user, kernel time.Duration) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, 0
	}
	const tick = 10 * time.Millisecond
	u, _ := strconv.Atoi(f[11]) // fields 14 and 15 of proc(5)
	k, _ := strconv.Atoi(f[12])
	return time.Duration(u) * tick, time.Duration(k) * tick
}

func resident(pid int) (now, peak int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64) // kB
		switch f[0] {
		case "VmRSS:":
			now = n << 10
		case "VmHWM:":
			peak = n << 10
		}
	}
	return now, peak
}

// ThreadCPU is the processor time of the calling thread: of the load generator, on a goroutine
// that is locked to one.
func ThreadCPU() time.Duration {
	const rusageThread = 1
	var u syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// spare is how many descriptors a process has for other things.
const spare = 100

// enough says whether this process may have so many connections. The runtime has raised
// the limit as far as it goes.
func enough(connections int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("load: limit of open files: %w", err)
	}
	if need := uint64(connections) + spare; need > limit.Cur {
		return fmt.Errorf("load: %d connections need %d open files and a process may have %d here: "+
			"raise the limit with ulimit -n %d (as root, or LimitNOFILE of the service), or open fewer", connections, need, limit.Cur, need)
	}
	return nil
}
