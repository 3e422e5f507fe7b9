//go:build linux

package main

import (
	"os"
	"strconv"
	"strings"
)

// kernelMemory is what the kernel holds for connections, in bytes, for all processes of the
// machine: the objects, and the data that waits in buffers. ok is false where the
// objects may not be read.
func kernelMemory() (objects, buffers int64, ok bool) {
	buffers = int64(os.Getpagesize()) * count("/proc/net/sockstat", "TCP:", "mem")
	text, err := os.ReadFile("/proc/slabinfo")
	if err != nil {
		return 0, buffers, false
	}
	var sockets, dentry int64
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line) // name, active, all, size
		if len(f) < 4 {
			continue
		}
		active, _ := strconv.ParseInt(f[1], 10, 64)
		size, _ := strconv.ParseInt(f[3], 10, 64)
		switch {
		case f[0] == "dentry":
			dentry = size // each socket has one, and so has every file that anybody looks at
		case ofConnections(f[0]):
			objects += active * size
		}
		if f[0] == "sock_inode_cache" {
			sockets = active
		}
	}
	return objects + sockets*dentry, buffers, true
}

func ofConnections(slab string) bool {
	switch slab {
	case "TCP", "sock_inode_cache", "filp", "eventpoll_epi", "eventpoll_pwq":
		return true
	}
	return false
}

// count is the number that follows the words in a file: on the line that begins with the
// first, after the second if there is one. It is zero when there is none.
func count(file, line string, word ...string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(text)) {
		f := strings.Fields(l)
		if len(f) < 2 || f[0] != line {
			continue
		}
		for i := range f[1:] {
			if len(word) == 0 || i > 0 && f[i] == word[0] {
				n, _ := strconv.ParseInt(f[i+1], 10, 64)
				return n
			}
		}
	}
	return 0
}
