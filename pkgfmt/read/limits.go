package read

import (
	"errors"
	"fmt"
	"io"
)

// The limits. Packages of kernels, of firmware and of graphics drivers stay far
// below; linux-headers has 20,000 files, a driver with its libraries 2 GiB.
const (
	maxTotal   = 8 << 30 // bytes that a payload may decompress to
	maxFile    = 4 << 30 // bytes of one file
	maxFiles   = 250_000
	maxHeader  = 32 << 20 // bytes of an RPM's header
	maxMembers = 64       // of a .deb's archive
	maxControl = 32 << 20 // bytes of a .deb's control archive
	maxPath    = 4096     // bytes of a path, or of a link's target: PATH_MAX
	maxNames   = 64 << 20 // bytes of all paths, targets and owners
	maxWords   = 200_000  // relations, triggers and what they name
	// maxRatio is how many times as large as its compressed form a payload may
	// be, beyond the first slack bytes: gzip's best is 1030, and sources and
	// programs stay below 20.
	maxRatio = 250
	// maxWindow is what a decompressor may keep in memory: that of xz -9, twice.
	maxWindow = 128 << 20
)

// slack is how much may come out of anything. Fuzzing lowers it: decompressing
// nonsense takes the time.
var slack int64 = 32 << 20

// errBomb ends reading what decompresses to more than it may.
var errBomb = errors.New("decompresses to more than its size allows")

// allowance returns how many bytes may come out of compressed ones.
func allowance(compressed, limit int64) int64 {
	if compressed > (limit-slack)/maxRatio {
		return limit
	}
	return min(limit, slack+maxRatio*compressed)
}

// names bounds what a list of files keeps in memory.
type names struct{ bytes, files int }

// add counts a file.
func (n *names) add(f File) error {
	n.files++
	n.bytes += len(f.Path) + len(f.Target) + len(f.Owner) + len(f.Group)
	switch {
	case len(f.Path) > maxPath || len(f.Target) > maxPath:
		return flawed(f.Path[:min(len(f.Path), 100)], "has a name or a target with more than %d bytes", maxPath)
	case n.files > maxFiles:
		return flawed("", "has more than %d files", maxFiles)
	case n.bytes > maxNames:
		return flawed("", "has names of files with more than %d bytes together", maxNames)
	}
	return nil
}

// bounded gives an error, and not the end, after left bytes.
type bounded struct {
	r          io.Reader
	left, most int64
}

// Read is io.Reader's.
func (b *bounded) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if b.left <= 0 {
		var probe [1]byte
		n, err := b.r.Read(probe[:])
		if n > 0 {
			return 0, fmt.Errorf("%w: more than %d bytes", errBomb, b.most)
		}
		return 0, err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}
