//go:build unix && !solaris && !aix

package diskbroker

import (
	"os"
	"syscall"
)

// unlock gives up the store's lock on its file. Closing the file doesn't while it is mapped.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
