//go:build linux

package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// Machine says what this program runs on, as lines of a list.
func Machine() string {
	var s syscall.Sysinfo_t
	syscall.Sysinfo(&s) // zero where it can't be told
	memory := float64(s.Totalram) * float64(s.Unit) / (1 << 30)
	return fmt.Sprintf("- Machine: %s, %d processors, %.0f GiB\n- Kernel: %s\n- Go: %s\n",
		processor(), runtime.NumCPU(), memory, firstLine("/proc/sys/kernel/osrelease"), runtime.Version())
}

// Load is that of the machine in the last 1, 5 and 15 minutes.
func Load() string {
	f := strings.Fields(firstLine("/proc/loadavg"))
	return strings.Join(f[:min(3, len(f))], ", ")
}

// Busy is a warning for a load of more than half of the processors before anything was measured, and
// empty for less.
func Busy(load string) string {
	var one float64
	fmt.Sscanf(load, "%f", &one) // zero where there is none
	if one <= float64(runtime.NumCPU())/2 {
		return ""
	}
	return "**The machine was busy with something else: the numbers say little.**\n\n"
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "?"
	}
	_, rest, _ := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Trim(line, " \t:")
}

func firstLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "?"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
