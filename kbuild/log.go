package kbuild

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// maxLog is how much of a build's output is kept. What ends a build is nearly
// always in the first few MiB; a make that never stops printing must not fill
// the disk.
const maxLog = 64 << 20

// buildLog is the make.log of one build. It implements io.Writer for the
// output of commands.
type buildLog struct {
	file     *os.File
	from     int    // where the section of the try that runs begins
	size     int    // of that section
	open     bool   // the last line lacks its end
	full     bool   // the disk had no room for something
	partial  []byte // of a line, for progress
	progress func(string)
}

func newBuildLog(path string, progress func(string)) (*buildLog, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &buildLog{file: f, progress: progress}, nil
}

// Write appends p. It never fails: a full disk is for the compiler to find. But
// its words about that may have no room in here, either.
func (l *buildLog) Write(p []byte) (int, error) {
	l.store(p)
	if l.progress == nil {
		return len(p), nil
	}
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		if len(l.partial) < 4096 {
			l.partial = append(l.partial, line...)
		}
		if ended {
			l.progress(string(bytes.TrimRight(l.partial, "\r")))
			l.partial = l.partial[:0]
		}
		rest = after
	}
	return len(p), nil
}

func (l *buildLog) store(p []byte) {
	room := maxLog - l.size
	if room < 0 || len(p) == 0 {
		return
	}
	if room < len(p) {
		p = append(p[:room:room], "\n# more output was dropped\n"...)
	}
	if _, err := l.file.Write(p); isFull(err) {
		l.full = true
	}
	l.size += len(p)
	l.open = p[len(p)-1] != '\n'
}

// section begins the section of another try.
func (l *buildLog) section() { l.from, l.size = l.from+l.size, 0 }

// note writes a line of our own, which begins with "#".
func (l *buildLog) note(format string, args ...any) {
	if l.open {
		l.store([]byte("\n"))
	}
	l.partial = l.partial[:0]
	l.store([]byte("# " + fmt.Sprintf(format, args...) + "\n"))
}

// header writes what every log begins with. Its first line is as people and
// their scripts know it.
func (l *buildLog) header(j Job) {
	r := j.Recipe
	l.store(fmt.Appendf(nil, "DKMS make.log for %s-%s for kernel %s (%s)\n%s\n", r.Name, r.Version, r.Release, r.Arch,
		time.Now().Format(time.UnixDate)))
	l.note("source: %s", j.Source)
	l.note("headers: %s", j.Kernel.Source)
	if text := j.Kernel.Config.Value("CONFIG_CC_VERSION_TEXT"); text != "" {
		l.note("kernel compiled by: %s", text)
	}
}

// end writes how the command that began at start came out.
func (l *buildLog) end(start time.Time, err error) {
	status := "0"
	if err != nil {
		status = err.Error()
	}
	l.note("ended: %s, after %s", status, time.Since(start).Round(10*time.Millisecond))
}
