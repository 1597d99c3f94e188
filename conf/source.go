package conf

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/interp"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// sourceFile runs `source file args` with BASH_SOURCE naming the file.
func (e *evaluation) sourceFile(hc interp.HandlerContext, args []string) ([]string, error) {
	if err := e.depth(); err != nil {
		return nil, err
	}
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	if len(args) < 2 {
		return args, nil
	}
	if _, ours := e.sourced[args[1]]; ours {
		return args, nil
	}
	path := e.findSource(hc, args[1])
	text, plain, err := e.readSource(hc, path)
	if err != nil {
		return []string{"eval", "echo " + quote(args[1]+": No such file or directory") + " >&2; " + statusCommand + " 1"}, nil
	}
	switch {
	case plain == nil:
		if text, err = e.rewritten(text, path, e.where); err != nil {
			return nil, err
		}
	case e.runsAlone():
		text = plain.mentioned(e.text)
	}
	e.sources++
	name := "/proc/self/dkms-conf-source/" + strconv.Itoa(e.sources)
	e.sourced[name] = text
	call := []string{"source", name}
	for _, arg := range args[2:] {
		call = append(call, quote(arg))
	}
	return []string{"eval", "BASH_SOURCE=(" + quote(path) + ` "${BASH_SOURCE[@]}"); ` + strings.Join(call, " ") +
		"; " + statusCommand + `0=$?; BASH_SOURCE=("${BASH_SOURCE[@]:1}"); ` + statusCommand + ` "$` + statusCommand + `0"`}, nil
}

// runsAlone reports whether nothing runs but the dkms.conf itself, no override, and
// no file was sourced before. What is expanded later sees directives only.
func (e *evaluation) runsAlone() bool {
	return e.sources == 0 && e.file == e.request.File && e.request.Package.Name != "" && e.request.Package.Version != "" &&
		len(e.overrides()) == 0
}

// findSource looks a name without a slash up in PATH, then in the current
// directory, as bash does outside POSIX mode.
func (e *evaluation) findSource(hc interp.HandlerContext, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	for _, dir := range filepath.SplitList(hc.Env.Get("PATH").String()) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return name
}

// readSource returns the text of a file, and the same as flat if it is worth to know
// that it is.
func (e *evaluation) readSource(hc interp.HandlerContext, path string) ([]byte, *flat, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(hc.Dir, path)
	}
	if text, ok := e.written[filepath.Clean(path)]; ok {
		return *text, worthFlat(*text), nil
	}
	if rest, ok := strings.CutPrefix(path, fmt.Sprintf("/proc/%d/fd/", os.Getpid())); ok {
		text, err := e.pipes.read(rest)
		return text, worthFlat(text), err
	}
	if known := e.shared().flat(path); known != nil {
		return known.text, known, nil
	}
	f, err := openRegular(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err := system.ReadUpTo(f, memoryLimit)
	plain := worthFlat(text)
	if err == nil && plain != nil {
		e.shared().keepFlat(path, plain)
	}
	return text, plain, err
}

func worthFlat(text []byte) *flat {
	if len(text) <= flatWorth {
		return nil
	}
	return readFlat(text)
}
